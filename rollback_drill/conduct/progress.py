"""What a person sees while a drill runs: phase, step against its budget, error rate, p95."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rollback_drill.breaks.told import FaultAttested, FaultInjected
from rollback_drill.conduct.told import DrillStarted, Resumed
from rollback_drill.decide.told import Decided, TriggersRead, sentences
from rollback_drill.ground.clock import now
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import AlternativeTaken, StepEnded, StepStarted
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillBroke, Interrupted, Noted, PhaseStarted
from rollback_drill.record.watched import Watched
from rollback_drill.runbook.told import RunbookRead
from rollback_drill.watch.told import NotSeen

if TYPE_CHECKING:
    from rollback_drill.traffic.live import Traffic

_MARKS = {
    Verdict.PASSED: ("✔", "green"),
    Verdict.ATTESTED: ("✔", "cyan"),
    Verdict.UNKNOWN: ("?", "yellow"),
    Verdict.UNCOVERED: ("∅", "red"),
    Verdict.FAILED: ("✘", "red"),
}
_PLAIN_EVERY_S = 5.0


class Progress:
    """Shows the events of a drill. On a terminal the last lines are live; elsewhere lines come
    one by one, and at least every five seconds.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._traffic: Traffic | None = None
        self._phase = ""
        self._began = now()
        self._step: tuple[StepStarted, float] | None = None
        self._live: Live | None = None
        self._stop = threading.Event()
        self._every_s = _PLAIN_EVERY_S
        self._ticker = Watched("progress display", self._tick, over=self._stop)

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self._live = Live(
                console=self.console, get_renderable=self._status, refresh_per_second=4
            )
            self._live.start()
        else:
            self._ticker.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        if self._live:
            self._live.stop()

    def follow(self, traffic: Traffic) -> None:
        """Take the live figures from `traffic`."""
        self._traffic = traffic

    def __call__(self, event: Event) -> None:
        """Show `event`, if it is worth a line."""
        if isinstance(event.what, TriggersRead):
            lines = [Text(f"  {told}", style="yellow") for told in sentences(event.what)]
        else:
            line = self._line(event)
            lines = [] if line is None else [line]
        for line in lines:
            clock = Text(f"{event.at - self._began:6.1f} s  ", style="dim")
            self.console.print(clock + line, highlight=False)

    def _line(self, event: Event) -> Text | None:
        match event.what:
            case PhaseStarted(phase=phase):
                self._phase, self._step = phase.value, None
                return Text(phase.value.capitalize(), style="bold")
            case DrillStarted() as started:
                return Text(f"  stage {started.stage}: {started.stage_reason}")
            case RunbookRead(lines=lines) as read if lines:
                line = Text("  not read of the runbook, so that it cannot pass:", style="red")
                for number, text, why in zip(lines, read.texts, read.reasons, strict=False):
                    line.append(f"\n            line {number}: {text}", style="red")
                    line.append(f"\n              {why}", style="dim")
                return line
            case Resumed(directory=directory, ended_scripts=ended):
                return Text(
                    f"  continues the drill in {directory}; {ended} command(s) of it were ended"
                )
            case Noted(text=text):
                return Text(f"  {text}", style="dim")
            case AlternativeTaken() as taken:
                return Text(f"  {taken.reason}: taking “{taken.alternative}”", style="yellow")
            case NotSeen(what=what, why=why) if why:
                return Text(f"  nobody can see {what}: {why}", style="yellow")
            case FaultInjected() as fault:
                return Text(f"  fault {fault.name}: {fault.how}")
            case FaultAttested() as attested:
                word = "seen" if attested.seen else "NOT seen"
                return Text(f"  symptom {word}: {attested.evidence}")
            case Decided() as decided:
                return Text(
                    f"  decision after {decided.detected_after_s:.1f} s: {_decision(decided)}"
                )
            case StepStarted() as step:
                self._step = (step, event.at)
                return None
            case StepEnded() as ended:
                self._step = None
                mark, style = _MARKS[ended.verdict]
                name = f"{ended.section}, step {ended.number}" if ended.number else ended.section
                line = Text(f"  {mark} {name}: {ended.title}", style=style)
                line.append(f"  {ended.took_s:.1f} s of {ended.budget_s:g} s", style="dim")
                if ended.reason:
                    line.append(f"\n            {ended.reason}", style=style)
                return line
            case Interrupted(by=by):
                return Text(f"  interrupted by {by}: healing and clearing up …", style="yellow")
            case DrillBroke() as broke:
                return Text(
                    f"  the drill could not go on: expected {broke.expected}; found "
                    f"{broke.found}; {broke.advice}",
                    style="red",
                )
        return None

    def _figures(self) -> str:
        if not self._traffic:
            return ""
        live = self._traffic.live()
        if not live.sent:
            return "no requests"
        p95 = f"{live.histogram.quantile(0.95) * 1000:.0f} ms" if live.histogram.count else "–"
        rate = live.failures / live.sent
        return f"errors {rate:.1%} · p95 {p95}"

    def _doing(self) -> str:
        if not self._step:
            return self._phase
        step, since = self._step
        budget = step.window_s or step.budget_s
        word = "watching" if step.window_s else "budget"
        return f"{step.section}: {step.title} ({now() - since:.0f} s, {word} {budget:g} s)"

    def _status(self) -> RenderableType:
        row = Table.grid(padding=(0, 2))
        row.add_row(
            Text(f"{now() - self._began:5.0f} s", style="bold"),
            Text(self._doing()),
            Text(self._figures()),
        )
        if not self._step:
            return row
        step, since = self._step
        total = step.window_s or step.budget_s
        return Group(row, ProgressBar(total=total, completed=min(total, now() - since), width=60))

    def _tick(self) -> None:
        while not self._stop.wait(self._every_s):
            figures = self._figures()
            tail = f" · {figures}" if figures else ""
            line = f"{now() - self._began:6.1f} s    … {self._doing()}{tail}"
            self.console.print(line, markup=False, highlight=False)


def _decision(decided: Decided) -> str:
    if not decided.rollback:
        return decided.action
    return f"{decided.action} by Procedure {decided.procedure} – {decided.trigger}"
