"""Each way to lose a write is planted in a real Postgres and has to be found."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from rollback_drill.data import ledger
from rollback_drill.data.accounting import Accounting
from rollback_drill.data.ledger import NOTHING, Declared, damaged_by_now, read_back, read_path
from rollback_drill.data.told import LedgerRead, PathRead, recovery
from rollback_drill.ground.errors import StageError
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.runbook.parse import parse
from rollback_drill.subject.hostaway.recipe import TABLE
from rollback_drill.subject.subject import own
from rollback_drill.traffic.observation import Observation, Outcome
from tests.data.postgres_support import postgres

_SCHEMA = """
    CREATE TABLE reservations (
        id bigserial PRIMARY KEY, reference text UNIQUE NOT NULL, listing_id int,
        guest_name text, check_in date, check_out date, total_cents int,
        status text NOT NULL DEFAULT 'confirmed'
    )
"""


class Postgres:
    """What answers the ledger's queries, on a connection of its own."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.connection = connection

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode(), parameters).fetchall()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as running:
        yield running.url("postgres")


@pytest.fixture
def database(server: str) -> Iterator[Postgres]:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(_SCHEMA)
        yield Postgres(connection)
        connection.execute("DROP TABLE reservations")


class Book:
    """Writes the files as the generator does, and does to the database what the service would."""

    def __init__(self, directory: Path, database: Postgres) -> None:
        self.directory = directory
        self.database = database
        self.writes = 0
        self.at = 1_700_000_000.0

    def create(self, answer: int = 201, *, done: bool = True, **changed: object) -> str:
        fields = {
            "listing_id": 7, "guest_name": "José Núñez, of Łódź", "check_in": "2030-01-02",
            "check_out": "2030-01-05", "total_cents": 12_300,
        } | changed  # fmt: skip
        reference = self._announce("create", "", fields)
        if done:
            names, marks = ", ".join(["reference", *fields]), ", ".join(["%s"] * (len(fields) + 1))
            self.database.connection.execute(
                f"INSERT INTO reservations ({names}) VALUES ({marks})".encode(),
                (reference, *fields.values()),
            )
        self.observe(reference, "create", answer)
        return reference

    def update(
        self, subject: str, answer: int = 200, *, done: bool = True, **fields: object
    ) -> str:
        reference = self._announce("update", subject, fields)
        if done:
            for name, value in fields.items():
                self.database.connection.execute(
                    f"UPDATE reservations SET {name} = %s WHERE reference = %s".encode(),
                    (value, subject),
                )
        self.observe(reference, "update", answer)
        return reference

    def _announce(self, kind: str, subject: str, fields: dict[str, object]) -> str:
        self.writes += 1
        reference = f"r-{self.writes}"
        content = {"reference": reference, **fields} if kind == "create" else fields
        with (self.directory / "writes-0.csv").open("a") as file:
            text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
            file.write(f"{reference},{kind},{subject or reference},{text}\n")
        return reference

    def observe(self, reference: str, kind: str, status: int) -> None:
        """Status 0 is a time-out, -1 a generator that was killed before it knew."""
        self.at += 1
        if status < 0:
            return
        outcome = Outcome.OK if 200 <= status < 300 else Outcome.TIMEOUT
        seen = Observation(
            self.at, self.at, self.at + 0.1, "c000", kind, status, outcome, "", reference
        )
        with (self.directory / "observations-0.csv").open("a") as file:
            file.write(seen.to_line() + "\n")

    def sql(self, statement: str, *parameters: object) -> None:
        done = self.database.connection.execute(statement.encode(), parameters)
        assert done.rowcount == 1, "the defect was not planted"

    def read(self) -> LedgerRead:
        found = read_back(self.database, TABLE, self.directory)
        assert found.preserved + found.lost == found.acknowledged
        return found


@pytest.fixture
def book(tmp_path: Path, database: Postgres) -> Book:
    return Book(tmp_path, database)


def test_writes_that_were_kept_are_preserved(book: Book) -> None:
    first = book.create()
    book.create()
    book.update(first, total_cents=1, guest_name="李 小龍")
    book.update(first, total_cents=2, status="cancelled")
    assert book.read() == LedgerRead(acknowledged=4, preserved=4, lost=0, indeterminate=0)


