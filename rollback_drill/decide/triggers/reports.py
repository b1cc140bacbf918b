"""What people report: a P0 incident, several urgent tickets of customers."""

from __future__ import annotations

import re

from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.trigger import Firing, PlainWatch, watch
from rollback_drill.watch.told import Reported

_SEVERAL = 3  # the runbook gives no number; two may be one customer's double click
_LEVEL = re.compile(r"p[0-3]\b", re.IGNORECASE)
_URGENT = re.compile(r"high|urgent|critical|p[01]\b", re.IGNORECASE)


@watch(r"(?P<severity>P[0-3])\s+incident")
class Incident(PlainWatch):
    """An incident of the named severity, or a worse one, was opened."""

    def __init__(self, match: re.Match[str]) -> None:
        self.severity = match["severity"].upper()

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        found = [
            (at, one)
            for at, one in evidence.reports
            if one.form == "incident"
            and _LEVEL.match(one.level)
            and one.level[:2].upper() <= self.severity
        ]
        return Firing(found[0][0], True, _told(found)) if found else None


@watch(r"customer (?:escalations?|tickets?|complaints?)", r"\btickets\b")
class Tickets(PlainWatch):
    """Several urgent tickets arrived, counted once for each title and customer."""

    def __init__(self, match: re.Match[str]) -> None:
        del match  # "several" is no number

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        found = {
            (one.reporter, one.title): (at, one)
            for at, one in reversed(evidence.reports)
            if one.form == "ticket" and _URGENT.search(one.level)
        }
        tickets = sorted(found.values(), key=lambda pair: pair[0])
        if len(tickets) < _SEVERAL:
            return None
        return Firing(tickets[_SEVERAL - 1][0], True, _told(tickets))


def _told(found: list[tuple[float, Reported]]) -> tuple[str, ...]:
    first = found[0][1]
    count = f"{len(found)} {first.form}s" if len(found) > 1 else f"one {first.form}"
    return (f"{count} reported, such as {first.level} by {first.reporter}: “{first.title}”",)
