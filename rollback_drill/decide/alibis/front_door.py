"""The way to the hosts is shut, or slow."""

from __future__ import annotations

from rollback_drill.decide.attribution import TWICE, Alibi, alibi, not_failing
from rollback_drill.decide.evidence import Evidence, Series
from rollback_drill.decide.statistics import lower_bound, share_sentence
from rollback_drill.traffic.observation import Outcome
from rollback_drill.watch.told import FRONT_DOOR, SLOWER

_ANSWERED = frozenset({Outcome.SERVER_ERROR, Outcome.REJECTED, Outcome.INVALID_CURSOR})


@alibi("the way to the hosts is the cause")
def front_door(evidence: Evidence) -> Alibi:
    """A door has to stay shut."""
    series = evidence.series(FRONT_DOOR)
    if series.streak < TWICE:
        return not_failing(series, FRONT_DOOR)
    if _slower(series):
        return _slow_way(evidence, series.failure)
    return Alibi(True, series.failure)


def _slower(series: Series) -> bool:
    return bool(series.last and SLOWER in series.last.numbers)


def _slow_way(evidence: Evidence, failure: str) -> Alibi:
    """A slow way explains late answers and none at all, but not errors that a host has answered."""
    requests = list(evidence.since_change())
    answered = sum(one.outcome in _ANSWERED for one in requests)
    told = share_sentence(answered, len(requests), "were answered with an error by a host")
    holds = lower_bound(answered, len(requests)) < evidence.detector.errors.p0
    return Alibi(holds, f"{failure}; {told}")