def test_a_deleted_reservation_loses_all_its_writes(book: Book) -> None:
    gone = book.create()
    update = book.update(gone, total_cents=1)
    book.create()
    book.sql("DELETE FROM reservations WHERE reference = %s", gone)
    found = book.read()
    assert (found.acknowledged, found.lost) == (3, 2)
    assert found.examples == (
        f"create {gone} of reservation {gone}: expected a reservation, found none",
        f"update {update} of reservation {gone}: expected a reservation, found none",
    )


@pytest.mark.parametrize(
    ("defect", "named"),
    [
        ("total_cents = total_cents + 1", "expected total_cents 12300, found 12301"),
        ("guest_name = left(guest_name, 10)", "of Łódź', found 'José Núñez'"),
        ("guest_name = convert_from(convert_to(guest_name, 'UTF8'), 'LATIN1')", "JosÃ©"),
        ("guest_name = NULL", "found None"),
        ("listing_id = 8", "expected listing_id 7, found 8"),
        ("check_in = check_in + 1", "expected check_in '2030-01-02', found '2030-01-03'"),
        ("check_out = check_out - 1", "expected check_out '2030-01-05', found '2030-01-04'"),
    ],
)
def test_an_altered_field_is_a_lost_create(book: Book, defect: str, named: str) -> None:
    reference = book.create()
    book.create()
    book.sql(f"UPDATE reservations SET {defect} WHERE reference = %s", reference)
    found = book.read()
    assert (found.acknowledged, found.lost) == (2, 1)
    assert found.examples[0].startswith(f"create {reference} ")
    assert named in found.examples[0]


def test_a_reverted_update_is_lost_but_its_create_is_not(book: Book) -> None:
    reference = book.create()
    book.update(reference, total_cents=500)
    update = book.update(reference, total_cents=600)
    book.sql("UPDATE reservations SET total_cents = 500 WHERE reference = %s", reference)
    found = book.read()
    assert (found.acknowledged, found.lost) == (3, 1)
    assert found.examples == (
        f"update {update} of reservation {reference}: expected total_cents 600, found 500",
    )


def test_a_reverted_status_is_found_next_to_a_kept_amount(book: Book) -> None:
    reference = book.create()
    cancelled = book.update(reference, status="cancelled")
    book.update(reference, total_cents=600)
    book.sql("UPDATE reservations SET status = 'confirmed' WHERE reference = %s", reference)
    found = book.read()
    assert found.lost == 1
    assert cancelled in found.examples[0]


@pytest.mark.parametrize("status", [0, 500, 502, 504, -1])
@pytest.mark.parametrize("done", [True, False])
def test_an_indeterminate_create_is_never_lost(book: Book, status: int, done: bool) -> None:
    book.create(status, done=done)
    assert book.read() == LedgerRead(acknowledged=0, preserved=0, lost=0, indeterminate=1)


@pytest.mark.parametrize("status", [0, 500, 502, 504, -1])
@pytest.mark.parametrize("done", [True, False])
def test_either_value_is_good_after_an_indeterminate_update(
    book: Book, status: int, done: bool
) -> None:
    reference = book.create()
    book.update(reference, total_cents=500)
    book.update(reference, status, done=done, total_cents=600)
    assert book.read() == LedgerRead(acknowledged=2, preserved=2, lost=0, indeterminate=1)


def test_an_indeterminate_update_excuses_no_third_value(book: Book) -> None:
    reference = book.create()
    book.update(reference, 0, total_cents=600)
    book.sql("UPDATE reservations SET total_cents = 601 WHERE reference = %s", reference)
    assert book.read().examples[0].endswith("total_cents 12300 or total_cents 600, found 601")


def test_an_earlier_indeterminate_update_does_not_excuse_a_lost_later_one(book: Book) -> None:
    reference = book.create()
    book.update(reference, 0, total_cents=500)
    book.update(reference, total_cents=600)
    book.sql("UPDATE reservations SET total_cents = 500 WHERE reference = %s", reference)
    assert book.read().lost == 1


