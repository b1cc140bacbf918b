"""Rows that stood before there were clients: each way in which they can change is planted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import psycopg
import pytest

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.data import standing
from rollback_drill.data.balance import balance
from rollback_drill.data.comparison import touched
from rollback_drill.data.rows import rows
from rollback_drill.data.standing import Standing
from rollback_drill.data.told import (
    CLOSED,
    ENDED,
    HEALTHY,
    OUT,
    PREPARING,
    STARTED,
    DataSeen,
    LedgerRead,
    RowsCounted,
    RowsSeen,
)
from rollback_drill.data.writes import Fate, Write
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded, Told
from rollback_drill.subject.subject import Table
from tests.data.postgres_support import postgres
from tests.data.session_support import Session

TABLE = Table("orders", "order")
SCHEMA = """
CREATE TABLE orders (id bigserial PRIMARY KEY, reference text, name text, note text);
INSERT INTO orders (reference, name) SELECT 'SEED-' || n, 'Ana ' || n FROM generate_series(1, 9) n;
CREATE TABLE shops (code text PRIMARY KEY, city text); INSERT INTO shops VALUES ('a', 'Graz');
CREATE SCHEMA audit; CREATE TABLE audit.lines (what text); INSERT INTO audit.lines VALUES ('x');
SELECT lo_from_bytea(0, 'a contract');
"""
FRESH = "INSERT INTO orders (reference, name) VALUES ('d-1', 'new'); "
ALL = """SELECT lo_unlink(oid) FROM pg_largeobject_metadata; DROP SCHEMA IF EXISTS audit CASCADE;
DROP SCHEMA public CASCADE; CREATE SCHEMA public"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as running:
        yield running.url("postgres")


@pytest.fixture
def session(server: str) -> Iterator[Session]:
    with psycopg.connect(server, autocommit=True) as connection:
        for one in (ALL, SCHEMA):
            connection.execute(one.encode())
        yield Session(connection)


def lost(*events: Told) -> list[str]:
    found = rows(book(*events))
    assert found
    return [what for one in found.losses for what in one.what]


def book(*events: Told) -> Book:
    return Book([Event(float(at), what) for at, what in enumerate(events)])


def looked(session: Session, change: str) -> list[str]:
    """Return what is found to be lost by `change`, while clients make an order of theirs."""
    one = Standing(session, TABLE)
    before = one.look(STARTED)
    session.fetch(FRESH + change)
    return lost(before, one.look(ENDED))


def test_what_the_service_changes_by_itself_is_told_and_not_compared_and_all_else_is(
    session: Session,
) -> None:
    one = Standing(session, TABLE, changing=["shops.city"])
    before = one.look(STARTED)
    session.fetch("UPDATE shops SET city = 'Wien'")
    after = one.look(ENDED)
    assert after.changing == ("shops.city",)
    assert lost(before, after) == []
    assert lost(replace(before, changing=()), replace(after, changing=())) == [
        "shops.city has other values"
    ]
    session.fetch("ALTER TABLE shops DROP city")
    assert lost(before, one.look(ENDED)) == ["shops.city is gone"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("DELETE FROM orders WHERE id = 9", "orders had 9 rows that stood and has 8 of them"),
        ("DELETE FROM orders WHERE id = 1", "orders had 9 rows that stood and has 8 of them"),
        ("UPDATE orders SET name = left(name, 3) WHERE id = 5", "orders.name has other values"),
        ("UPDATE orders SET note = '' WHERE id = 5", "orders.note has other values"),
        (
            "UPDATE orders SET id = id + 50 WHERE id = 9",
            "orders had 9 rows that stood and has 8 of",
        ),
        ("UPDATE shops SET city = 'Wien'", "shops.city has other values"),
        ("INSERT INTO shops VALUES ('b', 'Linz')", "shops had 1 rows that stood and has 2 of them"),
        ("DROP TABLE shops", "shops is gone"),
        ("ALTER TABLE shops DROP city", "shops.city is gone"),
        ("DELETE FROM audit.lines", "audit.lines had 1 rows that stood and has 0 of them"),
        ("UPDATE audit.lines SET what = 'y'", "audit.lines.what has other values"),
        (
            "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
            "large objects had 1 rows that stood and has 0 of them",
        ),
        (
            "SELECT lo_put(oid, 0, 'b') FROM pg_largeobject_metadata",
            "large objects.data has other values",
        ),
    ],
)
def test_a_change_of_what_stood_is_found(session: Session, change: str, found: str) -> None:
    assert found in "; ".join(looked(session, change))


