"""Sentinels: each looks at one thing that no error rate shows, again and again.

To add one, put a module into `drill/sentinels` with a class in SENTINELS. What they see goes to the
timeline; triggers (`drill.triggers.seen`) and the attribution (`drill.attribution`) read it there.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from drill import events
from drill.stage import Stage
from drill.timeline import Timeline
from drill.verdict import Verdict

_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """What a sentinel saw: passed, failed (what it watches for is there), or unknown."""

    verdict: Verdict
    evidence: str
    numbers: dict[str, float] = field(default_factory=dict)


class Sentinel(Protocol):
    """Watches one thing. `every_s`: the pause between two looks. `needs`: of the stage's
    capabilities, without which it does not look.
    """

    name: str
    needs: tuple[str, ...]
    every_s: float

    def look(self) -> Look:
        """Look once."""
        ...


class StageSentinel:
    """A base for sentinels that look at a stage; most need nothing of the traffic's records."""

    def __init__(self, stage: Stage, traffic: Path | None = None) -> None:
        del traffic
        self._stage = stage


class Sentinels:
    """All sentinels, each in a thread of its own. Use as a context manager."""

    def __init__(self, sentinels: Sequence[Sentinel], timeline: Timeline) -> None:
        self._timeline = timeline
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(one,), name=one.name, daemon=True)
            for one in sentinels
        ]

    def __enter__(self) -> Sentinels:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=_GRACE_S)

    def _watch(self, sentinel: Sentinel) -> None:
        while True:
            try:
                seen = sentinel.look()
            except Exception as error:  # a sentinel that breaks found nothing out
                seen = Look(Verdict.UNKNOWN, f"could not look: {type(error).__name__}: {error}")
            if self._over.is_set():
                return  # it looked while things were being removed
            self._timeline.record(
                events.Looked(sentinel.name, seen.verdict, seen.evidence[:1000], seen.numbers)
            )
            if self._over.wait(sentinel.every_s):
                return
