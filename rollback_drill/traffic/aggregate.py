"""Observations by the time in which they were due, and windows over such times."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.schedule import SLOTS
from rollback_drill.traffic.told import LATE_S, TrafficSecond


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What clients saw in a window [start, until) of due times (Unix seconds).

    `until` is where the window ends; it equals `start` when nothing of it has been observed to the
    end. `sent` counts every request that was due, those dropped at the cap too:
    else an overloaded service would look better than it is. `outcomes` counts by `Outcome`,
    `formats` good list answers by format ("old", "new"), `operations` by operation. `histogram`:
    latencies of every finished request, so not of dropped ones. `late`: sent more than `LATE_S`
    after they were due; `lag_s`: the worst such distance. `parts`: what it is made of, in order,
    a second or a tenth of one each.
    """

    start: float
    until: float
    sent: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    operations: dict[str, int] = field(default_factory=dict)
    histogram: Histogram = field(default_factory=Histogram)
    clients_with_failures: frozenset[str] = frozenset()
    late: int = 0
    lag_s: float = 0.0
    parts: tuple[Second, ...] = ()

    @property
    def failures(self) -> int:
        """How many requests did not end well, whatever the reason."""
        return self.failed()

    def failed(self, ignoring: Collection[str] = ()) -> int:
        """Return how many requests failed, leaving out the outcomes in `ignoring`."""
        return sum(
            count
            for outcome, count in self.outcomes.items()
            if outcome != Outcome.OK and outcome not in ignoring
        )


class Clients:
    """Numbers clients, so that a second remembers its unhappy ones as the bits of one number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def bit(self, name: str) -> int:
        """Return the bit of client `name`."""
        return 1 << self._numbers.setdefault(name, len(self._numbers))

    def names(self, bits: int) -> frozenset[str]:
        """Return the names whose bits are set."""
        return frozenset(name for name, number in self._numbers.items() if bits >> number & 1)


class Second:
    """Everything about the requests due in one second, in a few kilobytes whatever the rate."""

    __slots__ = (
        "_histogram",
        "bad",
        "first_good",
        "formats",
        "lag_s",
        "late",
        "operations",
        "outcomes",
        "sent",
        "statuses",
        "unhappy",
    )

    def __init__(self) -> None:
        self.sent = 0
        self.outcomes: dict[str, int] = {}
        self.formats: dict[str, int] = {}
        self.operations: dict[str, int] = {}
        self.statuses: dict[str, int] = {}
        self.unhappy = 0
        self.late = 0
        self.lag_s = 0.0
        self.bad = [0] * SLOTS
        self.first_good = [math.inf] * SLOTS  # done time of the earliest good answer
        self._histogram: Histogram | str = Histogram()

    def add(self, seen: Observation, clients: Clients) -> None:
        """Count one observation that was due in this second."""
        self.sent += 1
        outcome, due, done = seen.outcome, seen.due, seen.done
        _count(self.outcomes, outcome.value)
        _count(self.operations, seen.operation)
        slot = int((due - math.floor(due)) * SLOTS)
        if outcome is Outcome.OK:
            if seen.format:
                _count(self.formats, seen.format)
            if done < self.first_good[slot]:
                self.first_good[slot] = done
        else:
            if 100 <= seen.status <= 999:
                _count(self.statuses, str(seen.status))
            self.unhappy |= clients.bit(seen.client)
            self.bad[slot] += 1
        if outcome is not Outcome.DROPPED:
            self._open().add(done - due)
        lag = seen.sent - due
        if lag > self.lag_s:
            self.lag_s = lag
        if lag > LATE_S:
            self.late += 1

    @property
    def histogram(self) -> Histogram:
        """The latencies. Not to be changed by the caller."""
        if isinstance(self._histogram, str):
            return Histogram.from_text(self._histogram)
        return self._histogram

    def pack(self) -> None:
        """Keep the histogram as text, a tenth of the room; it can still be read and added to."""
        if isinstance(self._histogram, Histogram):
            self._histogram = self._histogram.to_text()

    def _open(self) -> Histogram:
        if isinstance(self._histogram, str):
            self._histogram = Histogram.from_text(self._histogram)
        return self._histogram

    @property
    def share_bad(self) -> float:
        """The share (0–1) of requests that did not end well; 0 of nothing."""
        return sum(self.bad) / self.sent if self.sent else 0.0

    def good_after_bad(self) -> float:
        """Return when the first good answer came after this second's last tenth with a bad one.

        inf when there is none.
        """
        last = max((slot for slot in range(SLOTS) if self.bad[slot]), default=-1)
        return min(self.first_good[last + 1 :], default=math.inf)

    def to_event(self, second: int) -> TrafficSecond:
        """Return what is to be recorded of this second."""
        return TrafficSecond(
            second=second,
            outcomes=dict(self.outcomes),
            formats=dict(self.formats),
            operations=dict(self.operations),
            histogram=self.histogram.to_text(),
            unhappy=f"{self.unhappy:x}",
            statuses=dict(self.statuses),
            late=self.late,
        )


def combine(start: float, until: float, seconds: Iterable[Second], clients: Clients) -> Aggregate:
    """Return the aggregate of `seconds`, which make up [start, until)."""
    outcomes: dict[str, int] = {}
    formats: dict[str, int] = {}
    operations: dict[str, int] = {}
    histogram = Histogram()
    sent = unhappy = late = 0
    lag_s = 0.0
    parts = tuple(seconds)
    for second in parts:
        sent += second.sent
        late += second.late
        lag_s = max(lag_s, second.lag_s)
        unhappy |= second.unhappy
        histogram.merge(second.histogram)
        for total, part in (
            (outcomes, second.outcomes),
            (formats, second.formats),
            (operations, second.operations),
        ):
            for key, count in part.items():
                total[key] = total.get(key, 0) + count
    return Aggregate(
        start=start,
        until=until,
        sent=sent,
        outcomes=outcomes,
        formats=formats,
        operations=operations,
        histogram=histogram,
        clients_with_failures=clients.names(unhappy),
        late=late,
        lag_s=lag_s,
        parts=parts,
    )


def by_second(observations: Iterable[Observation]) -> tuple[dict[int, Second], Clients]:
    """Return the observations by the second in which they were due."""
    seconds: dict[int, Second] = {}
    clients = Clients()
    for seen in observations:
        seconds.setdefault(math.floor(seen.due), Second()).add(seen, clients)
    return seconds, clients


def aggregate(observations: Iterable[Observation]) -> Aggregate:
    """Return the aggregate of all `observations`, for example of a file read again later."""
    seconds, clients = by_second(observations)
    if not seconds:
        return Aggregate(0.0, 0.0)
    return combine(float(min(seconds)), float(max(seconds) + 1), seconds.values(), clients)


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
