"""Whether what was to be performed was performed: steps, commands and checkboxes, each of them.

What failed has its cause already, and may have stopped early: this is about all that did not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import GOOD, Cause
from rollback_drill.perform.performed import Part, Performance, performed
from rollback_drill.perform.told import (
    AlternativeTaken,
    Checked,
    CommandEnded,
    CommandStarted,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.book import Kind, Record
from rollback_drill.runbook.told import FollowUp

_OLD = "hold the drill again: records of older versions do not say what was to be done"
_ANY_TIME = ("Authorized",)  # recorded before its procedure was chosen


def of_parts(record: Record) -> list[Cause]:
    """Each step and checklist that was begun: its end, its commands, its checkboxes."""
    if record.cut_short:
        return []
    found = performed(record.events)
    causes = [
        _unknown("Drill", f"a {type(event.what).__name__} that belongs to no step")
        for event in found.astray[:1]
    ]
    numbers = Counter(one.command for one in record.every(CommandStarted))
    causes += [
        _unknown("Drill", f"command {number} was started {count} times")
        for number, count in numbers.items()
        if count > 1
    ]
    for part in found.parts:
        if not part.killed:
            causes += [_unknown(part.name, what, advice) for what, advice in _of_part(part)]
    return causes


def _unknown(where: str, what: str, advice: str = "") -> Cause:
    return Cause(Verdict.UNKNOWN, where, what, advice=advice)


def _of_part(part: Part) -> Iterable[tuple[str, str]]:
    started, ended = part.started, part.ended
    if started is None:
        yield "that it began is not on record", ""
        return
    if ended is None:
        yield "its end is not on record", ""
        return
    same = ("section", "number", "title", "budget_s")
    for name in same:
        if getattr(started, name) != getattr(ended, name):
            yield f"its {name} is not the same at its begin and at its end", ""
    if part.failed:
        return
    boxes = Counter((c.line, c.item) for c in _inside(part, Checked))
    if started.boxes is None or started.commands is None:
        yield "the record does not say what was to be done and verified", _OLD
        return
    promised = Counter(started.boxes)
    for line, text in promised - boxes:
        yield f"“{text}” (line {line}) was not verified", ""
    for line, text in boxes - promised:
        yield f"“{text}” (line {line}) has a verdict of which nobody knows whence it comes", ""
    yield from _of_verdicts(part, ended)
    yield from _of_commands(part, started)


def _inside(part: Part, kind: type[Kind]) -> list[Kind]:
    return [event.what for event in part.inside if isinstance(event.what, kind)]


def _of_verdicts(part: Part, ended: StepEnded) -> Iterable[tuple[str, str]]:
    checked = _inside(part, Checked)
    for one in checked:
        if (one.section, one.number) != (ended.section, ended.number):
            yield f"“{one.item}” is of {one.section}, step {one.number}", ""
        if one.verdict in GOOD and not one.check:
            yield f"“{one.item}” {one.verdict} by no check", ""
    if ended.verdict not in GOOD and all(one.verdict in GOOD for one in checked):
        yield f"it ended as {ended.verdict}: {ended.reason or 'for no reason on record'}", ""


def _of_commands(part: Part, started: StepStarted) -> Iterable[tuple[str, str]]:
    """Each command that was to be run, and how it ended. A command that failed is excused where an
    alternative was taken for it, and one without a status where it was to watch for a while.
    """
    ends = _inside(part, CommandEnded)
    ended = {one.command: one for one in ends}
    if len(ended) < len(ends):
        yield "a command ended twice", ""
    promised: int | None = started.commands
    since: list[CommandStarted] = []
    for event in part.inside:
        match event.what:
            case AlternativeTaken() as taken:
                promised, since = taken.commands, []
            case CommandStarted() as one:
                since.append(one)
                if one.command not in ended:
                    yield f"how the command at line {one.line} ended is not on record", ""
                if (one.section, one.number) != (started.section, started.number):
                    yield f"the command at line {one.line} is of {one.section}", ""
    if promised is None:
        yield "the record does not say which commands the alternative has", _OLD
    elif len(since) != promised:
        yield f"{len(since)} of {promised} commands were run", ""
    for one in since:
        end = ended.get(one.command)
        watched = started.window_s and end and end.exit_status is None
        if end and end.exit_status != 0 and not watched:
            yield f"the command at line {one.line} ended with {end.exit_status}, unnoticed", ""
    for number in ended.keys() - {one.command for one in _inside(part, CommandStarted)}:
        yield f"command {number} ended that never began", ""


def of_procedures(record: Record) -> list[Cause]:
    """Each step that a chosen procedure has, in its order, and what was to be looked at in it."""
    if record.cut_short:
        return []
    found = performed(record.events)
    causes = []
    chosen = {f"Procedure {one.chosen.procedure}" for one in found.procedures}
    for part in found.parts:
        section = part.key[0]
        if section.startswith("Procedure ") and section not in chosen:
            causes.append(_unknown(part.name, "that its procedure was chosen is not on record"))
    for performance in found.procedures:
        if not performance.killed:
            where = f"Procedure {performance.chosen.procedure}"
            causes += [
                _unknown(where, what, advice) for what, advice in _of_procedure(performance, record)
            ]
    return causes


def _of_procedure(performance: Performance, record: Record) -> Iterable[tuple[str, str]]:
    chosen, parts = performance.chosen, performance.parts
    if not (chosen.step_numbers and chosen.step_titles and chosen.promises):
        yield "the record does not say which steps it has", _OLD
        return
    steps = [
        (number, title, budget_s)
        for number, title, budget_s in zip(
            chosen.step_numbers, chosen.step_titles, chosen.step_budgets_s, strict=False
        )
    ]
    if not len(steps) == len(chosen.step_titles) == len(chosen.step_numbers):
        yield "its steps have not each a number, a title and a budget", ""
    first = parts[0].started if parts else None
    if chosen.prerequisites:
        steps.insert(0, (0, "Prerequisites", chosen.estimate_high_s))
        if first and first.boxes and len(first.boxes) != chosen.prerequisites:
            yield f"{len(first.boxes)} of {chosen.prerequisites} prerequisites are on record", ""
    done = [(p.key[1], p.key[2], p.started.budget_s if p.started else None) for p in parts]
    failed = any(part.failed for part in parts)
    for number, title, budget_s in steps:
        if (number, title, budget_s) not in done and not failed:
            yield f"step {number} “{title}” was not performed", ""
    if done != steps[: len(done)]:
        yield "what was performed is not what it says, in its order", ""
    if failed:
        return
    counted = Counter(
        type(event.what).__name__
        for event in performance.during
        if getattr(event.what, "procedure", chosen.procedure) == chosen.procedure
    )
    for kind, number in chosen.promises.items():
        seen = len(record.named(kind)) if kind in _ANY_TIME else counted[kind]
        if seen != number:
            yield f"{seen} of {number} {kind} are on record", ""


def of_checklists(record: Record) -> list[Cause]:
    """What comes before and after a procedure: preparation, verification, closing steps."""
    if record.cut_short or not record.every(ProcedureChosen):
        return []
    parts = performed(record.events).parts
    if any(part.failed for part in parts):
        return []
    wanted: list[tuple[str, str | None]] = [("Preparation", None), ("Final verification", None)]
    wanted += [("After the rollback", f.title) for f in record.every(FollowUp) if f.at_once]
    return [
        _unknown(f"{section} “{title}”" if title else section, "it was not performed")
        for section, title in wanted
        if not any(p.key[0] == section and title in (None, p.key[2]) for p in parts if not p.killed)
        and not (section == "Preparation" and any(p.key[0] == section and p.ended for p in parts))
    ]
