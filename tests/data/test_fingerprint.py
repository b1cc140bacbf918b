"""Every way in which data can change is planted in a real Postgres, and found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest

from rollback_drill.data.comparison import compare
from rollback_drill.data.fingerprint import expected, fingerprint
from rollback_drill.data.told import DataSeen
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from tests.data.postgres_support import postgres

SCHEMA = """
CREATE TABLE people (id int PRIMARY KEY, name text, born date, cents numeric(10, 3), note text);
INSERT INTO people VALUES (1, 'Zoë', '1990-01-01', 10.125, NULL), (2, 'Ana', NULL, 20.5, ''),
                          (3, 'José', '1970-07-07', 0.001, 'x');
CREATE TABLE audit (what text, rows int); INSERT INTO audit VALUES ('a', 1);
CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('1');
"""


class Session:
    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.connection = connection

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(query.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as running:
        yield running.url("postgres")


@pytest.fixture
def session(server: str) -> Iterator[Session]:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute(SCHEMA)
        yield Session(connection)


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        ("UPDATE people SET name = left(name, 2) WHERE id = 3", "people.name has other values"),
        ("UPDATE people SET note = '' WHERE id = 1", "people.note has other values"),
        ("UPDATE people SET note = NULL WHERE id = 2", "people.note has other values"),
        ("UPDATE people SET cents = round(cents, 2) WHERE id = 1", "people.cents has other values"),
        ("UPDATE people SET born = born + 1 WHERE id = 3", "people.born has other values"),
        (
            "UPDATE people SET name = CASE id WHEN 1 THEN 'Ana' ELSE 'Zoë' END WHERE id < 3",
            "people.name has other values",
        ),
        ("DELETE FROM people WHERE id = 2", "people had 3 rows and has 2"),
        ("INSERT INTO people (id) VALUES (4)", "people had 3 rows and has 4"),
        ("UPDATE audit SET rows = 2", "audit.rows has other values"),
    ],
)
def test_a_change_is_found(session: Session, loss: str, found: str) -> None:
    before = fingerprint(session)
    session.fetch(loss)
    assert found in compare(before, fingerprint(session)).changed


def test_rows_in_another_order_are_the_same_data(session: Session) -> None:
    before = fingerprint(session)
    session.fetch(
        "UPDATE people SET name = name WHERE id = 1; UPDATE alembic_version SET version_num='2'"
    )
    found = compare(before, fingerprint(session))
    assert (found.dropped, found.added, found.changed) == ((), (), ())


def test_what_was_dropped_and_added_is_named_and_declared_or_not(session: Session) -> None:
    before = fingerprint(session)
    session.fetch("ALTER TABLE people DROP COLUMN note, ADD COLUMN age int; DROP TABLE audit")
    found = compare(before, fingerprint(session))
    assert found.dropped == ("audit", "people.note")
    assert found.added == ("people.age",)
    assert found.changed == ()
    assert found.undeclared(["audit"]) == ("people.note",)
    assert found.undeclared(found.dropped) == ()


TRANSFORMED = {"people.cents": "round(cents, 1)", "people.name": "left(name, 3)"}


def test_what_changed_as_declared_is_transformed(session: Session) -> None:
    before, wanted = fingerprint(session), expected(session, TRANSFORMED)
    session.fetch("UPDATE people SET cents = round(cents, 1), name = left(name, 3)")
    found = compare(before, fingerprint(session), wanted)
    assert (found.transformed, found.changed) == (("people.cents", "people.name"), ())


@pytest.mark.parametrize(
    "loss",
    [
        "UPDATE people SET cents = round(cents, 1), name = left(name, 2)",
        "UPDATE people SET cents = round(cents, 1), name = left(name, 3) WHERE id < 3",
        "UPDATE people SET cents = round(cents, 1)",  # declared, and not done
    ],
)
def test_what_changed_otherwise_than_declared_is_found(session: Session, loss: str) -> None:
    before, wanted = fingerprint(session), expected(session, TRANSFORMED)
    session.fetch(loss)
    found = compare(before, fingerprint(session), wanted)
    assert "people.name is not what the runbook says" in found.changed


def test_pages_in_another_order_are_found(session: Session) -> None:
    # The keys change places, so that the same rows come in another order.
    before = fingerprint(session)
    session.fetch("UPDATE people SET id = id + 10; UPDATE people SET id = 14 - id")
    assert "people.name has other values" in compare(before, fingerprint(session)).changed


def seen(moment: str, **tables: dict[str, str]) -> Event:
    return Event(1.0, DataSeen(2, moment, tables))


def reasons(*events: Event, dropped: tuple[str, ...] = ()) -> list[str]:
    chosen = Event(0.5, ProcedureChosen(2, "", 0, 0, "operator", (), dropped))
    judged = judge(Book([chosen, *events]))
    return [
        c.what
        for c in judged.causes
        if c.where == "Data, Procedure 2" and c.verdict is Verdict.FAILED
    ]


def test_the_drill_fails_for_changed_data_and_for_undeclared_losses() -> None:
    was = {"rows": "3", ".name": "17", ".note": "4"}
    before = seen("before", people=was)
    assert reasons(before, seen("after", people=was)) == []
    less = seen("after", people={"rows": "3", ".name": "17"})
    assert reasons(before, less, dropped=("people.note",)) == []
    assert len(reasons(before, less)) == 1
    assert "people.note was dropped" in reasons(before, less)[0]
    other = seen("after", people={**was, ".name": "18"})
    assert reasons(before, other) == ["people.name has other values after it"]
    assert reasons(other) == []  # nothing to compare with


def test_a_transformation_as_declared_fails_nothing_and_any_other_does() -> None:
    was = {"rows": "3", ".name": "17"}
    before = Event(1.0, DataSeen(2, "before", {"people": was}, {"people": {".name": "9"}}))
    assert reasons(before, seen("after", people={**was, ".name": "9"})) == []
    for other in ("17", "10"):  # not done; done otherwise
        told = reasons(before, seen("after", people={**was, ".name": other}))
        assert told == ["people.name is not what the runbook says after it"]