@pytest.mark.parametrize("status", [400, 404, 409, 422, 503])
def test_a_refused_write_is_neither_awaited_nor_lost(book: Book, status: int) -> None:
    book.create(status, done=False)
    reference = book.create()
    book.update(reference, status, done=False, total_cents=1)
    assert book.read() == LedgerRead(acknowledged=1, preserved=1, lost=0, indeterminate=0)


def test_a_refused_update_that_was_done_takes_the_acknowledged_value_away(book: Book) -> None:
    reference = book.create()
    book.update(reference, 422, done=True, total_cents=1)
    assert book.read().lost == 1


def test_an_update_acknowledged_after_a_create_in_doubt_needs_the_reservation(book: Book) -> None:
    reference = book.create(0)
    book.update(reference, total_cents=1)
    assert book.read().lost == 0
    book.sql("DELETE FROM reservations WHERE reference = %s", reference)
    assert book.read().lost == 1


def test_at_most_ten_examples_are_named_and_all_are_counted(book: Book) -> None:
    for _ in range(25):
        book.create(done=False)
    found = book.read()
    assert (found.lost, len(found.examples)) == (25, 10)


def test_more_reservations_than_one_query_asks_for_are_all_read(book: Book) -> None:
    with book.database.connection.transaction():
        references = [book.create() for _ in range(2_100)]
    book.sql("DELETE FROM reservations WHERE reference = %s", references[-1])
    found = book.read()
    assert (found.acknowledged, found.lost) == (2_100, 1)


def test_torn_last_lines_are_left_out(book: Book) -> None:
    book.create()
    for name in ("writes-0.csv", "observations-0.csv"):
        with (book.directory / name).open("a") as file:
            file.write("r-9,crea")
    assert book.read().acknowledged == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [("writes-0.csv", "r-9,create"), ("writes-0.csv", "r-9,create,r-9,[]"),
     ("writes-0.csv", 'r-9,create,r-9,{"a":'), ("observations-0.csv", "1,2,3,r-9")],
)  # fmt: skip
def test_a_damaged_record_is_no_verdict(book: Book, name: str, line: str) -> None:
    book.create()
    with (book.directory / name).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(StageError, match=f"line 2 of {name}"):
        book.read()


def test_an_acknowledged_write_that_nobody_announced_is_no_verdict(book: Book) -> None:
    book.create()
    book.observe("r-from-elsewhere", "create", 201)
    with pytest.raises(StageError, match="r-from-elsewhere"):
        book.read()


def test_several_workers_are_read_together(book: Book) -> None:
    book.create()
    for name in ("writes", "observations"):
        (book.directory / f"{name}-0.csv").rename(book.directory / f"{name}-1.csv")
    book.create()
    assert book.read().acknowledged == 2


def test_what_was_damaged_before_the_rollback_is_not_its_loss(book: Book) -> None:
    before, after = book.create(), book.create()
    book.sql("UPDATE reservations SET guest_name = 'cut' WHERE reference = %s", before)
    damaged = damaged_by_now(book.database, TABLE, book.directory)
    assert damaged == {before}
    book.sql("DELETE FROM reservations WHERE reference = %s", after)
    found = read_back(book.database, TABLE, book.directory, damaged)
    assert (found.acknowledged, found.preserved, found.lost, found.damaged) == (2, 0, 1, 1)
    assert after in found.examples[0]


CHANNEL = "reservations.channel"


@pytest.fixture
def channels(book: Book) -> Book:
    """A book of the release that knows channels; `downgrade` takes them away."""
    book.database.connection.execute("ALTER TABLE reservations ADD channel text DEFAULT 'direct'")
    return book


def downgrade(book: Book) -> dict[str, dict[str, str]]:
    """Drop the column as the migration does; return what the runbook archives of it before."""
    rows = book.database.fetch("SELECT id::text, channel FROM reservations")
    book.database.connection.execute("ALTER TABLE reservations DROP channel")
    return {CHANNEL: dict(rows)}


