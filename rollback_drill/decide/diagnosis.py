"""Which procedure to perform: the runbook's common scenarios, recognized in the evidence.

A scenario's symptom ("20% of requests returning HTTP 400") is bound by patterns to a recognizer,
as checkboxes are to checks. Where several scenarios are recognized, the one nearest to the cause
is taken, in the order of `Ailment`, because each can bring forth the symptoms of the later ones and
not the other way round: a service that is killed for memory drops its connections and answers
nothing until it is back; one that gets no connection answers 500 to every request; refused cursors
cost neither memory nor connections.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from rollback_drill.decide.evidence import Evidence, memory_sentences
from rollback_drill.decide.statistics import lower_bound, percent_text, share_sentence, upper_bound
from rollback_drill.runbook.model import Runbook, Scenario
from rollback_drill.traffic.observation import Outcome
from rollback_drill.watch.told import LogLine

DEFAULT_PROCEDURE = 1  # the application rollback removes the release, whatever is wrong with it
# Postgres keeps three sessions for its administrators (superuser_reserved_connections).
_RESERVED = 3
_LEAST_REQUESTS = 20  # a share of fewer is an accident
_NO_CONNECTION = re.compile(
    r"too many (?:clients|connections)|remaining connection slots|"
    r"connection (?:limit|pool)\b.*(?:exceed|exhaust|timed? ?out)",
    re.IGNORECASE,
)
# A pool's clients also wait in vain when the whole process is slow, as short of memory.
_WAITED = re.compile(r"couldn't get a connection", re.IGNORECASE)


class Ailment(IntEnum):
    """What is wrong, nearest to the cause first; the default order of scenarios."""

    MEMORY = 1
    CONNECTIONS = 2
    CURSORS = 3


class Strength(IntEnum):
    """How well a symptom is seen."""

    ABSENT = 0
    CONSISTENT = 1  # what was seen fits, but proves nothing
    PROVEN = 2


@dataclass(frozen=True, slots=True)
class Recognition:
    """How well a scenario's symptom is seen, and by which evidence (sentences)."""

    cause: Ailment
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
_REGISTRY: list[tuple[re.Pattern[str], Recognizer]] = []


def symptom(pattern: str) -> Callable[[Recognizer], Recognizer]:
    """Bind the decorated recognizer to scenarios in whose symptom `pattern` is found."""

    def register(function: Recognizer) -> Recognizer:
        _REGISTRY.append((re.compile(pattern, re.IGNORECASE), function))
        return function

    return register


def recognize(scenario: Scenario, evidence: Evidence) -> Recognition | None:
    """Return how well `scenario` is seen; None when no recognizer is bound to its symptom."""
    for pattern, recognizer in _REGISTRY:
        match = pattern.search(scenario.symptom)
        if match:
            return recognizer(evidence, match)
    return None


def diagnose(runbook: Runbook, evidence: Evidence) -> Diagnosis:
    """Return the best-seen scenario of `runbook`, among equals the one nearest to the cause.

    Without one it is Procedure 1, the application rollback, and the diagnosis says so.
    """
    seen = [(scenario, recognize(scenario, evidence)) for scenario in runbook.scenarios]
    matched = sorted(
        ((s, r) for s, r in seen if r and r.strength > Strength.ABSENT),
        key=lambda pair: (-pair[1].strength, pair[1].cause, pair[0].number),
    )
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


@symptom(r"\bOOM\b|out[- ]of[- ]memory|memory (?:leak|grow|usage)|killed for memory")
def memory(evidence: Evidence, match: re.Match[str]) -> Recognition:  # noqa: ARG001 - no numbers
    """Kills for memory prove it; provable growth without a kill is consistent with it."""
    told = memory_sentences(evidence)
    strength = Strength.CONSISTENT if told else Strength.ABSENT
    if evidence.kills:
        strength = Strength.PROVEN
    return Recognition(Ailment.MEMORY, strength, told)


@symptom(r"too many (?:connections|clients)|connection(?: pool)?s? .*(?:exhaust|limit)")
def connections(evidence: Evidence, match: re.Match[str]) -> Recognition:  # noqa: ARG001
    """A log line that says so proves it; a server at its limit is consistent with it.

    Clients of a pool that waited in vain prove nothing while the server has room.
    """
    room = False
    if evidence.connections:
        most, limit = evidence.connections
        room = most < limit - _RESERVED
    lines = [
        line
        for _, line in evidence.lines
        if _NO_CONNECTION.search(line.text) or (not room and _WAITED.search(line.text))
    ]
    told: list[str] = []
    if lines:
        told.append(
            f"{len(lines):,} log lines say so, such as {_quoted(lines[0])} "
            f"({lines[0].source} log of {lines[0].host or 'the stage'})"
        )
    full = False
    if evidence.connections:
        most, limit = evidence.connections
        full = most >= limit - _RESERVED
        if full:
            told.append(f"Postgres had {most} sessions, its limit is {limit}")
    strength = Strength.CONSISTENT if full else Strength.ABSENT
    if lines:
        strength = Strength.PROVEN
    return Recognition(Ailment.CONNECTIONS, strength, tuple(told))


@symptom(r"(?P<share>\d[\d.]*)\s*%.*\b(?:HTTP )?400\b|(?P<any>invalid[- ]cursors?)")
def invalid_cursors(evidence: Evidence, match: re.Match[str]) -> Recognition:
    """Proven when the lower bound of the share of refused cursors reaches the symptom's percentage.

    Consistent while its interval still contains the percentage and most failures are of this
    kind. Without a percentage, most failures must provably be of this kind.
    """
    change = evidence.detector.change
    if change is None or change.n < _LEAST_REQUESTS:
        return Recognition(Ailment.CURSORS, Strength.ABSENT, ())
    hits, n, failures = change.outcomes[Outcome.INVALID_CURSOR], change.n, change.failures
    told = share_sentence(hits, n, "were refused for their cursor (HTTP 400)")
    mostly = lower_bound(hits, failures) > 0.5
    if match["share"] is None:
        strength = Strength.PROVEN if mostly else Strength.ABSENT
        return Recognition(Ailment.CURSORS, strength, (told,))
    limit = float(match["share"]) / 100.0
    low, high = lower_bound(hits, n), upper_bound(hits, n)
    if low >= limit:
        proof = f"{told}: at least {percent_text(low)}, the symptom's {limit * 100:g} % is proven"
        return Recognition(Ailment.CURSORS, Strength.PROVEN, (proof,))
    if mostly and high >= limit:
        proof = f"{told}: the symptom's {limit * 100:g} % is within what this many requests allow"
        return Recognition(Ailment.CURSORS, Strength.CONSISTENT, (proof,))
    return Recognition(Ailment.CURSORS, Strength.ABSENT, (told,))


def _quoted(line: LogLine) -> str:
    text = line.text if len(line.text) <= 120 else line.text[:119] + "…"
    return f"“{text}”"
