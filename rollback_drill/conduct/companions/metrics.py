"""Reads what hosts count of their requests, as long as there are clients to compare it with, and
notes which secrets stand in logs.
"""

from __future__ import annotations

import contextlib

from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.rig import Rig
from rollback_drill.ground import clock
from rollback_drill.record.watched import Watched
from rollback_drill.watch.metrics.counting import Counting
from rollback_drill.watch.metrics.told import PERSON, SECRET, Leaked

_EVERY_S = 1.0
_ENDS_S = 30.0


class CountingAlong(Companion):
    """See `watch.metrics.counting`."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._over = clock.signal()
        self._open = contextlib.ExitStack()
        self._thread: Watched | None = None
        self._leaked: dict[tuple[str, str], float] = {}

    def __enter__(self) -> object:
        stage = self.rig.stage
        counting: Counting | None = None
        if stage.metrics:
            counting = self._open.enter_context(Counting(stage, self.rig.timeline))
        self._thread = Watched("reader of the metrics", self._read, counting, over=self._over)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        if self._thread:
            self._thread.end(_ENDS_S)
            self._note_leaks()
        self._open.close()

    def _read(self, counting: Counting | None) -> None:
        while not self._over.is_set():
            if counting:
                counting.read()
            self._note_leaks()
            self._over.wait(_EVERY_S)

    def _note_leaks(self) -> None:
        tail = self.rig.performer.moment.tail
        for what, found in ((SECRET, tail.leaked), (PERSON, tail.named)):
            for where, at in found.copy().items():
                if at > self._leaked.get((what, where), 0.0):
                    self._leaked[what, where] = at
                    self.rig.timeline.record(Leaked(where, what))
