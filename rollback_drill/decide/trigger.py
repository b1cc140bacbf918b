"""Triggers: conditions of the runbook, bound by their text to code that watches for them.

To add one, put a module into `decide/triggers` with a class that `@watch(pattern)` binds. A trigger
is watched only when all that it asks for is held (see `runbook.wording`); else it is named.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, runtime_checkable

from rollback_drill.decide.detector import Detector, Question, Stream
from rollback_drill.decide.evidence import Evidence
from rollback_drill.family import Family
from rollback_drill.ground.pace import paced_s, paced_text
from rollback_drill.runbook.model import Runbook, Severity, Trigger
from rollback_drill.runbook.wording import Duration, lasting, left_over


@dataclass(frozen=True, slots=True)
class Firing:
    """A trigger whose condition holds. `at`: since when, in Unix seconds.

    `sharp`: no further evidence can make it a worse one of its kind; `evidence`: sentences;
    `may_pass`: it comes in spells, so that it is told only once its stream has proof of it.
    """

    at: float
    sharp: bool
    evidence: tuple[str, ...]
    may_pass: bool = False


class Watch(Protocol):
    """Watches for one trigger."""

    @property
    def error_edges(self) -> tuple[float, ...]:
        """Shares at which the detector must classify the error rate for it."""
        ...

    @property
    def factors(self) -> tuple[float, ...]:
        """Multiples of the baseline's p95 that the detector must watch for it."""
        ...

    @property
    def questions(self) -> tuple[Question, ...]:
        """What else the detector must ask of each request for it."""
        ...

    def look(self, evidence: Evidence) -> Firing | None:
        """Return why the trigger fires, or None while the evidence does not suffice."""
        ...


class PlainWatch:
    """A base for watches that ask nothing of the detector."""

    error_edges: tuple[float, ...] = ()
    factors: tuple[float, ...] = ()
    questions: tuple[Question, ...] = ()


@runtime_checkable
class Share(Protocol):
    """A watch for a share of the requests, of which it can be told how long it lasts."""

    def stream(self, detector: Detector) -> tuple[Stream, float]:
        """Return the stream, and the share above which it is to stay."""
        ...


@runtime_checkable
class Waiting(Protocol):
    """A watch that holds durations itself. `limit_s`: the one that it holds, unpaced; `default_s`:
    the one where the runbook names none.
    """

    limit_s: float
    default_s: float


@runtime_checkable
class Pending(Protocol):
    """A watch whose condition can be under way and not have lasted yet."""

    def pending(self, evidence: Evidence) -> bool:
        """Return whether time alone may make it fire."""
        ...


@runtime_checkable
class OfSentinel(Protocol):
    """A watch that reads what the sentinel of this name sees."""

    sentinel: str


@runtime_checkable
class OfClients(Protocol):
    """A watch that needs clients who wait for at least the longest of `limits_s`."""

    @property
    def limits_s(self) -> tuple[float, ...]:
        """Latencies in seconds."""
        ...


class Lasting:
    """Another watch, whose share of requests has to stay above its edge for `limit_s` seconds.

    What it says of false alarms is what the other one says: it fires only while that one does.
    """

    default_s = 0.0

    def __init__(self, watch: Watch, limit_s: float) -> None:
        assert isinstance(watch, Share)
        self._watch, self._share, self.limit_s = watch, watch, limit_s
        self.error_edges, self.factors = watch.error_edges, watch.factors
        self.questions = watch.questions
        self.limits_s = watch.limits_s if isinstance(watch, OfClients) else (0.0,)

    def stream(self, detector: Detector) -> tuple[Stream, float]:
        """See Share.stream."""
        return self._share.stream(detector)

    def follow(self, detector: Detector) -> None:
        """Have `detector` measure how long it lasts."""
        stream, edge = self._share.stream(detector)
        stream.follow(edge)

    def pending(self, evidence: Evidence) -> bool:
        """See Pending.pending."""
        return self._watch.look(evidence) is not None and self.look(evidence) is None

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        firing = self._watch.look(evidence)
        stream, edge = self._share.stream(evidence.detector)
        run, limit_s = stream.runs[edge], paced_s(self.limit_s, evidence.pace)
        if firing is None or run.lasted_s < limit_s:
            return None
        told = (
            f"it has lasted for {run.lasted_s:.1f} s without a break (asked for: "
            f"{paced_text(self.limit_s, evidence.pace)})"
        )
        since = max(firing.at, run.since + limit_s)
        return replace(firing, at=since, evidence=(*firing.evidence, told), may_pass=False)


Factory = Callable[[re.Match[str]], Watch]
_F = TypeVar("_F", bound=Factory)