@pytest.mark.parametrize(
    "change",
    [
        "SELECT 1",
        "UPDATE orders SET name = 'theirs' WHERE id > 9",
        "DELETE FROM orders WHERE id > 9",
        "UPDATE orders SET name = name",
        "ALTER TABLE orders ADD more text",
    ],
)
def test_what_clients_do_to_theirs_is_no_loss(session: Session, change: str) -> None:
    assert looked(session, change) == []


def test_what_may_not_be_read_is_said_and_unknown(session: Session, server: str) -> None:
    session.fetch("DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN")
    session.fetch("GRANT USAGE ON SCHEMA public TO clerk; GRANT SELECT ON orders, shops TO clerk")
    with psycopg.connect(server, user="clerk", autocommit=True) as connection:
        seen = Standing(Session(connection), TABLE).look(STARTED)
    session.fetch("DROP OWNED BY clerk; DROP ROLE clerk")
    assert set(seen.tables) == {"orders", "shops"}
    assert set(seen.unread) == {"audit.lines", "large objects"}
    told = balance(book(seen, replace(seen, moment=ENDED), LedgerRead(1, 1, 0, 0))).told()
    assert "nobody knows of audit.lines" in told
    assert worst_of(seen) is Verdict.UNKNOWN


def test_a_table_without_numbers_for_its_rows_is_said(session: Session) -> None:
    session.fetch("ALTER TABLE orders DROP CONSTRAINT orders_pkey")
    seen = Standing(session, TABLE).look(STARTED)
    assert "orders" not in seen.tables
    assert "no whole-numbered key" in seen.unread["orders"]


def test_a_table_that_cannot_be_read_now_does_not_hide_the_others(session: Session) -> None:
    one = Standing(session, TABLE)
    one.look(STARTED)
    session.fetch("SET statement_timeout = '300ms'")
    with psycopg.connect(session.connection.info.dsn) as other:
        other.execute("LOCK TABLE shops")
        seen = one.look(PREPARING)
        other.rollback()
    session.fetch("RESET statement_timeout")
    assert set(seen.unread) == {"shops"}
    assert "timeout" in seen.unread["shops"]
    assert "orders" in seen.tables


def test_of_a_large_table_the_same_rows_are_looked_at_each_time(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.fetch(
        "CREATE TABLE big (id int PRIMARY KEY, v int);"
        "INSERT INTO big SELECT n, n FROM generate_series(1, 10000) n; ANALYZE big"
    )
    monkeypatch.setattr(standing, "_WHOLE", 100_000)
    monkeypatch.setattr(standing, "_WINDOWS", 4)
    monkeypatch.setattr(standing, "_WINDOW", 100)
    one = Standing(session, TABLE)
    before = one.look(STARTED)
    assert list(one.look(ENDED).scopes) == ["big", "orders"]
    assert before.tables["big"]["rows"] == "401"
    for change, found in (
        ("UPDATE big SET v = 0 WHERE id = 1000", []),  # beside the windows, which is said
        ("UPDATE big SET v = 0 WHERE id = 10000", ["big.v has other values"]),
        ("DELETE FROM big WHERE id = 1", ["big had 401 rows that stood and has 400 of them"]),
    ):
        session.fetch(change)
        assert lost(before, one.look(ENDED)) == found


def written(reference: str, fate: Fate, subject: str = "") -> Write:
    return Write(reference, "create", subject or reference, "{}", fate, 1.0, 2.0)


def counted(session: Session, made: Mapping[str, Fate], *, shared: bool = False) -> RowsCounted:
    one = Standing(session, TABLE)
    one.look(STARTED)
    for number, reference in enumerate(["d-1", "d-2", "check-9", *made]):
        session.fetch("INSERT INTO orders (reference) VALUES (%s)", (reference.split("*")[0],))
        del number
    writes = {"d-1": Fate.ACKNOWLEDGED, "d-2": Fate.INDETERMINATE, "d-9": Fate.ACKNOWLEDGED}
    known = {name: [written(name, fate)] for name, fate in (writes | dict(made)).items()}
    known.pop("stranger", None)
    found = one.count(known, shared=shared)
    assert found
    return found


def test_rows_at_the_end_are_those_of_the_start_and_of_clients(session: Session) -> None:
    found = counted(session, {})
    assert found == RowsCounted("orders", 9, 2, 1, 0, 0, 0)
    assert [c for c in judge(book(found)).causes if "rows" in c.what] == []


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"stranger": Fate.ACKNOWLEDGED}, "1 rows of orders were made by nobody in this drill"),
        ({"d-3": Fate.REFUSED}, "1 rows of orders are there though their makers were refused"),
        ({"d-1*again": Fate.ACKNOWLEDGED}, "1 references stand twice in orders"),
    ],
)
def test_a_row_too_many_is_found(session: Session, made: Mapping[str, Fate], said: str) -> None:
    causes = judge(book(counted(session, made))).causes
    assert [(c.verdict, c.what) for c in causes if "orders" in c.what] == [(Verdict.FAILED, said)]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE orders SET note = 'x' WHERE reference = 'd-1'", "note has other values"),
        ("UPDATE orders SET id = 900 WHERE reference = 'd-1'", "had 2 rows"),
        ("DELETE FROM orders WHERE reference = 'd-2'", "had 2 rows"),
        ("UPDATE orders SET note = 'x' WHERE reference IN ('check-9', 'd-open')", ""),
        ("INSERT INTO orders (reference) VALUES ('d-7')", ""),
        ("SELECT 1", ""),
    ],
)
def test_once_clients_are_gone_nobody_changes_what_they_wrote(
    session: Session, change: str, found: str
) -> None:
    one = Standing(session, TABLE)
    before = one.look(STARTED)
    for reference in ("d-1", "d-2", "check-9", "d-open"):
        session.fetch("INSERT INTO orders (reference, name) VALUES (%s, 'Ana')", (reference,))
    made = dict.fromkeys(("d-1", "d-2"), Fate.ACKNOWLEDGED) | {"d-open": Fate.INDETERMINATE}
    one.settle({name: [written(name, fate)] for name, fate in made.items()})
    ended = one.look(ENDED)
    session.fetch(change)
    told = lost(before, ended, one.look(CLOSED))
    assert [what for what in told if "of clients" in what] == told
    assert [found in what for what in told] == ([True] if found else [])


