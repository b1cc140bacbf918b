"""When open-loop requests are due: known beforehand, so that missing observations are noticed."""

from __future__ import annotations

import math
from dataclasses import dataclass

SLOTS = 10
"""Parts of a second. Windows begin and end between two of them."""


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
        return _up_to(total, self.first_from(second), self.first_from(second + 1))

    def expected_in_slot(self, slot: int, total: int | None = None) -> int:
        """Return how many requests are due in a slot, see `slot_of`; `total` as in `expected`."""
        return _up_to(total, self._first_in_slot(slot), self._first_in_slot(slot + 1))

    def _first_in_slot(self, slot: int) -> int:
        # By the very function by which observations are put into slots, to the last bit.
        i = max(0, math.floor((slot / SLOTS - self.start) * self.rate) - 2)
        while slot_of(self.due(i)) < slot:
            i += 1
        return i


def slot_of(at: float) -> int:
    """Return the number of the slot that `at` (Unix seconds) lies in; a second has `SLOTS`."""
    return math.floor(at * SLOTS)


def _up_to(total: int | None, low: int, high: int) -> int:
    return high - low if total is None else max(0, min(high, total) - low)
