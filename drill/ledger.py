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
have been done later is as good. Everything else that was acknowledged is lost, so that
preserved + lost + damaged = acknowledged, counted in writes. Damaged are those that were gone
already before a rollback touched anything: the failing release lost them, not the rollback.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from pathlib import Path

from drill.errors import StageError
from drill.events import LedgerRead
from drill.observation import Observation, Outcome
from drill.stage import Queries
from load.recorder import OBSERVATIONS, WRITES

Value = str | int | None

_CHUNK = 1_000  # reservations a query
_EXAMPLES = 10
_FIELDS = ("listing_id", "guest_name", "check_in", "check_out", "total_cents", "status")
_QUERY = f"SELECT reference, {', '.join(_FIELDS)} FROM reservations WHERE reference = ANY(%s)"  # noqa: S608 - constants only


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


@dataclass(frozen=True, slots=True)
class Loss:
    """An acknowledged write that is not in the database any more."""

    write: Write
    expected: str
    found: str

    def __str__(self) -> str:
        return (
            f"{self.write.kind} {self.write.reference} of reservation {self.write.subject}:"
            f" expected {self.expected}, found {self.found}"
        )


def read_back(database: Queries, directory: Path, damaged: Collection[str] = ()) -> LedgerRead:
    """Compare every write recorded in `directory` with `database`.

    To be called once traffic has stopped. References in `damaged` (see `damaged_by_now`) were gone
    before and count apart. Raises StageError when the database cannot be asked or
    the records do not fit together.
    """
    reservations = read_writes(directory)
    counts = dict.fromkeys(Fate, 0)
    for writes in reservations.values():
        for write in writes:
            counts[write.fate] += 1
    gone = list(_losses(database, reservations))
    lost = [loss for loss in gone if loss.write.reference not in damaged]
    acknowledged = counts[Fate.ACKNOWLEDGED]
    return LedgerRead(
        acknowledged=acknowledged,
        preserved=acknowledged - len(gone),
        lost=len(lost),
        indeterminate=counts[Fate.INDETERMINATE],
        examples=tuple(map(str, lost[:_EXAMPLES])),
        damaged=len(gone) - len(lost),
    )


def damaged_by_now(database: Queries, directory: Path) -> frozenset[str]:
    """Return the references of acknowledged writes that are damaged or gone now.

    Asked before a rollback touches anything, these are the failing release's doing. A write that
    is under way is not among them.
    """
    return frozenset(loss.write.reference for loss in _losses(database, read_writes(directory)))


def _losses(database: Queries, reservations: Mapping[str, Sequence[Write]]) -> Iterator[Loss]:
    subjects = iter(reservations)
    while chunk := list(islice(subjects, _CHUNK)):
        rows = rows_of(database, chunk)
        for subject in chunk:
            yield from judge(reservations[subject], rows.get(subject))


def judge(writes: Sequence[Write], row: Mapping[str, Value] | None) -> list[Loss]:
    """Return the acknowledged ones of the `writes` to one reservation that `row` has lost."""
    acknowledged = sorted(
        (write for write in writes if write.fate is Fate.ACKNOWLEDGED), key=lambda w: w.sent
    )
    if row is None:
        return [Loss(write, "a reservation", "none") for write in acknowledged]
    last: dict[str, Write] = {}
    for write in acknowledged:
        last |= dict.fromkeys(write.values(), write)
    losses: dict[str, Loss] = {}
    for name, write in last.items():
        allowed = [write.values()[name], *_rivals(name, write, writes)]
        if row[name] not in allowed and write.reference not in losses:
            expected = " or ".join(f"{name} {value!r}" for value in allowed)
            losses[write.reference] = Loss(write, expected, repr(row[name]))
    return list(losses.values())


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


def read_writes(directory: Path) -> dict[str, list[Write]]:
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


def _observed_writes(directory: Path) -> Iterator[Observation]:
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
        if not isinstance(json.loads(fields), dict):
            raise ValueError(fields)
    except ValueError as error:
        raise _damaged(path, number, line) from error
    return reference, kind, subject, fields


def _damaged(path: Path, number: int, line: str) -> StageError:
    return StageError(
        f"a record in line {number} of {path.name}", repr(line[:80]), "the disk may be full"
    )


def _lines(directory: Path, kind: str) -> Iterator[tuple[Path, int, str]]:
    """Yield (file, line number, line) of all workers; a torn last line is left out."""
    for path in sorted(directory.glob(f"{kind}-*.csv")):
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.endswith("\n"):
                    yield path, number, line[:-1]


def written_lines(lines: Iterable[str]) -> Iterator[Write]:
    """Yield the writes that lines of a generator announce; what became of them is not known."""
    for line in lines:
        reference, kind, subject, fields = line.split(",", 3)
        yield Write(reference, kind, subject, fields, Fate.ACKNOWLEDGED, 0.0, math.inf)


def rows_of(database: Queries, references: list[str]) -> dict[str, dict[str, Value]]:
    """Return the reservations with these references as the database has them, by reference."""
    return {
        reference: {
            name: value if value is None or isinstance(value, int) else str(value)
            for name, value in zip(_FIELDS, values, strict=True)
        }
        for reference, *values in database.fetch(_QUERY, (references,))
    }
