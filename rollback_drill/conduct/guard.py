"""Ends a drill from outside: a stop file that appeared, or a limit that is used up."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from rollback_drill.ground import clock
from rollback_drill.ground.clock import now
from rollback_drill.record.watched import Watched
from rollback_drill.stage.entries import Limits

_LOOK_S = 0.1
_GRACE_S = 10.0


class Guard:
    """Sends this process the operator's signal once a limit is reached. Use as a context manager.

    `why` then says what ended the drill; it is "" before. Without limits it does nothing.
    """

    def __init__(self, limits: Limits | None, rate: float) -> None:
        self.why = ""
        self._over = clock.signal()
        self._limits = limits
        # Traffic is on an open loop: so many seconds are so many requests.
        self._seconds = min(limits.minutes * 60, limits.requests / rate) if limits else 0.0
        self._thread = Watched("watch over the limits", self._watch, over=self._over)

    def __enter__(self) -> Guard:
        if self._limits:
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        if self._limits:
            self._thread.end(_GRACE_S)

    def _watch(self) -> None:
        assert self._limits
        stop_file, end = self._limits.stop_file, now() + self._seconds
        while not self._over.wait(_LOOK_S):
            if stop_file and Path(stop_file).exists():
                self.why = f"the stop file {stop_file}"
            elif now() >= end:
                self.why = f"the stage's limits: {self._seconds:.0f} s of traffic are used up"
            if self.why:
                os.kill(os.getpid(), signal.SIGINT)
                return
