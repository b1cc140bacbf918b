"""What clients saw in windows over observations of a test's own, and what a box says of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.ground.clock import now
from rollback_drill.ground.finding import Finding
from rollback_drill.perform.check import bind
from rollback_drill.perform.checks import clients
from rollback_drill.perform.moment import Waited
from rollback_drill.traffic.aggregate import Aggregate, Clients, Second, combine
from rollback_drill.traffic.observation import Observation, Outcome

RATE = 300
Slow = Callable[[int, int], bool]


class Seen:
    """What clients saw in the last `seconds` seconds: real windows over observations of our own.

    `failing`: how many requests of a second, counted from the first, fail; `slow`: which of a
    second's requests take a second.
    """

    def __init__(
        self, seconds: int, failing: dict[int, int], slow: Slow = lambda *_: False
    ) -> None:
        self.until = math.floor(now())
        self.since = self.until - seconds
        self.clients = Clients()
        self.seconds = {}
        for number in range(seconds):
            second = self.seconds[self.since + number] = Second()
            for request in range(RATE):
                due = self.since + number + request / RATE
                bad = request < failing.get(number, 0)
                second.add(
                    Observation(
                        due, due, due + (1.0 if slow(number, request) else 0.01), "c1", "details",
                        500 if bad else 200, Outcome.SERVER_ERROR if bad else Outcome.OK, "",
                    ),
                    self.clients,
                )  # fmt: skip

    def window(self, start: float, end: float | None = None) -> Aggregate:
        first, last = math.ceil(start), min(self.until, math.floor(end or self.until))
        known = [self.seconds[n] for n in range(first, last) if n in self.seconds]
        return combine(float(first), float(max(first, last)), known, self.clients)


def judge(text: str, seen: Seen, monkeypatch: pytest.MonkeyPatch, pace: float = 60) -> Finding:
    monkeypatch.setattr(clients, "front_health", lambda _: 200)
    monkeypatch.setattr(clients, "now", lambda: seen.until + 0.5)
    bound = bind(text)
    assert bound
    moment: Any = SimpleNamespace(
        traffic=seen,
        window_from=float(seen.since),
        pace=pace,
        stage=None,
        waited=Waited(),
        confidence=0.95,
    )
    return bound.check(moment, bound.match)
