"""What the pagination release changed, beside what it did not."""

from __future__ import annotations

import math

from rollback_drill.decide.attribution import HEALTHY, comparison
from rollback_drill.decide.evidence import Asked, Evidence
from rollback_drill.decide.statistics import lower_bound, percent_text, upper_bound

_LISTS = frozenset({"list_first", "list_page", "reservations"})


@comparison
def lists_beside_the_rest(evidence: Evidence) -> tuple[str, ...]:
    """Compare what the release changed (lists) with the control that it did not: details and
    writes, which are answered in the format that they always had.
    """
    groups: dict[bool, list[Asked]] = {True: [], False: []}
    for one in evidence.since_change():
        groups[one.operation in _LISTS].append(one)
    if not groups[True] or not groups[False]:
        return ()
    detector = evidence.detector
    slow_s = min(detector.slower, default=math.nan) * detector.baseline_s  # NaN: not known yet
    bad = {changed: _bad(groups[changed], slow_s) for changed in groups}
    told = (
        f"of what the release changed, {_shares(groups[True], slow_s)}; of the control without "
        f"pagination, {_shares(groups[False], slow_s)} (details and writes, in the old format)"
    )
    count = len(groups[False])
    if lower_bound(bad[False], count) >= HEALTHY:
        told += ": the control suffers as well"
    elif upper_bound(bad[False], count) < HEALTHY <= lower_bound(bad[True], len(groups[True])):
        told += ": the control is well"
    return (told,)


def _bad(requests: list[Asked], slow_s: float) -> int:
    return sum(one.failed or one.latency_s >= slow_s for one in requests)


def _shares(requests: list[Asked], slow_s: float) -> str:
    n = len(requests)
    told = f"{percent_text(sum(one.failed for one in requests) / n)} of {n} requests failed"
    if not math.isnan(slow_s):
        slow = sum(one.latency_s >= slow_s for one in requests) / n
        told += f" and {percent_text(slow)} took {slow_s * 1000:.0f} ms or longer"
    return told
