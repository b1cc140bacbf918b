"""How much memory a service needs, and whether that grows: from the samples of a drill. Pure.

What was started a moment ago fills its pools, caches and compiled code at first: it grows, and
stops. A leak goes on. So what has grown too much is told apart by the second half of the watch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollback_drill.decide.statistics import CONFIDENCE, Interval, theil_sen
from rollback_drill.watch.told import ProbeSample

LEAST_SAMPLES = 8
MOST_GROWTH = 0.10  # of the median within the window
MOST_WARM_UP = 0.50  # of the median: a start that takes more is told, whatever came of it
TOLD_APART_S = 20.0  # of watch: whether what grew has settled is judged once, and not before


@dataclass(frozen=True, slots=True)
class MemoryTrend:
    """Resident memory of the service on `host` over `span_s` seconds. `trend` in bytes/s with
    one-sided bounds, `later` that of the second half; `samples`: how many there were; `kills` for
    memory meanwhile, None where they were counted before, and were not any more.
    """

    host: str
    samples: int
    median_bytes: int
    trend: Interval
    later: Interval
    span_s: float
    kills: int | None

    @property
    def lacks(self) -> str:
        """What is not known of it, "" where all is."""
        if self.samples < LEAST_SAMPLES:
            return f"{self.samples} of {LEAST_SAMPLES} samples of memory that are needed"
        return "" if self.kills is not None else "nobody could count the kills for memory any more"

    @property
    def grown(self) -> float:
        """By how much of its median it has provably grown, at the least."""
        return self.trend.low * self.span_s / self.median_bytes

    @property
    def settled(self) -> bool:
        """Whether what grew too much was the warm-up of a start: as it went in the second half, it
        provably grows little in the same time.
        """
        goes_on = self.later.high * self.span_s / self.median_bytes
        warm_up = MOST_GROWTH < self.grown <= MOST_WARM_UP
        return warm_up and self.span_s >= TOLD_APART_S and goes_on <= MOST_GROWTH

    @property
    def told_apart(self) -> bool:
        """Whether nothing that is yet to come could tell it from a leak, or from a warm-up."""
        return self.span_s >= TOLD_APART_S or self.grown > MOST_WARM_UP

    @property
    def flaw(self) -> str:
        """What is wrong with it, provably, "" where nothing is."""
        if self.kills:
            return f"{self.host} was killed for memory {self.kills} times meanwhile"
        grows = self.samples >= LEAST_SAMPLES and self.grown > MOST_GROWTH
        return str(self) if grows and not self.settled else ""

    def __str__(self) -> str:
        """As a part of a sentence."""
        told = (
            f"{self.host}: {self.median_bytes / 2**20:.0f} MB, trend "
            f"{self.trend.estimate / 2**20:+.2f} MB/s over {self.span_s:.0f} s, "
            f"provably {max(0.0, self.grown):.1%} growth"
        )
        return f"{told}, which ended in the second half of it" if self.settled else told


def memory_trend(
    samples: Sequence[tuple[float, ProbeSample]],
    host: str,
    since: float,
    until: float = float("inf"),
    confidence: float = CONFIDENCE,
) -> MemoryTrend:
    """Return how the memory of `host` went from `since` to `until` (Unix seconds)."""
    looked = [(at, one) for at, one in samples if since <= at <= until]
    points = [(at, float(s.rss_bytes[host])) for at, s in looked if host in s.rss_bytes]
    kills = [s.oom_kills[host] for _, s in looked if host in s.oom_kills]
    counted = any(host in one.oom_kills for _, one in samples)
    sizes = sorted(size for _, size in points) or [1.0]
    middle = (points[0][0] + points[-1][0]) / 2 if points else 0.0

    def trend(some: Sequence[tuple[float, float]]) -> Interval:
        return theil_sen([at for at, _ in some], [size for _, size in some], confidence=confidence)

    return MemoryTrend(
        host,
        len(points),
        int(sizes[len(sizes) // 2]) or 1,
        trend(points),
        trend([one for one in points if one[0] >= middle]),
        points[-1][0] - points[0][0] if points else 0.0,
        kills[-1] - kills[0] if kills else None if counted else 0,
    )
