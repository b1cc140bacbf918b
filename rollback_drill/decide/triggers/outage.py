"""Complete service failure: nobody gets a good answer for longer than the runbook tolerates."""

from __future__ import annotations

import re

from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.trigger import Firing, PlainWatch, watch
from rollback_drill.ground.pace import START_S, paced_s, paced_text
from rollback_drill.runbook.wording import ABOVE, TIME, seconds

# Even if every second request failed, ten failures in a row come once in a thousand times.
_LEAST_FAILURES = 10
_LEAST_LOOKS = 4
_OURS = r"(?:API|service|site|website|app|application|system)s?"
_VERY = r"(?:completely|entirely|totally|fully)"
_GONE = (
    r"(?:unavailable|unreachable|offline|down|dead|not (?:available|reachable|responding|answering)"
    r"|(?:does not|doesn't|stops?) (?:respond|answer)(?:ing)?|fails completely)"
)
_OUT = (
    rf"(?:(?:complete|total|full|entire) (?:{_OURS} )?(?:failure|outage)"
    rf"|(?:^|{_OURS} )outage|{_OURS} (?:is |goes |becomes )?(?:{_VERY} )?{_GONE}"
    r"|no (?:good |successful |single )?(?:answers?|requests?|responses?)|nobody is served"
    r"|(?:all|100\s*%(?: of)?(?: the| all)?) requests fail(?:ing)?)\b"
)
_LONGER = rf"[^\d;]*?(?:>=?|≥|{ABOVE}|for|within|\()\s*(?P<amount>\d[\d.]*\s*{TIME})"


_WHERE = r"(?P<all>\s*\bon (?:all|every) (?:hosts?|instances?|pods?|nodes?|servers?)\b)?"


@watch(rf"{_OUT}{_LONGER}", rf"(?P<all>{_OUT})", by_words=True)
class Outage(PlainWatch):
    """Every request has failed for longer than the limit, divided by the pace as every wait is.

    Where the runbook names none, for longer than a restart takes.
    """

    default_s = START_S

    def __init__(self, match: re.Match[str]) -> None:
        amount = match.groupdict().get("amount")
        self.limit_s = seconds(amount) if amount else self.default_s

    def pending(self, evidence: Evidence) -> bool:
        """See Pending.pending."""
        under_way = evidence.detector.bad_run >= _LEAST_FAILURES
        return under_way and self.look(evidence) is None

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look. No requests at all prove no outage."""
        detector = evidence.detector
        if detector.bad_run < _LEAST_FAILURES:
            return None
        since = detector.run_began
        limit_s = paced_s(self.limit_s, evidence.pace)
        if detector.last_done - since <= limit_s:
            return None
        told = (
            f"no good answer to any of {detector.bad_run:,} requests within "
            f"{detector.last_done - since:.1f} s (tolerated: "
            f"{paced_text(self.limit_s, evidence.pace)})"
        )
        return Firing(since + limit_s, True, (told,))


@watch(
    rf"health[\s-]?checks?\b[^\d:;]*?\b(?:fail(?:s|ed|ing)?|red|unhealthy|not pass\w*)\b{_WHERE}",
    rf"\b(?:fail(?:ed|ing)?) health[\s-]?checks?\b{_WHERE}",
    rf"(?P<path>/health)\b[^\d:;]*?\b(?:fail(?:s|ed|ing)?|does not answer|not 200)\b{_WHERE}",
    by_words=True,
)
class HealthFailing(PlainWatch):
    """A host's health endpoint has not answered 200 for the limit, at least as long as a restart
    takes. Where the runbook speaks of all hosts, on each of them.
    """

    default_s = START_S

    def __init__(self, match: re.Match[str]) -> None:
        self.limit_s = self.default_s
        self._all = bool(match["all"])

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        limit_s = paced_s(self.limit_s, evidence.pace)
        failing = {
            host: one
            for host, one in evidence.unhealthy.items()
            if one and one.looks >= _LEAST_LOOKS and one.until - one.since >= limit_s
        }
        if len(failing) < (len(evidence.unhealthy) if self._all else 1) or not failing:
            return None
        began = [one.since for one in failing.values()]
        told = tuple(
            f"{host}: the health check failed {one.looks} times in a row over "
            f"{one.until - one.since:.1f} s, last with {one.status or 'no answer'} (tolerated: "
            f"{paced_text(self.limit_s, evidence.pace)})"
            for host, one in sorted(failing.items())
        )
        return Firing((max(began) if self._all else min(began)) + limit_s, True, told)
