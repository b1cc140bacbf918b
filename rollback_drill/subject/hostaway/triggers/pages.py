"""Pages are broken, or nobody asks for them: what the demo's own sentinels see."""

from __future__ import annotations

import re

from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.statistics import percent_text, share_sentence, upper_bound
from rollback_drill.decide.trigger import Firing, PlainWatch, watch
from rollback_drill.decide.triggers.seen import SeenTrigger
from rollback_drill.runbook.amounts import duration_s


@watch(
    r"feature (?:is )?broken|pages? .*(?:repeat|skip)|never end|pagination .*(?:broken|not work)"
)
class BrokenPagination(SeenTrigger):
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
