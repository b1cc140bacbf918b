"""Triggers that a sentinel sees: damaged data, open doors, no metrics, broken pages, low use."""

from __future__ import annotations

import re

from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.statistics import percent_text, share_sentence, upper_bound
from rollback_drill.decide.trigger import Firing, PlainWatch, watch
from rollback_drill.ground.pace import paced_s
from rollback_drill.runbook.amounts import duration_s


class _Seen(PlainWatch):
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
class DamagedData(_Seen):
    """An acknowledged write is damaged or gone. One look at the database proves it."""

    sentinel = "integrity"
    lasting = True


@watch(r"security|authentication bypass|data (?:is )?(?:shown|exposed)|data exposure")
class SecurityBreach(_Seen):
    """Data came without a valid key, or an answer showed a secret. One answer proves it."""

    sentinel = "security"
    lasting = True


@watch(
    r"monitoring (?:failure|fails|is down)|can no longer be seen|metrics .*(?:unavailable|missing)"
)
class MonitoringFailure(_Seen):
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
        """See _Seen.least_s."""
        return paced_s(self.limit_s, evidence.pace)


@watch(
    r"feature (?:is )?broken|pages? .*(?:repeat|skip)|never end|pagination .*(?:broken|not work)"
)
class BrokenPagination(_Seen):
    """Two walks in a row found pages that repeat, skip or never end."""

    sentinel = "pages"
    looks = 2


@watch(
    r"adoption.*?<\s*(?P<share>\d[\d.]*)\s*%.*?(?P<after>\d+\s*(?:h(?:ours?)?|d(?:ays?)?|min\w*|s\w*)\b)"
)
class RareUse(PlainWatch):
    """The share of lists asked for by cursor since then is proven to be below the runbook's, and
    the release is as old as the runbook says, divided by the pace.
    """

    sentinel = "adoption"

    def __init__(self, match: re.Match[str]) -> None:
        self.share = float(match["share"]) / 100.0
        self.after_s = duration_s(match["after"])

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        series = evidence.series(self.sentinel)
        if len(series.numbers) < 2:
            return None
        (began, first), (at, last) = series.numbers[0], series.numbers[-1]
        lists = int(last["lists"] - first["lists"])
        used = int(last["used"] - first["used"])
        limit_s = self.after_s / evidence.pace
        if at - began < limit_s or lists <= 0 or used > lists or used < 0:
            return None
        if upper_bound(used, lists) >= self.share:
            return None
        told = (
            f"{share_sentence(used, lists, 'carried a cursor')}: proven below "
            f"{percent_text(self.share)} over {limit_s:.0f} s "
            f"({self.after_s / 3600:g} h at pace {evidence.pace:g})"
        )
        return Firing(began + limit_s, True, (told,))
