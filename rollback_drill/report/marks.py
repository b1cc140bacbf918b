"""What happened when: phases, steps and moments of a drill, as its picture shows them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from rollback_drill.breaks.told import (
    FaultAttested,
    FaultHealed,
    FaultInjected,
    HazardArmed,
    HazardOver,
)
from rollback_drill.conduct.told import Restored, Resumed
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.anchors import step_ids
from rollback_drill.perform.maintenance import spans
from rollback_drill.perform.performed import performed
from rollback_drill.perform.told import StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.told import DrillBroke, Interrupted, PhaseStarted


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment (Unix seconds): its `name` on the picture, what it was in words, and how it is
    drawn: "bad", "good" or "mark".
    """

    at: float
    name: str
    told: str
    style: str = "mark"


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A part of a drill, from `begin` to `end` (Unix seconds)."""

    name: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Performing:
    """A step that was performed. `id`: where the page speaks of it, "" where it never ended;
    `verdict`: unknown then.
    """

    name: str
    id: str
    begin: float
    end: float
    verdict: Verdict


def phases(book: Book) -> list[PhaseSpan]:
    """Return the phases of a drill."""
    found = book.moments(PhaseStarted)
    ends = [at for at, _ in found[1:]] + [event.at for event in book.events[-1:]]
    return [
        PhaseSpan(one.phase.value, at, end) for (at, one), end in zip(found, ends, strict=False)
    ]


def marks(book: Book) -> list[Mark]:
    """Return the moments that matter, in the order of the clock."""
    return sorted(_marks(book), key=lambda one: one.at)


def _marks(book: Book) -> Iterator[Mark]:
    for at, resumed in book.moments(Resumed):
        yield Mark(at, "resumed", f"goes on where a drill in {resumed.directory} was killed")
    for at, fault in book.moments(FaultInjected):
        yield Mark(at, "fault", f"{fault.name}: {fault.how}", "bad")
    for at, symptom in book.moments(FaultAttested):
        seen = "symptom" if symptom.seen else "no symptom"
        yield Mark(at, seen, f"{symptom.symptom}: {symptom.evidence}", "bad")
    fired = book.moments(TriggerFired)
    if fired:
        at, trigger = fired[0]
        yield Mark(at, "alarm", f"{trigger.trigger} (line {trigger.line}) began to hold", "bad")
    decided = book.moments(Decided)
    for at, decision in decided:
        by = f" by Procedure {decision.procedure}" if decision.procedure else ""
        yield Mark(at, "decision", f"{decision.action}{by}: {decision.trigger or 'no trigger'}")
    for begin, end in book.ask(spans):
        yield Mark(begin, "maintenance on", "clients are turned away on purpose from here on")
        if not math.isinf(end):
            yield Mark(end, "maintenance off", "the runbook’s step that ends it has ended")
    restored = book.last(Restored)
    if restored and decided:
        told = (
            f"clients got good answers, and kept getting them, {restored.after_s:.1f} s after the"
        )
        yield Mark(decided[-1][0] + restored.after_s, "restored", f"{told} decision", "good")
    for at, hazard in book.moments(HazardArmed):
        yield Mark(at, "hazard", f"{hazard.name}: {hazard.how}", "bad")
    for at, over in book.moments(HazardOver):
        yield Mark(at, "hazard over", f"{over.name} {over.seen}".strip())
    for at, healed in book.moments(FaultHealed):
        yield Mark(at, "fault healed", f"{healed.name}, by the drill itself")
    for at, stop in book.moments(Interrupted):
        yield Mark(at, "interrupted", f"by {stop.by}", "bad")
    for at, broke in book.moments(DrillBroke):
        yield Mark(at, "drill broke", f"expected {broke.expected}, found {broke.found}", "bad")


def steps(book: Book) -> list[Performing]:
    """Return the steps in the order in which they were performed."""
    names = dict(zip(map(id, book.every(StepEnded)), book.ask(step_ids), strict=True))
    found = []
    for part in book.ask(performed).parts:
        one = part.started or part.ended
        if one is None:
            continue
        number = f" {one.number}" if one.number else ""
        verdict = part.ended.verdict if part.ended else Verdict.UNKNOWN
        where = names[id(part.ended)] if part.ended else ""
        name = f"{one.section}{number} · {one.title}" if one.title != one.section else one.title
        found.append(Performing(name, where, part.began, part.until, verdict))
    return found
