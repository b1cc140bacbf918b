"""Is it ours? Whether the release can be to blame, or a rollback would not help.

A release is acquitted by an alibi: proof that something else explains what clients see. Where none
of them holds, though each was looked at, it is to blame, since nothing else is left. Where one of
them could not be looked at, nobody knows.

To add one, put a module into `decide/alibis` with a function under `@alibi`. They are told in the
order of their files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rollback_drill.decide.evidence import Evidence, Series
from rollback_drill.family import Family
from rollback_drill.ground.verdict import Verdict

TWICE = 2
"""A single look may have met a moment of change."""
HEALTHY = 0.05
"""At most so many of the requests of whoever is well fail, proven."""


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


Compare = Callable[[Evidence], tuple[str, ...]]
"""Says what some requests tell beside the others; nothing where there are not both."""
COMPARISONS: Family[Compare] = Family("comparisons", "a comparison")


def comparison(compare: Compare) -> Compare:
    """Add the decorated function to what every attribution tells; it decides nothing."""
    COMPARISONS.add(compare.__name__, compare, compare)
    return compare


def attribute(evidence: Evidence) -> Attribution:
    """Return whether the release is to blame for what was seen since the onset."""
    found = {claim: looks(evidence) for claim, looks in ALIBIS.members().items()}
    told = (*(one.sentence for one in found.values()), *_compared(evidence))
    holding = [name for name, one in found.items() if one.holds]
    if holding:
        reason = f"a rollback will not help: {holding[0]}"
        first = found[holding[0]].sentence
        return Attribution(False, reason, (first, *(s for s in told if s != first)))
    open_questions = [name for name, one in found.items() if one.holds is None]
    if open_questions:
        return Attribution(None, f"not known whether {open_questions[0]}", told)
    return Attribution(True, "the release is to blame: nothing around it explains this", told)


def _compared(evidence: Evidence) -> Iterator[str]:
    for compare in COMPARISONS.members().values():
        yield from compare(evidence)


def not_failing(series: Series, sentinel: str) -> Alibi:
    """Return the alibi that a sentinel which saw no failure gives: none, or nobody knows."""
    if series.last is None or series.last.verdict is Verdict.UNKNOWN:
        said = series.last.evidence if series.last else "nobody looked"
        return Alibi(None, f"the {sentinel} is not known: {said}")
    return Alibi(False, series.last.evidence)