def end(book: Book, declared: Declared = NOTHING) -> LedgerRead:
    found = read_back(book.database, TABLE, book.directory, (), declared)
    ends = found.preserved + found.transformed + found.dropped + found.damaged + found.lost
    assert ends == found.acknowledged
    return found


def test_what_is_declared_and_archived_is_knowingly_dropped(channels: Book) -> None:
    channels.create()
    first = channels.create(channel="phone")
    channels.update(first, channel="partner")
    channels.update(first, total_cents=5)
    assert end(channels).preserved == 4  # while the column is there it is a field as any other
    found = end(channels, Declared({CHANNEL}, downgrade(channels)))
    # Of the create nothing but its channel is gone, and that was changed since: it is preserved.
    assert (found.preserved, found.dropped, found.lost) == (3, 1, 0)
    assert found.recovery_point_s == 0.0


def test_a_drop_that_is_not_declared_is_a_loss(channels: Book) -> None:
    reference = channels.create(channel="phone")
    found = end(channels, Declared({"listings.search_rank"}, downgrade(channels)))
    assert (found.dropped, found.lost) == (0, 1)
    assert reference in found.examples[0]
    assert "channel 'phone'" in found.examples[0]
    assert list(found.why) == [
        f"{CHANNEL} was dropped, and the runbook does not say that it will be"
    ]


@pytest.mark.parametrize("defect", ["no archive", "a row is missing", "another value"])
def test_a_drop_that_is_not_archived_is_a_loss(channels: Book, defect: str) -> None:
    channels.create(channel="phone")
    kept = downgrade(channels)
    if defect == "no archive":
        kept = {}
    elif defect == "a row is missing":
        kept[CHANNEL].popitem()
    else:
        kept[CHANNEL] = dict.fromkeys(kept[CHANNEL], "direct")
    found = end(channels, Declared({CHANNEL}, kept))
    assert (found.dropped, found.lost) == (0, 1)
    assert list(found.why) == [f"{CHANNEL} was dropped, and the archive does not hold its values"]


def test_what_is_not_loaded_again_after_a_round_trip_is_a_loss(channels: Book) -> None:
    channels.create(channel="phone")
    kept = downgrade(channels)
    channels.database.connection.execute(
        "ALTER TABLE reservations ADD channel text DEFAULT 'direct'"
    )
    found = end(channels, Declared({CHANNEL}, kept))
    assert (found.dropped, found.lost) == (0, 1)
    assert "expected channel 'phone', found 'direct'" in found.examples[0]
    channels.sql("UPDATE reservations SET channel = 'phone'")
    assert end(channels, Declared({CHANNEL}, kept)).preserved == 1


def test_a_lost_field_outweighs_a_dropped_one(channels: Book) -> None:
    channels.create(channel="phone")
    kept = downgrade(channels)
    channels.sql("UPDATE reservations SET guest_name = NULL")
    assert end(channels, Declared({CHANNEL}, kept)).lost == 1


TRANSFORMED = {"reservations.guest_name": "left(guest_name, 8)"}


def test_what_became_as_declared_is_transformed_and_anything_else_is_lost(book: Book) -> None:
    first, second = book.create(), book.create()
    book.create(guest_name="Ana")
    book.sql("UPDATE reservations SET guest_name = left(guest_name, 8) WHERE reference = %s", first)
    declared = Declared(transformed=TRANSFORMED, until=book.at + 1)
    found = end(book, declared)
    assert (found.preserved, found.transformed, found.lost) == (2, 1, 0)
    assert end(book).lost == 1  # without the declaration
    book.sql(
        "UPDATE reservations SET guest_name = left(guest_name, 7) WHERE reference = %s", second
    )
    found = end(book, declared)
    assert (found.transformed, found.lost) == (1, 1)
    assert second in found.examples[0]


def test_a_write_after_the_transformation_is_not_excused_by_it(book: Book) -> None:
    until = book.at
    book.create()
    book.sql("UPDATE reservations SET guest_name = left(guest_name, 8)")
    assert end(book, Declared(transformed=TRANSFORMED, until=until)).lost == 1


