"""Clients are refused for their cursors."""

from __future__ import annotations

import re

from rollback_drill.decide.diagnosis import Recognition, Strength, symptom
from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.statistics import lower_bound, percent_text, share_sentence, upper_bound
from rollback_drill.traffic.observation import Outcome

_LEAST_REQUESTS = 20  # a share of fewer is an accident


@symptom(r"(?P<share>\d[\d.]*)\s*%.*\b(?:HTTP )?400\b|(?P<any>invalid[- ]cursors?)", depth=3)
def invalid_cursors(evidence: Evidence, match: re.Match[str]) -> Recognition:
    """Proven when the lower bound of the share of refused cursors reaches the symptom's percentage.

    Consistent while its interval still contains the percentage and most failures are of this
    kind. Without a percentage, most failures must provably be of this kind.
    """
    change = evidence.detector.change
    if change is None or change.n < _LEAST_REQUESTS:
        return Recognition(Strength.ABSENT, ())
    hits, n, failures = change.outcomes[Outcome.INVALID_CURSOR], change.n, change.failures
    told = share_sentence(hits, n, "were refused for their cursor (HTTP 400)")
    mostly = lower_bound(hits, failures) > 0.5
    if match["share"] is None:
        strength = Strength.PROVEN if mostly else Strength.ABSENT
        return Recognition(strength, (told,))
    limit = float(match["share"]) / 100.0
    low, high = lower_bound(hits, n), upper_bound(hits, n)
    if low >= limit:
        proof = f"{told}: at least {percent_text(low)}, the symptom's {limit * 100:g} % is proven"
        return Recognition(Strength.PROVEN, (proof,))
    if mostly and high >= limit:
        proof = f"{told}: the symptom's {limit * 100:g} % is within what this many requests allow"
        return Recognition(Strength.CONSISTENT, (proof,))
    return Recognition(Strength.ABSENT, (told,))
