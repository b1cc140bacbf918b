"""How fast the suite may ask an environment that others own, beside the traffic of its clients.

Whatever asks it goes through `stage.http`, which waits here for its turn: probes, checks,
sentinels, golden sets, contracts, the attestation of a fault. So no window of a second holds more
requests than the environment's file allows, and all of them are counted against it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

from rollback_drill.ground import clock

TRAFFIC_SHARE = 0.8
"""Of an allowed rate, what clients may have at most; the suite's own questions have the rest."""
_allowances: list[Allowance] = []


class Allowance:
    """At most `rate` requests per second to all of `origins` together, evenly apart.

    `asked`: how many there were. Safe to use from threads.
    """

    def __init__(self, origins: Collection[str], rate: float) -> None:
        self._origins = tuple(one.rstrip("/") for one in origins)
        self._rate = rate
        self._left = rate
        self._lock = threading.Lock()
        self._next_at = 0.0
        self.asked = 0

    def leave(self, rate: float) -> None:
        """Leave so many requests per second to the clients' traffic."""
        self._left = max(self._rate - rate, (1 - TRAFFIC_SHARE) * self._rate)

    @property
    def apart_s(self) -> float:
        """Seconds from one request to the next. One in a second less than is allowed: a request may
        arrive late, just before the next one, and the window that begins with it holds one more.
        """
        return 1 / max(self._left - 1, self._left / 2)

    def take(self) -> None:
        """Wait for a turn. Who comes first is first."""
        with self._lock:
            at = max(clock.monotonic(), self._next_at)
            self._next_at = at + self.apart_s
            self.asked += 1
        wait_s = at - clock.monotonic()
        if wait_s > 0:
            clock.sleep(wait_s)

    def holds(self, url: str) -> bool:
        """Whether `url` is of one of its origins."""
        return any(
            url.startswith(one) and url[len(one) : len(one) + 1] in ("", "/", "?", "#")
            for one in self._origins
        )


def hold_to(allowance: Allowance) -> None:
    """Have all that is asked from now on wait for its turn there."""
    _allowances.append(allowance)


def release(allowance: Allowance) -> None:
    """Hold nobody to it any more. Works twice."""
    if allowance in _allowances:
        _allowances.remove(allowance)


def await_turn(url: str) -> None:
    """Wait until `url` may be asked; at once where nobody limits it."""
    for one in tuple(_allowances):
        if one.holds(url):
            one.take()
            return  # two stages of one file, one after the other, have the same limits