def test_where_others_write_their_rows_are_told_and_not_judged(session: Session) -> None:
    found = counted(session, {"stranger": Fate.ACKNOWLEDGED}, shared=True)
    assert found.strangers == 1
    assert not any("orders" in c.what for c in judge(book(found)).causes)


# Below: from the record alone.

WHOLE = {"people": {"rows": "3", ".name": "7", ".note": "9"}, "shops": {"rows": "1", ".city": "5"}}
CUT = WHOLE | {"people": {"rows": "3", ".name": "8", ".note": "9"}}
FEWER = WHOLE | {"people": {"rows": "2", ".name": "6", ".note": "8"}}
WITHOUT = WHOLE | {"people": {"rows": "3", ".name": "7"}}
DROPS = ProcedureChosen(2, "", 0, 0, "operator", dropped=("people.note",))


def look(moment: str, tables: dict[str, dict[str, str]] = WHOLE, procedure: int = 0) -> RowsSeen:
    return RowsSeen(moment, tables, procedure)


def fault(*, damages: bool | None) -> FaultInjected:
    return FaultInjected("leak", "switched on", damages=damages)


def whole(*events: Told) -> list[Told]:
    return [look(STARTED), *events, look(ENDED), LedgerRead(1, 1, 0, 0), DrillEnded()]


def worst_of(*events: Told) -> Verdict:
    causes = [c.verdict for c in judge(book(*events)).causes if c.where == "Data"]
    return Verdict.FAILED if Verdict.FAILED in causes else (causes or [Verdict.PASSED])[0]


def test_nothing_is_said_where_nothing_changed() -> None:
    told = whole(look(PREPARING), DROPS, look("before Procedure 2", procedure=2))
    assert lost(*told) == []
    assert balance(book(*told)).told() == "none"
    assert worst_of(*told) is Verdict.PASSED


@pytest.mark.parametrize("damages", [False, None])
@pytest.mark.parametrize(
    ("moments", "when"),
    [
        ((CUT, CUT, CUT, CUT), "between “at the start” and “before the preparation”"),
        ((WHOLE, CUT, CUT, CUT), "between “before the preparation” and “before Procedure 1”"),
        ((WHOLE, WHOLE, CUT, CUT), "between “before Procedure 1” and “at the end”"),
        ((WHOLE, WHOLE, WHOLE, CUT), "between “at the end” and “after the closing steps”"),
    ],
)
def test_what_changed_is_told_with_when(
    moments: Sequence[dict[str, dict[str, str]]], when: str, damages: bool | None
) -> None:
    names = (PREPARING, "before Procedure 1", ENDED, CLOSED)
    looks = [
        look(name, tables, int(name == "before Procedure 1"))
        for name, tables in zip(names, moments, strict=True)
    ]
    chosen = replace(DROPS, procedure=1, dropped=())
    told = [look(STARTED), fault(damages=damages), looks[0], chosen, *looks[1:]]
    causes = [str(c) for c in judge(book(*told)).causes if c.where == "Data"]
    assert f"Data: people.name has other values, {when}" in causes
    assert "people.name has other values" in balance(book(*told)).told()


