"""Sentinels: each looks at one thing that no error rate shows, again and again.

To add one, put a module into `watch/sentinels` with a class under `@sentinel`. What they see goes
to the timeline; triggers (`decide.triggers.seen`) and the attribution read it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from rollback_drill.family import Family
from rollback_drill.ground import clock
from rollback_drill.ground.clock import now
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.watched import Watched, died
from rollback_drill.stage.model import Stage, check_needs, lacks_of
from rollback_drill.watch.told import Looked

_GRACE_S = 10.0
_HANGS_S = 60.0  # twice what Postgres may take for one statement


@dataclass(frozen=True, slots=True)
class Look:
    """What a sentinel saw: passed, failed (what it watches for is there), or unknown."""

    verdict: Verdict
    evidence: str
    numbers: dict[str, float] = field(default_factory=dict)


class Sentinel(Protocol):
    """Watches one thing. `every_s`: the pause between two looks. `needs`: of the stage's
    abilities, without which it does not look.
    """

    name: str
    every_s: float

    @property
    def needs(self) -> tuple[str, ...]:
        """Abilities of a stage; see stage.model."""
        ...

    def look(self) -> Look:
        """Look once."""
        ...


class Makes(Protocol):
    """What makes a sentinel for a stage and the folder of the traffic's records: its class."""

    @property
    def name(self) -> str:
        """See Sentinel."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """See Sentinel."""
        ...

    def __call__(self, stage: Stage, traffic: Path) -> Sentinel:
        """Return a new one."""
        ...


SENTINELS: Family[Makes] = Family("sentinels", "a sentinel")
_Make = TypeVar("_Make", bound=Makes)


def sentinel(make: _Make) -> _Make:
    """Add the decorated class to the family."""
    check_needs(make.needs, f"sentinel {make.name} needs")
    SENTINELS.add(make.name, make, make)
    return make


def all_sentinels(stage: Stage, traffic: Path) -> list[Sentinel]:
    """Return every sentinel that can look at `stage`."""
    makes = SENTINELS.members().values()
    return [make(stage, traffic) for make in makes if not lacks_of(stage, make.needs)]


class StageSentinel:
    """A base for sentinels that look at a stage; most need nothing of the traffic's records."""

    def __init__(self, stage: Stage, traffic: Path | None = None) -> None:
        del traffic
        self._stage = stage


class Sentinels:
    """All sentinels, each in a thread of its own. Use as a context manager."""

    def __init__(self, sentinels: Sequence[Sentinel], timeline: Timeline) -> None:
        self._timeline = timeline
        self._over = clock.signal()
        self._threads = [
            Watched(_name(one), self._watch, one, over=self._over) for one in sentinels
        ]
        self._began: dict[str, float] = {}  # when each began to look

    def __enter__(self) -> Sentinels:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            looks_s = now() - self._began.get(thread.observer, now())
            if not thread.ended(_GRACE_S) and looks_s > _HANGS_S:
                died(thread.observer, f"it hung: its last look had begun {looks_s:.0f} s before")

    def _watch(self, sentinel: Sentinel) -> None:
        while True:
            self._began[_name(sentinel)] = now()
            try:
                seen = sentinel.look()
            except Exception as error:  # a sentinel that breaks found nothing out
                seen = Look(Verdict.UNKNOWN, f"could not look: {type(error).__name__}: {error}")
            if self._over.is_set():
                return  # it looked while things were being removed
            self._timeline.record(
                Looked(sentinel.name, seen.verdict, seen.evidence[:1000], seen.numbers)
            )
            if self._over.wait(sentinel.every_s):
                return


def _name(sentinel: Sentinel) -> str:
    return f"sentinel “{sentinel.name}”"
