"""What was performed, as it was recorded: parts of the runbook with all that happened in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import (
    AlternativeTaken,
    Checked,
    CommandEnded,
    CommandOutput,
    CommandStarted,
    OperatorActed,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import PhaseName, PhaseStarted

_INSIDE = (
    CommandStarted, CommandOutput, CommandEnded, Checked,
    AlternativeTaken, OperatorActed,
)  # fmt: skip


@dataclass(slots=True)
class Part:
    """A step or checklist from its start to its end, None where that is not on record. `killed`:
    the drill was killed meanwhile, and another one continued it.
    """

    started: StepStarted | None
    inside: list[Event] = field(default_factory=list)
    ended: StepEnded | None = None
    killed: bool = False

    @property
    def name(self) -> str:
        """How sentences call it."""
        one = self.started or self.ended
        if one is None:
            return "Drill"
        where = f"{one.section}, step {one.number}" if one.number else one.section
        return f"{where} “{one.title}”"

    @property
    def key(self) -> tuple[str, int, str]:
        """What the runbook calls it: section, number, title."""
        one = self.started or self.ended
        return (one.section, one.number, one.title) if one else ("", 0, "")

    @property
    def failed(self) -> bool:
        """Whether it failed, so that it may have stopped early."""
        return self.ended is not None and self.ended.verdict in (Verdict.FAILED, Verdict.UNCOVERED)


@dataclass(slots=True)
class Performance:
    """A procedure with its parts, and everything that was recorded until the next was chosen."""

    chosen: ProcedureChosen
    parts: list[Part] = field(default_factory=list)
    during: list[Event] = field(default_factory=list)
    killed: bool = False


@dataclass(slots=True)
class Performed:
    """All parts in order; the procedures among them; and what belongs to no part at all."""

    parts: list[Part] = field(default_factory=list)
    procedures: list[Performance] = field(default_factory=list)
    astray: list[Event] = field(default_factory=list)


def performed(record: Iterable[Event]) -> Performed:
    """Return what was performed, by the record of a drill."""
    found = Performed()
    part: Part | None = None
    procedure: Performance | None = None
    for event in record:
        what = event.what
        if procedure:
            procedure.during.append(event)
        match what:
            case PhaseStarted(phase=PhaseName.SETUP):  # a drill begins, or continues one
                if part:
                    part.killed = True
                if procedure:
                    procedure.killed = True
                part = procedure = None
            case ProcedureChosen():
                procedure = Performance(what)
                found.procedures.append(procedure)
            case StepStarted():
                part = Part(what)
                _take(found, part, procedure)
            case StepEnded() if part is None:
                _take(found, Part(None, ended=what), procedure)
            case StepEnded():
                assert part
                part.ended, part = what, None
            case _ if isinstance(what, _INSIDE) and part:
                part.inside.append(event)
            case Checked() | CommandStarted() | CommandEnded():
                found.astray.append(event)
    return found


def _take(found: Performed, part: Part, procedure: Performance | None) -> None:
    found.parts.append(part)
    if procedure and part.key[0] == f"Procedure {procedure.chosen.procedure}":
        procedure.parts.append(part)
