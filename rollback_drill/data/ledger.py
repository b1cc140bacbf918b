"""The ledger: what became of every write that clients sent, read back from the database.

A write is one create or one update of a reservation. It is

- acknowledged, when its client got a 2xx: the service promised to keep it;
- refused, when its client got a 4xx, or a 503 from a load balancer with nobody behind it: it was
  surely not done;
- indeterminate, when its client cannot know: time-out, lost connection, any other 5xx, or no
  observation at all because the generator was killed. Done or not done, it is never lost.

An acknowledged create is preserved when its reservation is there with the content that was sent,
as far as no later write changed it. An acknowledged update is preserved when the reservation is
there and each field that it set last holds its value. A value from an indeterminate write that may
have been done later is as good. Everything else that was acknowledged is one of these, the first
that fits, so that all of them together are the acknowledged ones, counted in writes:

- damaged: gone or changed already before a rollback touched anything. The failing release lost it.
- lost: gone or changed without the runbook saying so, or said to be kept and not in the archive.
- transformed: a field became exactly what the runbook declares ("Transformed: …").
- dropped: a field's column was "Dropped on purpose", and the archive holds the value to be loaded.
"""

from __future__ import annotations

import json
import math
from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any

from rollback_drill.data.told import LedgerRead, PathRead
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.lines import read_lines
from rollback_drill.record.decoding import load, told
from rollback_drill.subject.subject import Queries
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.recordings import OBSERVATIONS, WRITES

Value = str | int | None
Folders = Path | Sequence[Path]
"""Where clients recorded: one folder, or those of a drill and of the one that continues it."""

_CHUNK = 1_000  # reservations a query
_EXAMPLES = 10
_ADVICE = "the file is damaged; the disk may be full"
TABLE = "reservations"
# As JSON, since which columns there are depends on the migrations.
_QUERY = f"SELECT reference, to_jsonb(t) FROM {TABLE} AS t WHERE reference = ANY(%s)"  # noqa: S608 - constants only


class Fate(Enum):
    """What a client knows about one of its writes."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True, slots=True)
class Write:
    """One write. `subject`: the reference of its reservation; `fields`: the JSON that was sent;
    `sent` and `done` in Unix seconds (0 and inf when nobody saw it end).
    """

    reference: str
    kind: str
    subject: str
    fields: str
    fate: Fate
    sent: float
    done: float

    def values(self) -> dict[str, Value]:
        """Return the fields that this write sets."""
        sent: dict[str, Value] = json.loads(self.fields)
        sent.pop("reference", None)
        return sent


class Became(Enum):
    """What became of an acknowledged write that is not as it was sent, the worst last."""

    DROPPED = "dropped"
    TRANSFORMED = "transformed"
    LOST = "lost"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Loss:
    """An acknowledged write that is not in the database as it was sent. `why`: the reason, short
    enough to be counted. `field`: which one holds `value` instead of one that is `allowed`.
    """

    write: Write
    expected: str
    found: str
    became: Became = Became.LOST
    why: str = "changed"
    field: str = ""
    allowed: tuple[Value, ...] = ()
    value: Value = None

    def __str__(self) -> str:
        return (
            f"{self.write.kind} {self.write.reference} of reservation {self.write.subject}:"
            f" expected {self.expected}, found {self.found}"
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """What the runbook says that its procedures do to data, as far as they were performed.

    `dropped`: columns ("reservations.channel"); `archived`: by column the kept values by their
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
    reservations = read_writes(directory)
    gone = _worst(_losses(database, reservations, declared), damaged)
    counted = count_fates(reservations, gone, now())
    return LedgerRead(**counted, periods=_periods(reservations, gone, moments))


def read_path(
    database: Queries,
    directory: Folders,
    procedure: int,
    damaged: Collection[str] = (),
    declared: Declared = NOTHING,
) -> PathRead:
    """Compare every write acknowledged until now with `database`; clients may go on meanwhile.

    Raises StageError as `read_back` does.
    """
    reservations, losses = _now(database, directory, declared)
    return PathRead(
        **count_fates(reservations, _worst(losses, damaged), now()), procedure=procedure
    )


def damaged_by_now(database: Queries, directory: Folders) -> frozenset[str]:
    """Return the references of acknowledged writes that are damaged or gone now.

    Asked before a rollback touches anything, these are the failing release's doing. A write that
    is under way is not among them.
    """
    _, losses = _now(database, directory, NOTHING)
    return frozenset(loss.write.reference for loss in losses)


