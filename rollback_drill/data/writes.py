"""What clients wrote, as their generators recorded it, and what each client knows of it.

A write is

- acknowledged, when its client got a 2xx: the service promised to keep it;
- refused, when its client got a 4xx, or a 503 from a load balancer with nobody behind it: it was
  surely not done;
- indeterminate, when its client cannot know: time-out, lost connection, any other 5xx, or no
  observation at all because the generator was killed. Done or not done, it is never lost.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.lines import read_lines
from rollback_drill.record.decoding import load, told
from rollback_drill.traffic.observation import Observation, Outcome, surely_not_done
from rollback_drill.traffic.recordings import OBSERVATIONS, WRITES

Value = str | int | None
Folders = Path | Sequence[Path]
"""Where clients recorded: one folder, or those of a drill and of the one that continues it."""

_ADVICE = "the file is damaged; the disk may be full"


class Fate(Enum):
    """What a client knows about one of its writes."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True, slots=True)
class Write:
    """One write. `subject`: the reference of the row
    that it makes or changes; `fields`: the JSON that was sent;
    `sent` and `done` in Unix seconds (0 and inf when nobody saw it end).
    """

    reference: str
    kind: str
    subject: str
    fields: str
    fate: Fate
    sent: float
    done: float

    @property
    def creates(self) -> bool:
        """Whether it makes the row, so that it has its reference."""
        return self.subject == self.reference

    def values(self) -> Mapping[str, Value]:
        """Return the fields that this write sets."""
        return _values(self.fields)


@functools.lru_cache(maxsize=1_024)  # of the newest, which a sentinel looks at twice a second
def _values(fields: str) -> Mapping[str, Value]:
    sent: dict[str, Value] = json.loads(fields)
    sent.pop("reference", None)
    return MappingProxyType(sent)


def fate_of(seen: Observation) -> Fate:
    """Return what a write's client knows after its observation."""
    if 200 <= seen.status < 300:
        return Fate.ACKNOWLEDGED
    if surely_not_done(seen.status) or seen.outcome is Outcome.DROPPED:
        return Fate.REFUSED
    return Fate.INDETERMINATE


def read_writes(directory: Folders) -> dict[str, list[Write]]:
    """Return all recorded writes by what they write, each with what became of it.

    Raises StageError for records that are damaged or do not fit together.
    """
    fates = {
        seen.reference: (fate_of(seen), seen.sent, seen.done)
        for seen in _observed_writes(directory)
    }
    found: dict[str, list[Write]] = {}
    for path, number, line in _lines(directory, WRITES):
        reference, kind, subject, fields = _split(path, number, line)
        # A write without an observation was announced; whether it was ever sent is not known.
        fate, sent, done = fates.pop(reference, (Fate.INDETERMINATE, 0.0, math.inf))
        if kind == "create":
            subject = reference  # the same text once, not twice
        write = Write(reference, kind, subject, fields, fate, sent, done)
        found.setdefault(subject, []).append(write)
    if fates:
        raise StageError(
            "every write announced before it was sent",
            f"{len(fates)} that were not, for example {next(iter(fates))}",
            f"files of several runs may be mixed in {directory}",
        )
    return found


def announced(directory: Folders) -> Iterator[str]:
    """Yield the reference of every recorded write. Raises StageError for damaged records."""
    for path, number, line in _lines(directory, WRITES):
        yield _split(path, number, line)[0]


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
