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
from rollback_drill.record.book import Book, What
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import PhaseName, PhaseStarted

_COMMAND = (CommandStarted, CommandOutput, CommandEnded)
_INSIDE = (*_COMMAND, Checked, AlternativeTaken, OperatorActed)


@dataclass(slots=True)
class Passage:
    """A step or checklist from its start to its end, None where that is not on record. `killed`:
    the drill was killed meanwhile, and another one continued it.
    It lasted from `began` to `until` (Unix seconds).
    """

    started: StepStarted | None
    inside: list[Event] = field(default_factory=list)
    ended: StepEnded | None = None
    killed: bool = False
    began: float = 0.0
    until: float = 0.0

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

    def every(self, kind: type[What]) -> list[What]:
        """Return all of a kind that happened in it."""
        return [event.what for event in self.inside if isinstance(event.what, kind)]


@dataclass(slots=True)
class Performance:
    """A procedure with its parts, and everything that was recorded until the next was chosen."""

    chosen: ProcedureChosen
    parts: list[Passage] = field(default_factory=list)
    during: list[Event] = field(default_factory=list)
    killed: bool = False


@dataclass(slots=True)
class Performed:
    """All parts in order; the procedures among them; and what belongs to no part at all."""

    parts: list[Passage] = field(default_factory=list)
    procedures: list[Performance] = field(default_factory=list)
    astray: list[Event] = field(default_factory=list)


def performed(book: Book) -> Performed:
    """Return what was performed, by the record of a drill."""
    found = Performed()
    part: Passage | None = None
    procedure: Performance | None = None
    for event in book.events:
        what = event.what
        if procedure:
            procedure.during.append(event)
        if part:
            part.until = event.at
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
                part = Passage(what, began=event.at, until=event.at)
                _take(found, part, procedure)
            case StepEnded() if part is None:
                _take(found, Passage(None, ended=what, began=event.at, until=event.at), procedure)
            case StepEnded():
                assert part
                part.ended, part = what, None
            case _ if isinstance(what, _INSIDE) and part:
                part.inside.append(event)
            case Checked() | CommandStarted() | CommandEnded():
                found.astray.append(event)
    return found


def _take(found: Performed, part: Passage, procedure: Performance | None) -> None:
    found.parts.append(part)
    if procedure and part.key[0] == f"Procedure {procedure.chosen.procedure}":
        procedure.parts.append(part)


@dataclass(slots=True)
class Ran:
    """A command: its start and its end, None where that is not on record, and what it `said`."""

    started: CommandStarted | None = None
    said: list[str] = field(default_factory=list)
    ended: CommandEnded | None = None

    @property
    def well(self) -> bool:
        """Whether it was seen to end with status 0."""
        ended = self.ended
        return ended is not None and ended.observed and ended.exit_status == 0

    @property
    def script(self) -> list[str]:
        """The lines of its script, as a terminal would show them."""
        return [f"$ {line}" for line in self.started.script.splitlines()] if self.started else []


def commands_run(book: Book) -> dict[int, Ran]:
    """Return the commands of a drill by their numbers, in the order in which they began."""
    return ran_in(event for event in book.events if isinstance(event.what, _COMMAND))


def ran_in(events: Iterable[Event]) -> dict[int, Ran]:
    """Return the commands among `events` by their numbers."""
    found: dict[int, Ran] = {}
    for event in events:
        match event.what:
            case CommandStarted() as started:
                found.setdefault(started.command, Ran()).started = started
            case CommandOutput() as line:
                found.setdefault(line.command, Ran()).said.append(line.text)
            case CommandEnded() as ended:
                found.setdefault(ended.command, Ran()).ended = ended
    return found