def _now(
    database: Queries, directory: Folders, declared: Declared
) -> tuple[dict[str, list[Write]], list[Loss]]:
    """Return the writes that are known now, and losses among them, while clients may go on."""
    before = read_writes(directory)
    rows: dict[str, dict[str, Value]] = {}
    for chunk in _chunks(before):
        rows |= rows_of(database, chunk)
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
    found = (loss for s, writes in after.items() for loss in _judge(writes, rows.get(s), declared))
    return after, _settle(database, declared, found)


def _losses(
    database: Queries, reservations: Mapping[str, Sequence[Write]], declared: Declared
) -> Iterator[Loss]:
    for chunk in _chunks(reservations):
        rows = rows_of(database, chunk)
        found = (loss for s in chunk for loss in _judge(reservations[s], rows.get(s), declared))
        yield from _settle(database, declared, found)


def _chunks(subjects: Iterable[str]) -> Iterator[list[str]]:
    left = iter(subjects)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def judge(
    writes: Sequence[Write], row: Mapping[str, Value] | None, declared: Declared = NOTHING
) -> list[Loss]:
    """Return the acknowledged ones of the `writes` to one reservation that `row` does not hold.

    Whether a changed value is a declared transformation is not known here: it counts as lost.
    """
    return list(_worst(_judge(writes, row, declared)).values())


def _judge(
    writes: Sequence[Write], row: Mapping[str, Value] | None, declared: Declared
) -> Iterator[Loss]:
    """Yield a loss for each field that `row` does not hold."""
    acknowledged = sorted(
        (write for write in writes if write.fate is Fate.ACKNOWLEDGED), key=lambda w: w.sent
    )
    if row is None:
        yield from (Loss(write, "a reservation", "none", why="gone") for write in acknowledged)
        return
    last: dict[str, Write] = {}
    for write in acknowledged:
        last |= dict.fromkeys(write.values(), write)
    for name, write in last.items():
        allowed = (write.values()[name], *_rivals(name, write, writes))
        wanted = " or ".join(f"{name} {value!r}" for value in allowed)
        if name not in row:
            yield _without(write, wanted, name, allowed, row, declared)
        elif row[name] not in allowed:
            found = repr(row[name])
            yield Loss(write, wanted, found, field=name, allowed=allowed, value=row[name])


def _without(
    write: Write, wanted: str, name: str, allowed: Collection[Value], row: Mapping[str, Value],
    declared: Declared,
) -> Loss:  # fmt: skip
    """Judge a write one of whose columns is not there any more."""
    column = f"{TABLE}.{name}"
    if column not in declared.dropped:
        why = f"{column} was dropped, and the runbook does not say that it will be"
        return Loss(write, wanted, "no such column", why=why)
    kept = declared.archived.get(column, {}).get(str(row["id"]))
    if kept not in [str(value) for value in allowed]:
        why = f"{column} was dropped, and the archive does not hold its values"
        found = "nothing" if kept is None else repr(kept)
        return Loss(write, wanted, f"{found} in the archive", why=why)
    return Loss(write, wanted, "it in the archive", Became.DROPPED, "archived")


def _settle(database: Queries, declared: Declared, losses: Iterable[Loss]) -> list[Loss]:
    """Return `losses` with those told apart that are declared transformations."""
    settled: list[Loss] = []
    asked: list[Loss] = []
    for loss in losses:
        known = f"{TABLE}.{loss.field}" in declared.transformed
        (asked if known and loss.write.done <= declared.until else settled).append(loss)
    for name in sorted({loss.field for loss in asked}):
        some = [(loss, value) for loss in asked if loss.field == name for value in loss.allowed]
        expression = declared.transformed[f"{TABLE}.{name}"].replace("%", "%%")
        rows = database.fetch(
            f"SELECT to_jsonb({expression}) "  # noqa: S608 - the runbook's own, as its commands
            f"FROM jsonb_populate_recordset(NULL::{TABLE}, %s::jsonb)",
            (json.dumps([{name: value} for _, value in some]),),
        )
        hits = {
            id(loss) for (loss, _), (became,) in zip(some, rows, strict=True)
            if became == loss.value
        }  # fmt: skip
        settled += [
            replace(loss, became=Became.TRANSFORMED) if id(loss) in hits else loss
            for loss in asked if loss.field == name
        ]  # fmt: skip
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
    reservations: Mapping[str, Sequence[Write]], gone: Mapping[str, Loss], at: float
) -> dict[str, Any]:
    """Return the fields of `events.Fates`; ages are before `at` (Unix seconds)."""
    every = [write for writes in reservations.values() for write in writes]
    acknowledged = [write for write in every if write.fate is Fate.ACKNOWLEDGED]
    became = Counter(loss.became for loss in gone.values())
    lost = [loss for loss in gone.values() if loss.became is Became.LOST]
    kept = [
        write.done for write in acknowledged
        if write.reference not in gone or gone[write.reference].became in _SURVIVED
    ]  # fmt: skip
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
    reservations: Mapping[str, Sequence[Write]],
    gone: Mapping[str, Loss],
    moments: Sequence[tuple[str, float]],
) -> dict[str, dict[str, int]]:
    """Count by fate the writes that were acknowledged in each period; empty ones are left out."""
    found: dict[str, Counter[str]] = {name: Counter() for name, _ in moments}
    begins = [began for _, began in moments]
    for write in (write for writes in reservations.values() for write in writes):
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


