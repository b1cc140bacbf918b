"""The ledger: what became of every write that clients sent, read back from the database.

A write creates or updates one row; what its client knows of it says `data.writes`.

An acknowledged create is preserved when its row is there with the content that was sent, as far as
no later write changed it. An acknowledged update is preserved when the row is there and each field
that it set last holds its value. A value from an indeterminate write that may have been done later
is as good. Everything else that was acknowledged is one of these, the first that fits, so that all
of them together are the acknowledged ones, counted in writes:

- damaged: gone or changed already before a rollback touched anything. The failing release lost it.
- lost: gone or changed without the runbook saying so, or said to be kept and not in the archive.
- transformed: a field became exactly what the runbook declares ("Transformed: …").
- dropped: a field's column was "Dropped on purpose", and the archive holds the value to be loaded.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from typing import Any

from rollback_drill.data.told import LedgerRead, PathRead
from rollback_drill.data.writes import Fate, Folders, Value, Write, read_writes
from rollback_drill.ground.clock import now
from rollback_drill.subject.subject import Queries, Table

_CHUNK = 1_000  # rows a query
_EXAMPLES = 10
# As JSON, since which columns there are depends on the migrations.
_QUERY = "SELECT reference, to_jsonb(t) FROM {table} AS t WHERE reference = ANY(%s)"


class Became(Enum):
    """What became of an acknowledged write that is not as it was sent, the worst last."""

    DROPPED = "dropped"
    TRANSFORMED = "transformed"
    LOST = "lost"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Loss:
    """An acknowledged write that is not in the database as it was sent. `why`: the reason, short
    enough to be counted; `field`: which one holds `value` instead of one that is `allowed`;
    `noun`: what a row is called.
    """

    write: Write
    expected: str
    found: str
    became: Became = Became.LOST
    why: str = "changed"
    field: str = ""
    allowed: tuple[Value, ...] = ()
    value: Value = None
    noun: str = ""

    def __str__(self) -> str:
        return (
            f"{self.write.kind} {self.write.reference} of {self.noun} {self.write.subject}:"
            f" expected {self.expected}, found {self.found}"
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """What the runbook says that its procedures do to data, as far as they were performed.

    `dropped`: columns ("orders.note"); `archived`: by column the kept values by their
    rows' ids; `transformed`: SQL expressions by column, true of writes done before `until`.
    """

    dropped: Collection[str] = ()
    archived: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    transformed: Mapping[str, str] = field(default_factory=dict)
    until: float = 0.0


NOTHING = Declared()
_RANK = {one: rank for rank, one in enumerate(Became)}
_SURVIVED = (Became.DROPPED, Became.TRANSFORMED)


def read_back(
    database: Queries,
    table: Table,
    directory: Folders,
    damaged: Collection[str] = (),
    declared: Declared = NOTHING,
    moments: Sequence[tuple[str, float]] = (),
) -> LedgerRead:
    """Compare every write recorded in `directory` with `database`.

    To be called once traffic has stopped. References in `damaged` (see `damaged_by_now`) were gone
    before and count apart. `moments`: names of periods and when each began, in order. Raises
    StageError when the database cannot be asked or the records do not fit together.
    """
    everything = read_writes(directory)
    gone = _worst(_losses(database, table, everything, declared), damaged)
    counted = count_fates(everything, gone, now())
    return LedgerRead(**counted, periods=_periods(everything, gone, moments))


def read_path(
    database: Queries,
    table: Table,
    directory: Folders,
    procedure: int,
    damaged: Collection[str] = (),
    declared: Declared = NOTHING,
) -> PathRead:
    """Compare every write acknowledged until now with `database`; clients may go on meanwhile.

    Raises StageError as `read_back` does.
    """
    everything, losses = _now(database, table, directory, declared)
    return PathRead(**count_fates(everything, _worst(losses, damaged), now()), procedure=procedure)


def damaged_by_now(database: Queries, table: Table, directory: Folders) -> frozenset[str]:
    """Return the references of acknowledged writes that are damaged or gone now.

    Asked before a rollback touches anything, these are the failing release's doing. A write that
    is under way is not among them.
    """
    _, losses = _now(database, table, directory, NOTHING)
    return frozenset(loss.write.reference for loss in losses)


def _now(
    database: Queries, table: Table, directory: Folders, declared: Declared
) -> tuple[dict[str, list[Write]], list[Loss]]:
    """Return the writes that are known now, and losses among them, while clients may go on."""
    before = read_writes(directory)
    rows: dict[str, dict[str, Value]] = {}
    for chunk in _chunks(before):
        rows |= rows_of(database, table, chunk)
    # What was done before the rows were read has been announced by now. It may excuse a value;
    # whether it was done in time, if it was acknowledged only meanwhile, nobody knows.
    known = {
        write.reference
        for writes in before.values()
        for write in writes
        if write.fate is Fate.ACKNOWLEDGED
    }
    after = {
        subject: [
            replace(write, fate=Fate.INDETERMINATE)
            if write.fate is Fate.ACKNOWLEDGED and write.reference not in known
            else write
            for write in writes
        ]
        for subject, writes in read_writes(directory).items()
        if subject in before
    }
    found = (
        loss for s, writes in after.items() for loss in _judge(table, writes, rows.get(s), declared)
    )
    return after, _settle(database, table, declared, found)


def _losses(
    database: Queries,
    table: Table,
    everything: Mapping[str, Sequence[Write]],
    declared: Declared,
) -> Iterator[Loss]:
    for chunk in _chunks(everything):
        rows = rows_of(database, table, chunk)
        found = (
            loss for s in chunk for loss in _judge(table, everything[s], rows.get(s), declared)
        )
        yield from _settle(database, table, declared, found)


def _chunks(subjects: Iterable[str]) -> Iterator[list[str]]:
    left = iter(subjects)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def losses(
    table: Table,
    writes: Sequence[Write],
    row: Mapping[str, Value] | None,
    declared: Declared = NOTHING,
) -> list[Loss]:
    """Return the acknowledged ones of the `writes` to one row that `row` does not hold.

    Whether a changed value is a declared transformation is not known here: it counts as lost.
    """
    return list(_worst(_judge(table, writes, row, declared)).values())


def _judge(
    table: Table, writes: Sequence[Write], row: Mapping[str, Value] | None, declared: Declared
) -> Iterator[Loss]:
    """Yield a loss for each field that `row` does not hold."""
    acknowledged = sorted(
        (write for write in writes if write.fate is Fate.ACKNOWLEDGED), key=lambda w: w.sent
    )
    if row is None:
        wanted = f"a {table.noun}"
        for write in acknowledged:
            yield Loss(write, wanted, "none", why="gone", noun=table.noun)
        return
    last: dict[str, Write] = {}
    for write in acknowledged:
        last |= dict.fromkeys(write.values(), write)
    for name, write in last.items():
        sent = write.values()[name]
        if name in row and row[name] == sent:
            continue  # as most are: what else would do needs no look
        allowed = (sent, *_rivals(name, write, writes))
        wanted = " or ".join(f"{name} {value!r}" for value in allowed)
        if name not in row:
            loss = _without(table, write, wanted, name, allowed, row, declared)
            yield replace(loss, noun=table.noun)
        elif row[name] not in allowed:
            found = repr(row[name])
            yield Loss(
                write,
                wanted,
                found,
                field=name,
                allowed=allowed,
                value=row[name],
                noun=table.noun,
            )


def _without(
    table: Table,
    write: Write,
    wanted: str,
    name: str,
    allowed: Collection[Value],
    row: Mapping[str, Value],
    declared: Declared,
) -> Loss:
    """Judge a write one of whose columns is not there any more."""
    column = f"{table.name}.{name}"
    if column not in declared.dropped:
        why = f"{column} was dropped, and the runbook does not say that it will be"
        return Loss(write, wanted, "no such column", why=why)
    kept = declared.archived.get(column, {}).get(str(row["id"]))
    if kept not in [str(value) for value in allowed]:
        why = f"{column} was dropped, and the archive does not hold its values"
        found = "nothing" if kept is None else repr(kept)
        return Loss(write, wanted, f"{found} in the archive", why=why)
    return Loss(write, wanted, "it in the archive", Became.DROPPED, "archived")


def _settle(
    database: Queries, table: Table, declared: Declared, losses: Iterable[Loss]
) -> list[Loss]:
    """Return `losses` with those told apart that are declared transformations."""
    settled: list[Loss] = []
    asked: list[Loss] = []
    for loss in losses:
        known = f"{table.name}.{loss.field}" in declared.transformed
        (asked if known and loss.write.done <= declared.until else settled).append(loss)
    for name in sorted({loss.field for loss in asked}):
        some = [(loss, value) for loss in asked if loss.field == name for value in loss.allowed]
        expression = declared.transformed[f"{table.name}.{name}"].replace("%", "%%")
        rows = database.fetch(
            f"SELECT to_jsonb({expression}) "  # noqa: S608 - the runbook's own, as its commands
            f"FROM jsonb_populate_recordset(NULL::{table.name}, %s::jsonb)",
            (json.dumps([{name: value} for _, value in some]),),
        )
        hits = {
            id(loss)
            for (loss, _), (became,) in zip(some, rows, strict=True)
            if became == loss.value
        }
        settled += [
            replace(loss, became=Became.TRANSFORMED) if id(loss) in hits else loss
            for loss in asked
            if loss.field == name
        ]
    return settled


def _worst(losses: Iterable[Loss], damaged: Collection[str] = ()) -> dict[str, Loss]:
    """Return the worst loss of each write, by its reference."""
    found: dict[str, Loss] = {}
    for loss in losses:
        reference = loss.write.reference
        if reference in damaged:
            loss = replace(loss, became=Became.DAMAGED)
        if reference not in found or _RANK[loss.became] > _RANK[found[reference].became]:
            found[reference] = loss
    return found


def count_fates(
    everything: Mapping[str, Sequence[Write]], gone: Mapping[str, Loss], at: float
) -> dict[str, Any]:
    """Return the fields of `events.Fates`; ages are before `at` (Unix seconds)."""
    every = [write for writes in everything.values() for write in writes]
    acknowledged = [write for write in every if write.fate is Fate.ACKNOWLEDGED]
    became = Counter(loss.became for loss in gone.values())
    lost = [loss for loss in gone.values() if loss.became is Became.LOST]
    kept = [
        write.done
        for write in acknowledged
        if write.reference not in gone or gone[write.reference].became in _SURVIVED
    ]
    return {
        "acknowledged": len(acknowledged),
        "preserved": len(acknowledged) - len(gone),
        "lost": len(lost),
        "indeterminate": sum(write.fate is Fate.INDETERMINATE for write in every),
        "examples": tuple(map(str, lost[:_EXAMPLES])),
        "damaged": became[Became.DAMAGED],
        "transformed": became[Became.TRANSFORMED],
        "dropped": became[Became.DROPPED],
        "why": dict(Counter(loss.why for loss in lost)),
        "recovery_point_s": round(max((at - loss.write.done for loss in lost), default=0.0), 3),
        "survivor_age_s": round(max(0.0, at - max(kept)), 3) if kept else None,
    }


def _periods(
    everything: Mapping[str, Sequence[Write]],
    gone: Mapping[str, Loss],
    moments: Sequence[tuple[str, float]],
) -> dict[str, dict[str, int]]:
    """Count by fate the writes that were acknowledged in each period; empty ones are left out."""
    found: dict[str, Counter[str]] = {name: Counter() for name, _ in moments}
    begins = [began for _, began in moments]
    for write in (write for writes in everything.values() for write in writes):
        place = bisect(begins, write.done) - 1
        if write.fate is Fate.ACKNOWLEDGED and place >= 0:
            loss = gone.get(write.reference)
            counts = found[moments[place][0]]
            counts["acknowledged"] += 1
            counts[loss.became.value if loss else "preserved"] += 1
    return {name: dict(counts) for name, counts in found.items() if counts}


def _rivals(name: str, last: Write, writes: Sequence[Write]) -> Iterator[Value]:
    """Yield values of `name` from writes that may have been done after `last`."""
    for write in writes:
        if write is last or write.fate is Fate.REFUSED or write.done <= last.sent:
            continue
        values = write.values()
        if name in values:
            yield values[name]


def rows_of(database: Queries, table: Table, references: list[str]) -> dict[str, dict[str, Value]]:
    """Return the rows with these references as the database has them, by reference.

    Texts and dates are text; columns that do not exist are not there.
    """
    return dict(database.fetch(_QUERY.format(table=table.name), (references,)))
