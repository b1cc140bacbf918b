"""Is it ours? Whether the release can be to blame, or a rollback would not help.

A release is acquitted by an alibi: proof that something else explains what clients see. Where none
of them holds, though each was looked at, it is to blame, since nothing else is left. Where one of
them could not be looked at, nobody knows.

To add one, put a module into `decide/alibis` with a function under `@alibi`. They are told in the
order of their files.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rollback_drill.decide.evidence import Asked, Evidence, Series
from rollback_drill.decide.statistics import lower_bound, percent_text, upper_bound
from rollback_drill.family import Family
from rollback_drill.ground.verdict import Verdict

TWICE = 2
"""A single look may have met a moment of change."""
HEALTHY = 0.05
"""At most so many of the requests of whoever is well fail, proven."""
_LISTS = frozenset({"list_first", "list_page", "reservations"})


@dataclass(frozen=True, slots=True)
class Attribution:
    """`ours`: True, False, or None for not known; `reason`: one sentence; `evidence` behind it."""

    ours: bool | None
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alibi:
    """What came of looking for one. `holds`: None when nobody could look; `sentence`: what was
    seen.
    """

    holds: bool | None
    sentence: str


LooksForAlibi = Callable[[Evidence], Alibi]
ALIBIS: Family[LooksForAlibi] = Family("alibis", "an alibi")


def alibi(claim: str) -> Callable[[LooksForAlibi], LooksForAlibi]:
    """Add the decorated function, which looks whether `claim` ("one client is the cause")."""

    def register(function: LooksForAlibi) -> LooksForAlibi:
        ALIBIS.add(claim, function, function)
        return function

    return register


def attribute(evidence: Evidence) -> Attribution:
    """Return whether the release is to blame for what was seen since the onset."""
    found = {claim: looks(evidence) for claim, looks in ALIBIS.members().items()}
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


def not_failing(series: Series, sentinel: str) -> Alibi:
    """Return the alibi that a sentinel which saw no failure gives: none, or nobody knows."""
    if series.last is None or series.last.verdict is Verdict.UNKNOWN:
        said = series.last.evidence if series.last else "nobody looked"
        return Alibi(None, f"the {sentinel} is not known: {said}")
    return Alibi(False, series.last.evidence)


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
