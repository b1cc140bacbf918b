"""Triggers that a sentinel sees: damaged data, open doors, no metrics."""

from __future__ import annotations

import re

from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.trigger import Firing, PlainWatch, watch
from rollback_drill.ground.pace import paced_s


class SeenTrigger(PlainWatch):
    """A sentinel has failed as often in a row as it takes."""

    sentinel = ""
    looks = 1
    sharp = True
    lasting = False  # what was lost or shown once is not undone by a later look that sees nothing

    def __init__(self, match: re.Match[str]) -> None:
        del match  # these texts have no number

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        series = evidence.series(self.sentinel)
        if self.lasting:
            at = series.ever_failed_at
            return None if at is None else Firing(at, self.sharp, (series.failure,))
        if series.streak < self.looks:
            return None
        at = max(series.failed_at[self.looks - 1], series.failed_at[0] + self.least_s(evidence))
        return Firing(at, self.sharp, (series.failure,)) if series.last_at >= at else None

    def least_s(self, evidence: Evidence) -> float:
        """Return how long it must last."""
        del evidence
        return 0.0


@watch(r"data (?:corruption|loss)|(?:records?|data) (?:are |is )?(?:damaged|corrupted|lost)")
class DamagedData(SeenTrigger):
    """An acknowledged write is damaged or gone. One look at the database proves it."""

    sentinel = "integrity"
    lasting = True


@watch(
    r"security (?:breach(?:es)?|incidents?|violations?|leaks?)|authentication bypass"
    r"|data (?:is )?(?:shown|exposed)|data exposure"
)
class SecurityBreach(SeenTrigger):
    """Data came without a valid key, or an answer showed a secret. One answer proves it."""

    sentinel = "security"
    lasting = True


@watch(
    r"monitoring (?:failure|fails|is down)|can no longer be seen|metrics .*(?:unavailable|missing)"
)
class MonitoringFailure(SeenTrigger):
    """The metrics could not be read for as long as the runbook says, a minute where it says
    nothing (paced), and longer than a restart takes.
    """

    sentinel = "metrics"
    looks = 4
    sharp = False  # a service that is down is blind as well: something worse may be the reason
    default_s = 60.0

    def __init__(self, match: re.Match[str]) -> None:
        super().__init__(match)
        self.limit_s = self.default_s

    def least_s(self, evidence: Evidence) -> float:
        """See SeenTrigger.least_s."""
        return paced_s(self.limit_s, evidence.pace)
