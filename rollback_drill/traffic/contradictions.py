"""Answers that cannot be true by what the same clients wrote, or were answered before.

A crowd holds every good answer against what its clients know; what came of it is written to
`contradictions-<worker>.csv`, in lines of JSON: one for each contradiction, as it happens, and once
a second how many answers were compared. What comes back after an outage may be another release, so
knowledge is of one time: the crowd begins anew then.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.lines import read_lines
from rollback_drill.record.decoding import told
from rollback_drill.traffic.recordings import CONTRADICTIONS

_MOST = 50  # of a rule and an operation that are written down of one time
_SHOWN = 200  # characters of a value
_ADVICE = "the file is damaged; the disk may be full"


class Invariant(StrEnum):
    """What every answer must keep to."""

    ACKNOWLEDGED = "a new row is acknowledged as it was sent"
    CHANGED = "a change changes what it names and nothing else"
    WRITTEN = "a row is shown as it was written last"
    LISTED = "lists and filters show the rows that belong there, and no others"
    AGREE = "lists and details say the same of a row, whoever answers"
    ORDER = "pages meet each row once, in order"
    ASKED = "a page is the one that was asked for, and counts its rows"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An answer that breaks a `rule`. `asked`: the request; `expected` and `seen`: in words.

    `shared`: it is about rows that others may write as well, where there are others. `since`: when
    began what is known of the service, and `sent`: when it was asked, both in Unix seconds.
    """

    rule: Invariant
    operation: str
    asked: str
    expected: str
    seen: str
    shared: bool = False
    since: float = 0.0
    sent: float = 0.0


@dataclass(frozen=True, slots=True)
class Compared:
    """How many answers were held against each rule in the time that began at `since`."""

    since: float
    counts: dict[str, int]


class Contradictions:
    """What a crowd finds in one time after the other. `compared`: answers by rule, of this time."""

    def __init__(self) -> None:
        self.since = now()
        self.compared: Counter[str] = Counter()
        self._found: list[Contradiction] = []
        self._ended: list[str] = []
        self._times: Counter[tuple[str, str]] = Counter()

    def begin_anew(self) -> None:
        """Count anew: the service may be another from now on."""
        if self.compared:
            self._ended.append(self.count())
        self.since = now()
        self.compared.clear()
        self._times.clear()

    def add(self, found: Contradiction) -> None:
        """Note a contradiction, unless there were many like it."""
        kind = found.rule, found.operation
        self._times[kind] += 1
        if self._times[kind] <= _MOST:
            self._found.append(
                replace(
                    found,
                    expected=found.expected[:_SHOWN],
                    seen=found.seen[:_SHOWN],
                    since=self.since,
                )
            )

    def take(self, sent: float) -> list[str]:
        """Return the lines to be written of what was found since, in answers to what was `sent`."""
        if not self._found and not self._ended:
            return []
        lines = [json.dumps(asdict(replace(one, sent=sent))) for one in self._found] + self._ended
        self._found, self._ended = [], []
        return lines

    def count(self) -> str:
        """Return the line to be written of how many answers were compared."""
        return json.dumps({"since": self.since, "compared": self.compared})


def read_contradictions(directory: Path) -> Iterator[Contradiction | Compared]:
    """Yield what the crowds of a finished run found; a torn last line is left out. Raises
    UsageError that names the line which is none.
    """
    for path in sorted(directory.glob(f"{CONTRADICTIONS}-*.csv")):
        for number, line in read_lines(path, f"lines of JSON in {path}", _ADVICE, whole_only=True):
            try:
                yield _of(json.loads(line))
            except (TypeError, ValueError, AttributeError, KeyError) as error:
                expected = f"a contradiction in line {number} of {path}"
                raise UsageError(expected, told(line), _ADVICE) from error


def _of(raw: dict[str, object]) -> Contradiction | Compared:
    if "compared" in raw:
        counts = raw["compared"]
        assert isinstance(counts, dict)
        return Compared(float(str(raw["since"])), {str(k): int(v) for k, v in counts.items()})
    return Contradiction(**raw | {"rule": Invariant(str(raw["rule"]))})  # type: ignore[arg-type]
