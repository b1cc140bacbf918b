"""What a timeline says, put in order once: for the judgement and for every report.

Reading judges nothing. It keeps what grows with time (log lines, output) within bounds, so that an
hour's timeline can be read in little memory.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from drill import events
from drill.observation import Outcome
from drill.timeline import Event
from drill.verdict import Verdict

_LOG_LINES = 100  # of each end of the log; what lies between is counted
_NOTES = 200
_OUTPUT_LINES = 600  # of one command; the performer records 500
_PROCEDURE = re.compile(r"Procedure (\d+)")


@dataclass(slots=True)
class Command:
    """A command as it was run; `ended` is None while, or if, nobody saw it end."""

    at: float
    started: events.CommandStarted
    output: list[events.CommandOutput] = field(default_factory=list)
    ended: events.CommandEnded | None = None

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with status 0."""
        return self.ended is not None and self.ended.exit_status == 0

    @property
    def status(self) -> str:
        """How it ended, in words."""
        if self.ended is None:
            return "its end was not recorded"
        if self.ended.exit_status is None:
            return f"ended at its limit of {self.started.limit_s:.0f} s"
        return f"exit status {self.ended.exit_status}"


@dataclass(slots=True)
class Part:
    """A step, or a checklist outside the procedures, as it was performed.

    `ended` is None when nobody saw it end; `started` when only its end was recorded.
    """

    section: str
    number: int
    title: str
    budget_s: float
    at: float
    started: events.StepStarted | None = None
    ended: events.StepEnded | None = None
    commands: list[Command] = field(default_factory=list)
    checks: list[events.Checked] = field(default_factory=list)

    @property
    def procedure(self) -> int | None:
        """The number of the procedure that this belongs to, None outside procedures."""
        match = _PROCEDURE.fullmatch(self.section)
        return int(match[1]) if match else None

    @property
    def name(self) -> str:
        """For example "Procedure 1, Step 3" or "Final verification"."""
        if self.number:
            return f"{self.section}, Step {self.number}"
        return f"{self.section}, {self.title}" if self.procedure else self.section

    @property
    def line(self) -> int:
        """Its line in the runbook, 0 when unknown."""
        return self.started.line if self.started else 0


@dataclass(slots=True)
class Span:
    """A phase with its start and end (Unix seconds)."""

    phase: events.Phase
    start: float
    end: float


@dataclass(slots=True)
class Log:
    """The first and the last noteworthy log lines; `count` is how many there were."""

    first: list[tuple[float, events.LogLine]] = field(default_factory=list)
    last: deque[tuple[float, events.LogLine]] = field(
        default_factory=lambda: deque(maxlen=_LOG_LINES)
    )
    count: int = 0

    def add(self, at: float, line: events.LogLine) -> None:
        """Take in one line."""
        self.count += 1
        if len(self.first) < _LOG_LINES:
            self.first.append((at, line))
        else:
            self.last.append((at, line))

    @property
    def left_out(self) -> int:
        """How many lines were not kept."""
        return self.count - len(self.first) - len(self.last)


