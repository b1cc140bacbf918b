"""Performance degradation >3x, 2-3x: the p95 against a multiple of the healthy baseline's."""

from __future__ import annotations

import re

from drill.detector import ALPHA, Side, Stream
from drill.evidence import Evidence
from drill.statistics import percent_text
from drill.trigger import Firing, watch

_WHAT = r"(?:performance|response times?|latency|slower|degradation)[^\d]*?"


@watch(
    _WHAT + r"(?P<low>\d[\d.]*)\s*[x×]?\s*(?:[-–—]|to)\s*(?P<high>\d[\d.]*)\s*[x×]",
    _WHAT + r"(?P<low>\d[\d.]*)\s*[x×]",
)
class Slower:
    """The p95 is at least `low` times, and not provably `high` times, the baseline's."""

    error_edges: tuple[float, ...] = ()

    def __init__(self, match: re.Match[str]) -> None:
        groups = match.groupdict()
        self.low = float(groups["low"])
        self.high = float(groups["high"]) if groups.get("high") else None

    @property
    def factors(self) -> tuple[float, ...]:
        """See Watch."""
        return (self.low,) if self.high is None else (self.low, self.high)

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        detector = evidence.detector
        lower = detector.slower[self.low]
        upper = detector.slower[self.high] if self.high is not None else None
        basis = (
            f"{self.low:g} times the baseline's p95 of at most {detector.baseline_s * 1000:.0f} ms"
        )
        return slow_between(lower, upper, f"{basis} (95 % confidence)")


def slow_between(lower: Stream, upper: Stream | None, limit: str) -> Firing | None:
    """Return a firing when the p95 is above `lower`'s limit and not above `upper`'s."""
    (edge,) = lower.edges
    if lower.side(edge) is not Side.ABOVE:
        return None
    if upper is not None and upper.side(edge) is Side.ABOVE:
        return None
    # The upper stream's test runs from the first alarm on, whether or not it alarms itself.
    test = upper.edges[edge] if upper is not None else None
    sharp = test is None or test.side is Side.BELOW or test.exhausted
    seen, slow = lower.n - lower.began, lower.hits
    told = (
        f"the p95 is above {limit}: more than {percent_text(edge)} of the requests took longer, by "
        f"{lower.edges[edge].tested:,} requests after the alarm "
        "(error at most 1 % a fifth or more off the edge)",
        f"{slow:,} of {lower.n:,} requests took longer, most of them in the last {seen:,}; the "
        f"detector's alarm is false in at most {ALPHA * 100:g} % of drills",
    )
    # A pause of a tenth of a second makes every request of it slow, and is over.
    return Firing(lower.edges[edge].since, sharp, told, may_pass=True)