def test_values_that_changed_places_are_losses_of_both(book: Book) -> None:
    first, second = book.create(total_cents=1), book.create(total_cents=2)
    book.database.connection.execute("UPDATE reservations SET total_cents = 3 - total_cents")
    found = book.read()
    assert found.lost == 2
    assert [one.split()[1] for one in found.examples] == [first, second]


def test_the_recovery_point_is_the_age_of_the_first_lost_write(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [book.create() for _ in range(3)]
    lost = [book.create(done=False) for _ in range(2)]
    monkeypatch.setattr(ledger, "now", lambda: book.at + 10.1)
    found = book.read()
    assert found.lost == len(lost)
    # A write a second, each acknowledged 0.1 s after it was sent.
    assert found.recovery_point_s == pytest.approx(11)
    assert found.survivor_age_s == pytest.approx(12)
    assert recovery(found, "the end").startswith(
        "2 of the writes acknowledged in the last 11.0 s before the end are lost"
    )
    for reference in kept:
        book.sql("DELETE FROM reservations WHERE reference = %s", reference)
    assert "none survived" in recovery(book.read(), "the end")


def test_each_write_is_counted_in_the_period_in_which_it_was_acknowledged(book: Book) -> None:
    moments = [("before Procedure 2", 0.0)]
    book.create()
    moments.append(("during Procedure 2", book.at + 0.5))
    moments.append(("after Procedure 2", book.at + 0.5))
    book.create(done=False)
    book.create()
    found = read_back(book.database, TABLE, book.directory, (), NOTHING, moments)
    assert found.periods == {
        "before Procedure 2": {"acknowledged": 1, "preserved": 1},
        "after Procedure 2": {"acknowledged": 2, "preserved": 1, "lost": 1},
    }


class Meanwhile(Postgres):
    """A database in which `work` happens right after rows were read."""

    def __init__(self, database: Postgres, work: Callable[[], object]) -> None:
        super().__init__(database.connection)
        self.work = work

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        rows = super().fetch(query, parameters)
        self.work()
        return rows


def test_a_path_is_read_while_clients_write(book: Book) -> None:
    reference = book.create()
    lost = book.create(done=False)
    # Done and acknowledged between the reading of the rows and the end.
    found = read_path(
        Meanwhile(book.database, lambda: book.update(reference, total_cents=7)),
        TABLE,
        book.directory,
        3,
    )
    assert (found.procedure, found.acknowledged, found.preserved, found.lost) == (3, 2, 1, 1)
    assert lost in found.examples[0]

    # Acknowledged before, but the rows are those of after a change that was only announced then.
    book.update(reference, 0, total_cents=8)
    assert read_path(book.database, TABLE, book.directory, 3).lost == 1


def test_what_a_rollback_lost_is_not_taken_for_damage_by_the_next_procedure(
    book: Book, tmp_path: Path
) -> None:
    runbook = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
    stage: Any = SimpleNamespace(database=book.database, subject=own()[0], stays=False, changing=())
    timeline = Timeline(tmp_path / "timeline.jsonl")
    accounts = Accounting(stage, timeline, book.directory)
    damaged, lost = book.create(), book.create()
    book.create()
    book.sql("DELETE FROM reservations WHERE reference = %s", damaged)
    for procedure in (runbook.procedure(2), runbook.procedure(4)):
        accounts.begin(replace(procedure, dropped=()))
        accounts.note_damage()
        book.database.connection.execute("DELETE FROM reservations WHERE reference = %s", (lost,))
        accounts.end()
    accounts.close()
    timeline.close()
    told = [one.what for one in read(timeline.path)]
    paths = [one for one in told if isinstance(one, PathRead)]
    (found,) = [one for one in told if isinstance(one, LedgerRead)]
    for one in (*paths, found):
        assert (one.acknowledged, one.preserved, one.damaged, one.lost) == (3, 1, 1, 1), one
    assert [one.procedure for one in paths] == [2, 4]
    # The book's clock stands long before: all was acknowledged before the first procedure.
    assert found.periods == {
        "before Procedure 2": {"acknowledged": 3, "preserved": 1, "damaged": 1, "lost": 1}
    }
