"""Ends a drill from outside: a stop file that appeared, or a limit that is used up."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from rollback_drill.ground import clock
from rollback_drill.ground.clock import now
from rollback_drill.record.watched import Watched
from rollback_drill.stage.allowance import Allowance
from rollback_drill.stage.entries import Limits

_LOOK_S = 0.1
_GRACE_S = 10.0


class Guard:
    """Sends this process the operator's signal once a limit is reached. Use as a context manager.

    `why` then says what ended the drill; it is "" before. Without limits it does nothing.
    """

    def __init__(
        self, limits: Limits | None, rate: float, allowance: Allowance | None = None
    ) -> None:
        """`rate`: of the clients' traffic, in requests/s; `allowance`: counts all that is asked
        beside it.
        """
        self.why = ""
        self._over = clock.signal()
        self._limits = limits
        self._rate = rate
        self._allowance = allowance
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
        stop_file, began = self._limits.stop_file, now()
        while not self._over.wait(_LOOK_S):
            took_s = now() - began
            # Traffic is on an open loop: so many seconds are so many requests.
            sent = took_s * self._rate + (self._allowance.asked if self._allowance else 0)
            if stop_file and Path(stop_file).exists():
                self.why = f"the stop file {stop_file}"
            elif took_s >= self._limits.minutes * 60:
                self.why = f"the stage's limits: {self._limits.minutes:g} minutes are used up"
            elif sent >= self._limits.requests:
                self.why = f"the stage's limits: {self._limits.requests} requests are used up"
            if self.why:
                os.kill(os.getpid(), signal.SIGINT)
                return
