"""Which procedure to perform: the runbook's common scenarios, recognized in the evidence.

A scenario's symptom ("20% of requests returning HTTP 400") is bound by patterns to a recognizer,
as checkboxes are to checks: to add one, put a module into `decide/scenarios` with a function under
`@symptom`. Where several scenarios are recognized, the one nearest to the cause is taken, because
each can bring forth the symptoms of the later ones and not the other way round: a service that is
killed for memory drops its connections and answers nothing until it is back; one that gets no
connection answers 500 to every request; what clients are refused costs neither.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from rollback_drill.decide.evidence import Evidence
from rollback_drill.family import Family
from rollback_drill.runbook.model import Runbook, Scenario

DEFAULT_PROCEDURE = 1  # the application rollback removes the release, whatever is wrong with it


class Strength(IntEnum):
    """How well a symptom is seen."""

    ABSENT = 0
    CONSISTENT = 1  # what was seen fits, but proves nothing
    PROVEN = 2


@dataclass(frozen=True, slots=True)
class Recognition:
    """How well a scenario's symptom is seen, and by which evidence (sentences)."""

    strength: Strength
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The procedure to perform and why. `scenario` is None when none was recognized.

    `alternatives`: the other scenarios, each with why it was not taken.
    """

    scenario: Scenario | None
    procedure: int
    strength: Strength
    reason: str
    evidence: tuple[str, ...]
    alternatives: tuple[str, ...]


Recognizer = Callable[[Evidence, re.Match[str]], Recognition]


@dataclass(frozen=True, slots=True)
class Symptom:
    """A recognizer, and the symptoms that it is for; see `symptom`."""

    pattern: re.Pattern[str]
    recognizer: Recognizer
    depth: int


SCENARIOS: Family[Symptom] = Family("scenarios", "a scenario")


def symptom(pattern: str, *, depth: int) -> Callable[[Recognizer], Recognizer]:
    """Bind the decorated recognizer to scenarios in whose symptom `pattern` is found. `depth`: how
    far from the cause they are: 1 memory, 2 connections, 3 what clients are refused.
    """

    def register(function: Recognizer) -> Recognizer:
        one = Symptom(re.compile(pattern, re.IGNORECASE), function, depth)
        SCENARIOS.add(function.__name__, one, function)
        return function

    return register


def recognize(scenario: Scenario, evidence: Evidence) -> tuple[int, Recognition] | None:
    """Return how far from the cause `scenario` is, and how well it is seen; None when no recognizer
    is bound to its symptom.
    """
    for one in sorted(SCENARIOS.members().values(), key=lambda one: one.depth):
        match = one.pattern.search(scenario.symptom)
        if match:
            return one.depth, one.recognizer(evidence, match)
    return None


def diagnose(runbook: Runbook, evidence: Evidence) -> Diagnosis:
    """Return the best-seen scenario of `runbook`, among equals the one nearest to the cause.

    Without one it is Procedure 1, the application rollback, and the diagnosis says so.
    """
    found = [(scenario, recognize(scenario, evidence)) for scenario in runbook.scenarios]
    seen = [(scenario, one[1] if one else None) for scenario, one in found]
    matched = [
        (scenario, recognition)
        for scenario, (_, recognition) in sorted(
            ((s, one) for s, one in found if one and one[1].strength > Strength.ABSENT),
            key=lambda pair: (-pair[1][1].strength, pair[1][0], pair[0].number),
        )
    ]
    chosen = matched[0] if matched else None
    others = tuple(_why_not(s, r, chosen) for s, r in seen if not chosen or s is not chosen[0])
    if chosen is None:
        return Diagnosis(
            None,
            DEFAULT_PROCEDURE,
            Strength.ABSENT,
            "none of the runbook's scenarios was recognized: Procedure "
            f"{DEFAULT_PROCEDURE}, the application rollback, as the default",
            (),
            others,
        )
    scenario, recognition = chosen
    assert recognition
    how = "proven" if recognition.strength is Strength.PROVEN else "consistent with what was seen"
    reason = (
        f"Scenario {scenario.number}, {scenario.title} ({how}): “{scenario.symptom}” calls for "
        f"Procedure {scenario.procedure}"
    )
    if len(matched) > 1:
        reason += "; it is the better seen one, or nearer to the cause than the others"
    return Diagnosis(
        scenario, scenario.procedure, recognition.strength, reason, recognition.evidence, others
    )


def _why_not(
    scenario: Scenario,
    recognition: Recognition | None,
    chosen: tuple[Scenario, Recognition | None] | None,
) -> str:
    name = f"not Scenario {scenario.number}, {scenario.title}"
    if recognition is None:
        return f"{name}: nothing can recognize “{scenario.symptom}” (line {scenario.line})"
    told = "; ".join(recognition.evidence)
    if recognition.strength is Strength.ABSENT or chosen is None or chosen[1] is None:
        return f"{name}: {told or 'no sign of it'}"
    why = (
        "it follows from the chosen one"
        if recognition.strength == chosen[1].strength
        else "it is seen less clearly"
    )
    return f"{name}: {why} ({told})"
