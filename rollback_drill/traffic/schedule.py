"""When open-loop requests are due: known beforehand, so that missing observations are noticed."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """Request i (0, 1, …) is due at `start` + i / `rate`, in Unix seconds and requests/s."""

    start: float
    rate: float

    def due(self, i: int) -> float:
        """Return when request `i` is due, rounded as observations are written."""
        return round(self.start + i / self.rate, 6)

    def first_from(self, at: float) -> int:
        """Return the first request that is due at or after `at`."""
        i = max(0, math.floor((at - self.start) * self.rate) - 1)
        while self.due(i) < at:
            i += 1
        return i

    def expected(self, second: int, total: int | None = None) -> int:
        """Return how many requests are due in [second, second + 1).

        `total`: how many there were in all, once the generator has stopped.
        """
        low, high = self.first_from(second), self.first_from(second + 1)
        return high - low if total is None else max(0, min(high, total) - low)
