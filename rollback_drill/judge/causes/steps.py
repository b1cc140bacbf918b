"""The steps and their checkboxes: what failed, what nobody could see, what took too long."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import GOOD, Cause
from rollback_drill.perform.told import (
    Checked,
    CommandEnded,
    CommandOutput,
    CommandStarted,
    StepEnded,
)
from rollback_drill.record.book import Record
from rollback_drill.record.timeline import Event

_LAST_WORDS = 6  # lines of a failed command's output


def of_steps(record: Record) -> list[Cause]:
    """Each step and checklist that was performed, with its checkboxes and its budget."""
    causes = []
    steps, checked = record.every(StepEnded), record.every(Checked)
    commands = _failed_commands(record.events, steps)
    for step in steps:
        where = f"{step.section}, step {step.number}" if step.number else step.section
        where = f"{where} “{step.title}”"
        boxes = [c for c in checked if (c.section, c.number) == (step.section, step.number)]
        bad = [c for c in boxes if c.verdict not in GOOD]
        for box in bad:
            word = box.verdict.value
            causes.append(
                Cause(
                    box.verdict, f"{where}, line {box.line}", f"“{box.item}” {word}: {box.evidence}"
                )
            )
        if step.verdict is Verdict.FAILED and (step.failed_commands or not bad):
            evidence = "\n".join(commands[number] for number in step.failed_commands)
            causes.append(Cause(Verdict.FAILED, where, step.reason, evidence, step.advice))
        elif step.verdict is Verdict.UNKNOWN and not bad:
            causes.append(Cause(Verdict.UNKNOWN, where, step.reason, advice=step.advice))
        elif step.took_s > step.budget_s:
            what = f"took {step.took_s:.1f} s of {step.budget_s:g} s"
            causes.append(Cause(Verdict.FAILED, where, what))
    return causes


def of_commands(record: Record) -> list[Cause]:
    """Commands of whose end nobody was told: they may have run or not."""
    started = {one.command: one for one in record.every(CommandStarted)}
    causes = []
    for ended in record.every(CommandEnded):
        if ended.observed:
            continue
        one = started.get(ended.command)
        which = f"The command at line {one.line} on {one.host}" if one else "A command"
        what = f"nobody saw how it ended ({ended.why or 'why was not recorded'})"
        causes.append(Cause(Verdict.UNKNOWN, which, what, one.script if one else ""))
    return causes


def _failed_commands(record: Iterable[Event], steps: list[StepEnded]) -> dict[int, str]:
    """Return, for each command that a step failed by, what was run and what it said."""
    wanted = {number for step in steps for number in step.failed_commands}
    ran: dict[int, list[str]] = {}
    said: dict[int, deque[str]] = {number: deque(maxlen=_LAST_WORDS) for number in wanted}
    for event in record:
        match event.what:
            case CommandStarted(command=number) as one if number in wanted:
                ran[number] = [f"$ {line}" for line in one.script.splitlines()]
            case CommandOutput(command=number) as one if number in wanted:
                said[number].append(one.text)
    return {number: "\n".join([*ran.get(number, ()), *said[number]]) for number in wanted}