@dataclass(frozen=True, slots=True)
class Bound:
    """A class of watches, and the patterns of the triggers that it watches for; see `watch`."""

    patterns: tuple[re.Pattern[str], ...]
    factory: Factory
    by_words: bool


TRIGGERS: Family[Bound] = Family("triggers", "a trigger")


def watch(*patterns: str, by_words: bool = False) -> Callable[[_F], _F]:
    """Bind the decorated class to every trigger in which one of `patterns` is found.

    Patterns are tried on "name: text" of the trigger, case ignored, in order of the modules' names;
    the first that leaves nothing over is taken. What its groups match counts as held: the class
    gets the match, with its numbers. `by_words`: every word around it must be known as well.
    """

    def register(factory: _F) -> _F:
        compiled = tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
        TRIGGERS.add(factory.__name__, Bound(compiled, factory, by_words), factory)
        return factory

    return register


@dataclass(frozen=True, slots=True)
class Condition:
    """A trigger or a row of the matrix, with its watch and what it calls for.

    `action`: "rollback", "prepare" or "monitor".
    """

    name: str
    line: int
    severity: Severity
    action: str
    watch: Watch

    @property
    def rollback(self) -> bool:
        """Whether a rollback is to be done."""
        return self.action == "rollback"

    def stream(self, detector: Detector) -> Stream | None:
        """Return the stream that it is about, None when it is no share of the requests."""
        return self.watch.stream(detector)[0] if isinstance(self.watch, Share) else None

    def proven(self, detector: Detector) -> bool:
        """Whether there is proof of it that holds for requests which depend on each other."""
        stream = self.stream(detector)
        return stream is None or stream.proof.reached


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A trigger that nothing watches for, or not for all of it. `why` says so, with its words."""

    name: str
    line: int
    why: str

    @property
    def where(self) -> str:
        """How it is named in reports."""
        return f"Trigger “{self.name}”, line {self.line}"


ANSWERS = {
    Severity.CRITICAL: "roll back at once",
    Severity.HIGH: "roll back within one hour",
    Severity.MEDIUM: "consider a rollback",
}
TIER_ACTIONS = {
    Severity.CRITICAL: "rollback",  # immediately
    Severity.HIGH: "rollback",  # within the hour
    Severity.MEDIUM: "monitor",  # "consider" is for a human
}


_NOTHING = "nothing watches for it"


def condition_of(trigger: Trigger) -> Condition | Unwatched:
    """Return the watched condition of `trigger`, or why nothing watches for (all of) it."""
    text = f"{trigger.name}: {trigger.text}" if trigger.text else trigger.name
    duration = lasting(text)
    least: tuple[str, ...] | None = None
    for bound, match in _found(text, tuple(TRIGGERS.members())):
        watch = bound.factory(match)
        sustained = _sustained(watch, duration)
        left = left_over(text, match, duration if sustained else None, by_words=bound.by_words)
        if not left:
            action = TIER_ACTIONS[trigger.severity]
            watch = sustained or watch
            return Condition(trigger.name, trigger.line, trigger.severity, action, watch)
        if least is None or len(left) < len(least):
            least = left
    if least is None:
        return Unwatched(trigger.name, trigger.line, _NOTHING)
    words = ", ".join(f"“{word}”" for word in least)
    return Unwatched(trigger.name, trigger.line, f"nothing holds {words} of it")


@functools.lru_cache(maxsize=256)  # the same triggers are read several times in a drill
def _found(text: str, among: tuple[str, ...]) -> Sequence[tuple[Bound, re.Match[str]]]:
    del among  # what is known of a text holds as long as no watch is added
    return [
        (bound, match)
        for bound in TRIGGERS.members().values()
        for pattern in bound.patterns
        if (match := pattern.search(text))
    ]


def _sustained(watch: Watch, duration: Duration | None) -> Watch | None:
    """Return `watch` with the duration that it has to last, None where it cannot hold one."""
    if duration is None:
        return None
    if isinstance(watch, Waiting):
        watch.limit_s = duration.seconds
        return watch
    return Lasting(watch, duration.seconds) if isinstance(watch, Share) else None


def conditions(runbook: Runbook) -> tuple[list[Condition], list[Unwatched]]:
    """Return the conditions that are watched for, and the triggers that are not."""
    bound = [condition_of(trigger) for trigger in runbook.triggers]
    return (
        [one for one in bound if isinstance(one, Condition)],
        [one for one in bound if isinstance(one, Unwatched)],
    )


def sentinels_read() -> set[str]:
    """Return the names of all sentinels that watches read."""
    names = (getattr(one.factory, "sentinel", "") for one in TRIGGERS.members().values())
    return {name for name in names if name}
