"""The last minutes of traffic by tenths of a second, so that a window need not wait for a second.

A whole second of requests is what the record tells. A window that may begin and end with one alone
lasts half a second longer at either end than its evidence takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from rollback_drill.traffic.aggregate import Clients, Second
from rollback_drill.traffic.observation import Observation
from rollback_drill.traffic.schedule import SLOTS, slot_of

_KEPT = 180 * SLOTS  # a window that began before that begins with a whole second


class Slots:
    """What clients saw by slot, see `schedule.slot_of`. `next`: the first that is not complete."""

    def __init__(self) -> None:
        self.next: int | None = None
        self._seen: dict[int, Second] = {}
        self._oldest = -math.inf

    def add(self, seen: Observation, clients: Clients) -> None:
        """Count one observation."""
        slot = slot_of(seen.due)
        there = self._seen.get(slot)
        if there is None:
            there = self._seen[slot] = Second()
        there.add(seen, clients)

    def complete(self, start: float, end: float, expected: Callable[[int], int]) -> None:
        """See which slots are complete now, from that of `start` to before that of `end`, both in
        Unix seconds; `expected` says how many requests are due in one. Forget the oldest ones.
        """
        if self.next is None:
            self.next = slot_of(start)
        last = slot_of(end)
        while self.next < last and self._have(self.next) >= expected(self.next):
            self._seen.pop(self.next - _KEPT, None)
            self._oldest = self.next + 1 - _KEPT
            self.next += 1

    def bounds(self, start: float, end: float | None) -> tuple[int, int]:
        """Return the slots [first, until) of the window that begins at or after `start` and ends at
        or before `end`, up to the first slot that is not complete.
        """
        first = math.ceil(start * SLOTS)
        if first < self._oldest:
            first = math.ceil(start) * SLOTS
        last = first if self.next is None else self.next
        if end is not None:
            last = min(last, slot_of(end))
            if last < self._oldest:
                last = math.floor(end) * SLOTS
        return first, max(first, last)

    def between(self, first: int, until: int) -> list[Second]:
        """Return what was seen in the slots [first, until)."""
        return [self._seen[n] for n in range(first, until) if n in self._seen]

    def _have(self, slot: int) -> int:
        return self._seen[slot].sent if slot in self._seen else 0
