"""p99 latency > 2 s, median > 500 ms, slowest request > 4 s: latencies against a fixed limit."""

from __future__ import annotations

import math
import re

from rollback_drill.decide.detector import Detector, Question, SlowShare, Stream
from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.statistics import P95
from rollback_drill.decide.trigger import Firing, PlainWatch, watch
from rollback_drill.decide.triggers.error_rate import share
from rollback_drill.decide.triggers.performance import slow_between
from rollback_drill.runbook.wording import ABOVE, NUMBER, PERCENT, TIME, seconds

_SPEED = r"(?:latency|latencies|response times?|answers? takes?|requests? takes?|request duration)"
_QUANTILE = (
    r"(?P<quantile>\bp\d{2}(?:\.\d+)?|\b\d{2}(?:\.\d+)?(?:st|nd|rd|th)?[\s-]percentile|\bmedian)"
)
_LIMIT = rf"(?P<limit>{NUMBER}\s*{TIME})"
_BETWEEN = r"[^\d:;%<>≥]*?"
_HALF = 0.5


@watch(
    rf"{_QUANTILE}\b{_BETWEEN}{ABOVE}{_LIMIT}",
    rf"{_SPEED}\b[^\d:;%<>≥]*?{_QUANTILE}\b{_BETWEEN}{ABOVE}{_LIMIT}",
    rf"{_SPEED}\b{_BETWEEN}{ABOVE}{_LIMIT}",
    rf"{ABOVE}(?P<share>{NUMBER})\s*{PERCENT}\s+{_BETWEEN}"
    rf"(?:take|took|are slower|need)\b{_BETWEEN}{_LIMIT}",
    by_words=True,
)
class Slow(PlainWatch):
    """A quantile of the latency is at or above a limit. Without one named, it is the p95, as in
    the matrix.
    """

    def __init__(self, match: re.Match[str]) -> None:
        groups = match.groupdict()
        quantile = P95
        if groups.get("share"):
            quantile = round(1.0 - share(groups["share"]), 9)
        elif groups.get("quantile"):
            quantile = quantile_of(groups["quantile"])
        self._slow = SlowShare(seconds(match["limit"]), quantile)

    @property
    def limits_s(self) -> tuple[float, ...]:
        """The latencies that a client must wait for to see whether they are exceeded."""
        return (self._slow.limit_s,)

    @property
    def questions(self) -> tuple[Question, ...]:  # type: ignore[override]
        """See Watch."""
        return (self._slow,)

    def stream(self, detector: Detector) -> tuple[Stream, float]:
        """See Share.stream."""
        return detector.asked[self._slow], self._slow.edge

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        stream, _ = self.stream(evidence.detector)
        limit = f"{self._slow.limit_s * 1000:g} ms"
        return slow_between(stream, None, limit, self._slow.quantile)


@watch(
    rf"(?P<most>\bmax(?:imum)?\b|\bslowest\b|\bworst\b){_BETWEEN}{ABOVE}{_LIMIT}",
    rf"\b(?P<any>any|a single) (?:request|answer|response){_BETWEEN}(?:takes?|took){_BETWEEN}"
    rf"{_LIMIT}",
    by_words=True,
)
class Slowest(PlainWatch):
    """A single request took at least so long. One is enough, since that is what is asked for."""

    def __init__(self, match: re.Match[str]) -> None:
        self.slowest_s = seconds(match["limit"])

    @property
    def limits_s(self) -> tuple[float, ...]:
        """See Slow.limits_s."""
        return (self.slowest_s,)

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        at, took_s = evidence.detector.took_as_long[self.slowest_s]
        if math.isnan(at):
            return None
        limit = f"{self.slowest_s * 1000:g} ms"
        return Firing(at, True, (f"a request took {took_s * 1000:.0f} ms, the limit is {limit}",))


def quantile_of(text: str) -> float:
    """Return 0.99 for "p99" and "99th percentile", 0.5 for "median"."""
    found = re.search(r"\d{2}(?:\.\d+)?", text)
    return round(float(found.group()) / 100.0, 9) if found else _HALF
