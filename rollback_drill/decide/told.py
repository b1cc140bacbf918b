"""What is told of triggers and of the decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from rollback_drill.record.decoding import NAMED, Form
from rollback_drill.record.told import Count, Name, Number, Seconds, Told

ACTIONS = ("no action", "monitor", "prepare", "rollback", "no rollback")
"""Words of the matrix and the tiers for what to do."""
NOT_LONG_ENOUGH = "not long enough to say"
"""The answer when the time is over before the evidence suffices."""
ANSWERS_TOLD = (*ACTIONS, NOT_LONG_ENOUGH)


@dataclass(frozen=True, slots=True)
class TriggersRead(Told):
    """How the runbook's triggers are held: `watched` are the names of those that are.

    `uncovered`: why nothing watches for (all of) a trigger, by "Trigger “name”, line n"; `unseen`:
    why nobody can look for it on this stage; `stretched`: waits that the pace would have made
    shorter than a service takes to start; `fault`: what to know of the fault's own trigger, "" for
    nothing; `p95_from_s`: from which latency on each row of the matrix holds, by its condition, but
    for the mildest.
    """

    watched: tuple[Name, ...]
    uncovered: dict[str, str] = field(default_factory=dict)
    unseen: dict[str, str] = field(default_factory=dict)
    stretched: tuple[str, ...] = ()
    fault: str = ""
    p95_from_s: dict[Name, Seconds] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TriggerFired(Told):
    """A trigger of the runbook or a row of its matrix began to hold, `after_s` from the onset."""

    trigger: Name
    line: Number
    severity: Name
    action: Name
    after_s: Seconds
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decided(Told):
    """The detector's decision. `action` is the matrix's or tier's word for what to do:
    "no action", "monitor", "prepare", "rollback"; or that it was not long enough to say, and then
    `more` is how many more requests it takes at the least (0 when nobody knows). `rollback` is True
    when one is to be done.

    `trigger`: the runbook's trigger as written, `trigger_line` its line. `procedure` and
    `diagnosis` come from the runbook's scenarios (0 and "" without a rollback); `evidence` is a
    list of sentences with numbers and their confidence.
    `detected_after_s` counts from the beginning of the look that saw the fault's symptom to the
    instant at which the trigger held, `requests` those that were due in between.
    `answer`: how soon the trigger's tier wants it; `explanation`: how trigger and matrix led to it.
    `ours`: whether the release is to blame, None when that is not known; `attribution`: why.
    """

    by_clients: ClassVar[bool] = True

    action: Annotated[str, Form("an action", ANSWERS_TOLD.__contains__)]
    rollback: bool
    trigger: str
    trigger_line: Number
    severity: str
    procedure: Number
    diagnosis: str
    scenario: Number
    evidence: Annotated[tuple[str, ...], NAMED]
    detected_after_s: Seconds
    requests: Count
    answer: str = ""
    explanation: str = ""
    ours: bool | None = None
    attribution: tuple[str, ...] = ()
    more: Count = 0


def sentences(read: TriggersRead) -> Iterator[str]:
    """Yield what a person must know of how the triggers are held, nothing when all are."""
    for where, why in read.uncovered.items():
        yield f"UNCOVERED  {where}: {why}"
    for where, why in read.unseen.items():
        yield f"not seen here  {where}: {why}"
    yield from read.stretched
    if read.fault:
        yield read.fault
