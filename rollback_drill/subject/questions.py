"""Questions whose answers a rollback must bring back, and a golden set: the answers of a healthy
day.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from rollback_drill.ground.errors import UsageError
from rollback_drill.record.decoding import decode, load
from rollback_drill.record.told import Name, Seconds, Status, UnixTime
from rollback_drill.subject.documents import Contract
from rollback_drill.subject.subject import Place


class Tells(StrEnum):
    """Of what an answer tells, and so by what it may change."""

    DATA = "data"  # what every release answers alike
    FEATURE = "feature"  # lists and the like, which the feature that is rolled back changes
    RELEASE = "release"  # of the release itself: its version, its documentation, its rules


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A request that changes nothing. `operation`: what people call it; `path`: with its query.

    `written`: what clients write meanwhile may show in the answer. `volatile`: names of fields
    that differ each time. `edge`: to be asked in any case, when there is no time for all.
    `headers`: beside the key, by name. `front`: it is asked of the front door alone, which may
    answer it by itself.
    """

    operation: Name
    path: Name
    method: Name = "GET"
    body: str = ""
    keyed: bool = True
    tells: Tells = Tells.DATA
    written: bool = False
    volatile: tuple[str, ...] = ()
    edge: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    front: bool = False

    def __str__(self) -> str:
        told = "".join(f" with {name}: {value}" for name, value in self.headers)
        return f"{self.method} {self.path}{told}" + ("" if self.keyed else " without the key")


@dataclass(frozen=True, slots=True)
class GoldenAnswer:
    """What a question was answered. `headers`: those that matter, in lower case."""

    status: Status
    headers: dict[str, str]
    body: str
    took_s: Seconds


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """Answers of `release` to questions, in their order; `source`: where they come from, in words.

    `volatile`: by the place of a question, the fields that differed each time it was asked.
    `unsteady`: questions that were answered in two ways; the answer is the one that came most.
    `contract`: how the service kept to its document then.
    """

    release: Name
    source: str
    recorded_at: UnixTime
    questions: tuple[GoldenQuestion, ...]
    answers: tuple[GoldenAnswer, ...]
    volatile: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unsteady: tuple[str, ...] = ()
    contract: Contract | None = None

    def volatile_of(self, place: int) -> tuple[str, ...]:
        """Return the fields of an answer that differ each time."""
        return self.volatile.get(str(place), ()) + self.questions[place].volatile

    def usual_s(self) -> dict[str, float]:
        """Return by operation how long its slower answers took (of ten, the ninth)."""
        took: dict[str, list[float]] = {}
        for question, answer in zip(self.questions, self.answers, strict=True):
            took.setdefault(question.operation, []).append(answer.took_s)
        return {
            name: statistics.quantiles(times, n=10)[-1] if times[1:] else times[0]
            for name, times in took.items()
        }

    @property
    def digest(self) -> str:
        """What names it: it changes with every question and every answer, and with nothing else."""
        told = [
            (asdict(question), answer.status, sorted(answer.headers.items()), answer.body)
            for question, answer in zip(self.questions, self.answers, strict=True)
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """Return it as it is kept in a file."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"


@runtime_checkable
class Asks(Protocol):
    """A subject that knows what to ask. `asks`: what names its way of asking, for what is kept."""

    asks: str

    def questions(self, place: Place, seed: int) -> tuple[GoldenQuestion, ...]:
        """Return the questions of a golden set, edges first, the others as `seed` draws them.

        The service is looked at where that must be known. Raises StageError, NoAnswer.
        """
        ...


@runtime_checkable
class KnowsRows(Protocol):
    """A subject that can say from the database's rows alone what questions must be answered."""

    def newest(self, place: Place) -> tuple[GoldenQuestion, ...]:
        """Return questions about what was written last. Raises StageError."""
        ...

    def by_rows(
        self, place: Place, questions: Iterable[GoldenQuestion]
    ) -> Mapping[GoldenQuestion, tuple[int, object]]:
        """Return the status and the value of the JSON body, `...` where any will do, that each of
        those of the `questions` must be answered with of which rows can tell. Raises StageError.
        """
        ...


def golden_of(text: str) -> GoldenSet:
    """Return what `to_json` wrote. Raises ValueError."""
    found = decode(GoldenSet, load(text))
    if not found.questions or len(found.questions) != len(found.answers):
        raise ValueError(f"{len(found.questions)} questions, {len(found.answers)} answers")
    return found


def read_golden(path: Path) -> GoldenSet:
    """Read a golden set from its file. Raises UsageError."""
    try:
        return golden_of(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"GOLDEN: a golden set at {path}",
            getattr(error, "strerror", "") or str(error),
            "record one while the stable release serves: make golden STAGE=FILE.toml TO=FILE",
        ) from error