def fate_of(seen: Observation) -> Fate:
    """Return what a write's client knows after its observation."""
    if 200 <= seen.status < 300:
        return Fate.ACKNOWLEDGED
    if 400 <= seen.status < 500 or seen.status == 503 or seen.outcome is Outcome.DROPPED:
        return Fate.REFUSED
    return Fate.INDETERMINATE


def read_writes(directory: Folders) -> dict[str, list[Write]]:
    """Return all recorded writes by reservation, each with what became of it.

    Raises StageError for records that are damaged or do not fit together.
    """
    fates = {
        seen.reference: (fate_of(seen), seen.sent, seen.done)
        for seen in _observed_writes(directory)
    }
    reservations: dict[str, list[Write]] = {}
    for path, number, line in _lines(directory, WRITES):
        reference, kind, subject, fields = _split(path, number, line)
        # A write without an observation was announced; whether it was ever sent is not known.
        fate, sent, done = fates.pop(reference, (Fate.INDETERMINATE, 0.0, math.inf))
        if kind == "create":
            subject = reference  # the same text once, not twice
        write = Write(reference, kind, subject, fields, fate, sent, done)
        reservations.setdefault(subject, []).append(write)
    if fates:
        raise StageError(
            "every write announced before it was sent",
            f"{len(fates)} that were not, for example {next(iter(fates))}",
            f"files of several runs may be mixed in {directory}",
        )
    return reservations


def _observed_writes(directory: Folders) -> Iterator[Observation]:
    for path, number, line in _lines(directory, OBSERVATIONS):
        if line.endswith(","):
            continue  # no reference: not a write
        try:
            yield Observation.from_line(line)
        except ValueError as error:
            raise _damaged(path, number, line) from error


def _split(path: Path, number: int, line: str) -> tuple[str, str, str, str]:
    try:
        reference, kind, subject, fields = line.split(",", 3)
        if not isinstance(load(fields), dict):
            raise ValueError(fields)
    except ValueError as error:
        raise _damaged(path, number, line) from error
    return reference, kind, subject, fields


def _damaged(path: Path, number: int, line: str) -> StageError:
    return StageError(f"a record in line {number} of {path.name}", told(line), _ADVICE)


def _lines(directory: Folders, kind: str) -> Iterator[tuple[Path, int, str]]:
    """Yield (file, line number, line) of all workers; a torn last line is left out."""
    folders = [directory] if isinstance(directory, Path) else directory
    for path in (path for one in folders for path in sorted(one.glob(f"{kind}-*.csv"))):
        try:
            for number, line in read_lines(path, f"{kind} in {path}", _ADVICE, whole_only=True):
                yield path, number, line
        except UsageError as error:
            raise StageError(error.expected, error.found, error.advice) from error


def written_lines(lines: Iterable[str]) -> Iterator[Write]:
    """Yield the writes that lines of a generator announce; what became of them is not known."""
    for line in lines:
        reference, kind, subject, fields = line.split(",", 3)
        yield Write(reference, kind, subject, fields, Fate.ACKNOWLEDGED, 0.0, math.inf)


def rows_of(database: Queries, references: list[str]) -> dict[str, dict[str, Value]]:
    """Return the reservations with these references as the database has them, by reference.

    Texts and dates are text; columns that do not exist are not there.
    """
    return dict(database.fetch(_QUERY, (references,)))
