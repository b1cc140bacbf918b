"""Performance degradation >3x, 2-3x: the p95 against a multiple of the healthy baseline's."""

from __future__ import annotations

import re

from rollback_drill.decide.detector import ALPHA, Detector, Side, Stream
from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.statistics import P95, percent_text
from rollback_drill.decide.trigger import Firing, PlainWatch, watch
from rollback_drill.runbook.wording import NUMBER, as_number

_WHAT = r"(?:performance|response times?|latency|slower|degradation)\b[^\d:;]*?"


@watch(
    rf"{_WHAT}(?P<low>{NUMBER})\s*[x×]?\s*(?:[-–—]|to)\s*(?P<high>{NUMBER})\s*[x×]",
    rf"{_WHAT}(?P<low>{NUMBER})\s*[x×]",
    by_words=True,
)
class Slower(PlainWatch):
    """The p95 is at least `low` times, and not provably `high` times, the baseline's."""

    def __init__(self, match: re.Match[str]) -> None:
        groups = match.groupdict()
        self.low = as_number(groups["low"])
        self.high = as_number(groups["high"]) if groups.get("high") else None

    @property
    def factors(self) -> tuple[float, ...]:  # type: ignore[override]
        """See Watch."""
        return (self.low,) if self.high is None else (self.low, self.high)

    def stream(self, detector: Detector) -> tuple[Stream, float]:
        """See Share.stream."""
        stream = detector.slower[self.low]
        return stream, min(stream.edges)

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        detector = evidence.detector
        lower = detector.slower[self.low]
        upper = detector.slower[self.high] if self.high is not None else None
        basis = (
            f"{self.low:g} times the baseline's p95 of at most {detector.baseline_s * 1000:.0f} ms"
        )
        return slow_between(lower, upper, f"{basis} (95 % confidence)")


def slow_between(
    lower: Stream, upper: Stream | None, limit: str, quantile: float = P95
) -> Firing | None:
    """Return a firing when the quantile is above `lower`'s limit and not above `upper`'s.

    One that is too near to a limit to tell is at it, and an edge belongs to the worse tier.
    """
    (edge,) = lower.edges
    if not lower.reaches(edge):
        return None
    if upper is not None and upper.reaches(edge):
        return None
    # The upper stream's test runs from the first alarm on, whether or not it alarms itself.
    sharp = upper is None or upper.edges[edge].side is Side.BELOW
    seen, slow = lower.n - lower.began, lower.hits
    tested = lower.edges[edge].tested
    found = (
        f"the p{quantile * 100:g} is above {limit}: more than {percent_text(edge)} of the requests "
        f"took longer, by {tested:,} requests after the alarm "
        "(error at most 1 % a fifth or more off the edge)"
    )
    if lower.edges[edge].exhausted:
        found = (
            f"the p{quantile * 100:g} is at {limit}: about {percent_text(edge)} of the requests "
            f"took longer, and {tested:,} after the alarm could not tell more"
        )
    told = (
        found,
        f"{slow:,} of {lower.n:,} requests took longer, most of them in the last {seen:,}; the "
        f"detector's alarm is false in at most {ALPHA * 100:g} % of drills",
    )
    # A pause of a tenth of a second makes every request of it slow, and is over.
    return Firing(lower.edges[edge].since, sharp, told, may_pass=True)