def test_a_fault_that_damages_explains_what_it_damaged_until_clients_were_off_it() -> None:
    chosen = replace(DROPS, procedure=1, dropped=())
    begin = look("before Procedure 1", CUT, 1)
    more = CUT | {"shops": {"rows": "1", ".city": "6"}}
    told = [
        look(STARTED), fault(damages=True), look(PREPARING, CUT), chosen, begin,
        look(OUT, more), look(ENDED, more),
    ]  # fmt: skip
    found = rows(book(*told))
    assert found
    assert (found.losses, [one.what for one in found.damage]) == (
        (),
        [("people.name has other values",), ("shops.city has other values",)],
    )
    assert worst_of(*told, LedgerRead(1, 1, 0, 0)) is Verdict.PASSED
    assert "(by the release)" in balance(book(*told)).told()
    # Afterwards it is no excuse any more.
    assert lost(*told[:-1], look(ENDED, FEWER | {"shops": more["shops"]}))


def test_what_the_preparation_takes_away_is_not_the_damaging_faults_doing() -> None:
    chosen = replace(DROPS, procedure=1, dropped=())
    told = [look(STARTED), fault(damages=True), look(PREPARING), chosen,
            look("before Procedure 1", FEWER, 1), look(ENDED, FEWER)]  # fmt: skip
    assert lost(*told) == ["people had 3 rows that stood and has 2 of them"]


def test_what_a_damaging_fault_does_where_nothing_is_rolled_back_is_explained() -> None:
    assert lost(look(STARTED), fault(damages=True), look(ENDED, CUT)) == []
    assert lost(look(STARTED), fault(damages=False), look(ENDED, CUT))


def test_only_what_is_declared_may_be_dropped_and_only_by_then() -> None:
    begin = look("before Procedure 2", WHOLE, 2)
    assert lost(look(STARTED), DROPS, begin, look(ENDED, WITHOUT)) == []
    undeclared = replace(DROPS, dropped=())
    assert lost(look(STARTED), undeclared, begin, look(ENDED, WITHOUT)) == ["people.note is gone"]
    early = look("before Procedure 2", WITHOUT, 2)
    assert lost(look(STARTED), DROPS, early, look(ENDED, WITHOUT)) == ["people.note is gone"]


def test_a_declared_transformation_is_no_loss_and_another_is() -> None:
    begin = replace(look("before Procedure 2", WHOLE, 2), expected={"people": {".name": "8"}})
    assert lost(look(STARTED), DROPS, begin, look(ENDED, CUT)) == []
    other = CUT | {"people": {"rows": "3", ".name": "99", ".note": "9"}}
    assert lost(look(STARTED), DROPS, begin, look(ENDED, other)) == ["people.name has other values"]


def test_what_comes_back_otherwise_after_a_round_trip_is_a_loss() -> None:
    again = replace(DROPS, procedure=4, dropped=())
    told = [look(STARTED), DROPS, look("before Procedure 2", WHOLE, 2), again,
            look("before Procedure 4", WITHOUT, 4)]  # fmt: skip
    assert lost(*told, look(ENDED)) == []
    other = WHOLE | {"people": {"rows": "3", ".name": "7", ".note": "1"}}
    assert lost(*told, look(ENDED, other)) == ["people.note came back otherwise"]


def test_a_table_that_others_write_while_all_is_well_is_set_aside() -> None:
    found = rows(book(look(STARTED), look(HEALTHY, CUT), look(ENDED, FEWER)))
    assert found
    assert (found.aside, found.losses) == (("people",), ())
    assert lost(look(STARTED), look(HEALTHY), look(ENDED, FEWER))


def test_who_did_not_look_in_the_end_knows_nothing() -> None:
    told = [look(STARTED), LedgerRead(1, 1, 0, 0), DrillEnded()]
    assert worst_of(*told) is Verdict.UNKNOWN
    assert "nobody knows of rows that stood" in balance(book(*told)).told()
    assert balance(book(LedgerRead(1, 1, 0, 0))).told() == (
        "none of 1 confirmed changes; of other data nobody knows"
    )


def test_what_the_service_changes_by_itself_is_not_held_against_a_procedure_either() -> None:
    was = {"keys": {"rows": "2", ".seen_at": "1", ".owner": "5"}, "usage": {"rows": "1", ".n": "1"}}
    now = {"keys": {"rows": "2", ".seen_at": "2", ".owner": "6"}, "usage": {"rows": "2", ".n": "3"}}
    seen = [DataSeen(1, "before", was), DataSeen(1, "after", now)]
    (found,) = touched(book(RowsSeen(STARTED, was, changing=("keys.seen_at", "usage")), *seen))
    assert found.found.changed == ("keys.owner has other values",)
    (found,) = touched(book(RowsSeen(STARTED, was), *seen))
    assert found.found.changed == (
        "keys.owner has other values",
        "keys.seen_at has other values",
        "usage had 1 rows and has 2",
    )
