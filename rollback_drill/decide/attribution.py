"""Is it ours? Whether the release can be to blame, or a rollback would not help.

A release is acquitted by an alibi: proof that something else explains what clients see. Where none
of them holds, though each was looked at, it is to blame, since nothing else is left. Where one of
them could not be looked at, nobody knows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from rollback_drill.decide.evidence import Asked, Evidence, Series
from rollback_drill.decide.statistics import lower_bound, percent_text, share_sentence, upper_bound
from rollback_drill.ground.verdict import Verdict
from rollback_drill.traffic.observation import Outcome
from rollback_drill.watch.told import DATABASE, FRONT_DOOR, SLOWER

_TWICE = 2  # a single look may have met a moment of change
_ONE_CLIENT = 0.9  # of all failures, proven, are one client's
_HEALTHY = 0.05  # at most so many of the others' requests fail, proven
_LEAST_CLIENTS = 3  # of fewer, "only one of them" says nothing
_LISTS = frozenset({"list_first", "list_page", "reservations"})
_ANSWERED = frozenset({Outcome.SERVER_ERROR, Outcome.REJECTED, Outcome.INVALID_CURSOR})


@dataclass(frozen=True, slots=True)
class Attribution:
    """`ours`: True, False, or None for not known; `reason`: one sentence; `evidence` behind it."""

    ours: bool | None
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Alibi:
    holds: bool | None  # None: nobody could look
    sentence: str


def attribute(evidence: Evidence) -> Attribution:
    """Return whether the release is to blame for what was seen since the onset."""
    found = {name: alibi(evidence) for name, alibi in _ALIBIS.items()}
    told = (*(one.sentence for one in found.values()), *_control(evidence))
    holding = [name for name, one in found.items() if one.holds]
    if holding:
        reason = f"a rollback will not help: {holding[0]}"
        first = found[holding[0]].sentence
        return Attribution(False, reason, (first, *(s for s in told if s != first)))
    open_questions = [name for name, one in found.items() if one.holds is None]
    if open_questions:
        return Attribution(None, f"not known whether {open_questions[0]}", told)
    return Attribution(True, "the release is to blame: nothing around it explains this", told)


def _surroundings(sentinel: str) -> Callable[[Evidence], _Alibi]:
    def look(evidence: Evidence) -> _Alibi:
        series = evidence.series(sentinel)
        slower = sentinel == FRONT_DOOR and _slower(series)
        # A lock that is taken again and again is free now and then; a door has to stay shut.
        failures = series.recent.count(Verdict.FAILED) if sentinel == DATABASE else series.streak
        if failures >= _TWICE and slower:
            return _slow_way(evidence, series.failure)
        if failures >= _TWICE:
            return _Alibi(True, series.failure)
        if series.last is None or series.last.verdict is Verdict.UNKNOWN:
            said = series.last.evidence if series.last else "nobody looked"
            return _Alibi(None, f"the {sentinel} is not known: {said}")
        return _Alibi(False, series.last.evidence)

    return look


def _slower(series: Series) -> bool:
    return bool(series.last and SLOWER in series.last.numbers)


def _slow_way(evidence: Evidence, failure: str) -> _Alibi:
    """A slow way explains late answers and none at all, but not errors that a host has answered."""
    requests = list(evidence.since_change())
    answered = sum(one.outcome in _ANSWERED for one in requests)
    told = share_sentence(answered, len(requests), "were answered with an error by a host")
    holds = lower_bound(answered, len(requests)) < evidence.detector.errors.p0
    return _Alibi(holds, f"{failure}; {told}")


def _one_client(evidence: Evidence) -> _Alibi:
    """Nearly all failures are those of one client, and the others are served well."""
    failures: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for one in evidence.since_change():
        requests[one.client] += 1
        failures[one.client] += one.failed
    total = failures.total()
    if not total:
        return _Alibi(False, "no client met a failure")
    client, most = failures.most_common(1)[0]
    told = (
        f"{len(+failures)} of {len(requests)} clients met failures; {client} met {most} of {total}"
    )
    others = requests.total() - requests[client]
    alone = (
        len(requests) >= _LEAST_CLIENTS
        and lower_bound(most, total) > _ONE_CLIENT
        and upper_bound(total - most, others) < _HEALTHY
    )
    if not alone:
        return _Alibi(False, told)
    rest = share_sentence(total - most, others, "of all others failed")
    return _Alibi(True, f"{told}; {rest}: the errors come from one client")


_ALIBIS: dict[str, Callable[[Evidence], _Alibi]] = {
    "the database server is the cause": _surroundings(DATABASE),
    "the way to the hosts is the cause": _surroundings(FRONT_DOOR),
    "one client is the cause": _one_client,
}


def _control(evidence: Evidence) -> tuple[str, ...]:
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
    if lower_bound(bad[False], count) >= _HEALTHY:
        told += ": the control suffers as well"
    elif upper_bound(bad[False], count) < _HEALTHY <= lower_bound(bad[True], len(groups[True])):
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