@dataclass(slots=True)
class Reading:
    """Everything in a timeline. Times are Unix seconds; None or empty means: not recorded."""

    began: float | None = None
    ended_at: float | None = None
    started: events.DrillStarted | None = None
    ended: events.DrillEnded | None = None
    broke: events.DrillBroke | None = None
    interrupted: events.Interrupted | None = None
    injected_at: float | None = None
    injected: events.FaultInjected | None = None
    attested_at: float | None = None
    attested: events.FaultAttested | None = None
    healed_at: float | None = None
    decided_at: float | None = None
    decided: events.Decided | None = None
    chosen: events.ProcedureChosen | None = None
    restored: events.Restored | None = None
    ledger: events.LedgerRead | None = None
    phases: list[Span] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    checks: list[events.Checked] = field(default_factory=list)
    seconds: dict[int, events.TrafficSecond] = field(default_factory=dict)
    generators: list[tuple[float, events.GeneratorSample]] = field(default_factory=list)
    probes: list[tuple[float, events.ProbeSample]] = field(default_factory=list)
    log: Log = field(default_factory=Log)
    notes: list[tuple[float, str]] = field(default_factory=list)
    _commands: dict[int, Command] = field(default_factory=dict)

    @classmethod
    def of(cls, timeline: Iterable[Event]) -> Reading:
        """Read all of `timeline`. Events of one instant may come in any order."""
        reading = cls()
        for event in timeline:
            reading._take(event)
        if reading.phases:
            reading.phases[-1].end = reading.ended_at or reading.phases[-1].start
        return reading

    @property
    def complete(self) -> bool:
        """Whether the drill came to its own end, so that what is not here did not happen."""
        return self.ended is not None and self.broke is None and self.interrupted is None

    @property
    def restored_at(self) -> float | None:
        """When service was restored."""
        if self.restored is None or self.decided_at is None:
            return None
        return self.decided_at + self.restored.after_s

    @property
    def steps(self) -> list[Part]:
        """The numbered steps of procedures, in order."""
        return [part for part in self.parts if part.procedure and part.number]

    def span(self, phase: events.Phase) -> Span | None:
        """Return the first span of `phase`, None when it never began."""
        return next((span for span in self.phases if span.phase is phase), None)

    def _take(self, event: Event) -> None:
        at = event.at
        self.began = at if self.began is None else min(self.began, at)
        self.ended_at = at if self.ended_at is None else max(self.ended_at, at)
        match event.what:
            case events.TrafficSecond() as second:
                self.seconds[second.second] = second
            case events.ProbeSample() as sample:
                self.probes.append((at, sample))
            case events.GeneratorSample() as sample:
                self.generators.append((at, sample))
            case events.LogLine() as line:
                self.log.add(at, line)
            case events.Noted(text=text):
                if len(self.notes) < _NOTES:
                    self.notes.append((at, text))
            case events.PhaseStarted(phase=phase):
                if self.phases:
                    self.phases[-1].end = at
                self.phases.append(Span(phase, at, at))
            case events.DrillStarted() as started:
                self.started = started
            case events.DrillEnded() as ended:
                self.ended = ended
            case events.DrillBroke() as broke:
                self.broke = self.broke or broke
            case events.Interrupted() as interrupted:
                self.interrupted = self.interrupted or interrupted
            case _:
                self._take_fault(event)
                self._take_work(event)

    def _take_fault(self, event: Event) -> None:
        match event.what:
            case events.FaultInjected() as injected:
                self.injected, self.injected_at = injected, event.at
            case events.FaultAttested() as attested:
                # Whoever saw it outweighs an earlier look that did not.
                if self.attested is None or not self.attested.seen:
                    self.attested, self.attested_at = attested, event.at
            case events.FaultHealed():
                self.healed_at = event.at
            case events.Decided() as decided:
                self.decided, self.decided_at = decided, event.at
            case events.Restored() as restored:
                self.restored = restored
            case events.LedgerRead() as ledger:
                self.ledger = ledger

    def _take_work(self, event: Event) -> None:
        match event.what:
            case events.ProcedureChosen() as chosen:
                self.chosen = chosen
            case events.StepStarted() as started:
                self.parts.append(
                    Part(
                        started.section, started.number, started.title, started.budget_s,
                        event.at, started,
                    )
                )  # fmt: skip
            case events.StepEnded() as ended:
                part = self._part(ended.section, ended.number)
                if part is None or part.ended is not None:
                    part = Part(ended.section, ended.number, ended.title, ended.budget_s, event.at)
                    self.parts.append(part)
                part.ended = ended
            case events.CommandStarted() as command:
                self._commands[command.command] = Command(event.at, command)
                part = self._part(command.section, command.number)
                if part:
                    part.commands.append(self._commands[command.command])
            case events.CommandOutput() as output:
                running = self._commands.get(output.command)
                if running and len(running.output) < _OUTPUT_LINES:
                    running.output.append(output)
            case events.CommandEnded() as command_ended:
                running = self._commands.get(command_ended.command)
                if running:
                    running.ended = command_ended
            case events.Checked() as checked:
                self.checks.append(checked)
                part = self._part(checked.section, checked.number)
                if part:
                    part.checks.append(checked)

    def _part(self, section: str, number: int) -> Part | None:
        """Return the latest part of that name: a section may be performed twice."""
        for part in reversed(self.parts):
            if (part.section, part.number) == (section, number):
                return part
        return None


def good(second: events.TrafficSecond) -> int:
    """Return how many requests of a second ended well."""
    return second.outcomes.get(Outcome.OK, 0)


def total(second: events.TrafficSecond) -> int:
    """Return how many requests were due in a second, those dropped at the cap too."""
    return sum(second.outcomes.values())


def part_verdict(part: Part) -> Verdict:
    """Return a part's verdict as recorded; one that did not end is unknown."""
    return part.ended.verdict if part.ended else Verdict.UNKNOWN
