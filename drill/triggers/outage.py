"""Complete service failure: nobody gets a good answer for longer than the runbook tolerates."""

from __future__ import annotations

import re

from drill.evidence import Evidence
from drill.trigger import Firing, watch

# Even if every second request failed, ten failures in a row come once in a thousand times.
_LEAST_FAILURES = 10
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


@watch(
    r"(?:unavailable|no (?:good )?answers?|unreachable|down)\b\D*?(?P<amount>\d[\d.]*)\s*"
    r"(?P<unit>s|m|h)(?:ec(?:ond)?s?|in(?:ute)?s?|ours?)?\b"
)
class Outage:
    """Every request has failed for longer than the limit, divided by the pace as every wait is."""

    error_edges: tuple[float, ...] = ()
    factors: tuple[float, ...] = ()

    def __init__(self, match: re.Match[str]) -> None:
        self.limit_s = float(match["amount"]) * _UNIT_S[match["unit"].lower()]

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look. No requests at all prove no outage."""
        detector = evidence.detector
        if detector.bad_run < _LEAST_FAILURES:
            return None
        since = detector.run_began
        limit_s = self.limit_s / evidence.pace
        if detector.last_done - since <= limit_s:
            return None
        paced = f", {self.limit_s:g} s at pace {evidence.pace:g}" if evidence.pace != 1 else ""
        told = (
            f"no good answer to any of {detector.bad_run:,} requests within "
            f"{detector.last_done - since:.1f} s (tolerated: {limit_s:g} s{paced})"
        )
        return Firing(since + limit_s, True, (told,))
