"""Whether what was to be performed was performed: steps, commands and checkboxes, each of them.

What failed has its cause already, and may have stopped early: this is about all that did not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.perform.performed import Passage, Performance, performed
from rollback_drill.perform.told import (
    AlternativeTaken,
    Checked,
    CommandEnded,
    CommandStarted,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.runbook.told import FollowUp

_OLD = "hold the drill again: records of older versions do not say what was to be done"
_ANY_TIME = ("Authorized",)  # recorded before its procedure was chosen


@judging(250, whole=True)
def of_parts(book: Book) -> Iterator[Cause]:
    """Each step and checklist that was begun: its end, its commands, its checkboxes."""
    found = book.ask(performed)
    for event in found.astray[:1]:
        yield _unknown("Drill", f"a {type(event.what).__name__} that belongs to no step")
    numbers = Counter(one.command for one in book.every(CommandStarted))
    for number, count in numbers.items():
        if count > 1:
            yield _unknown("Drill", f"command {number} was started {count} times")
    for part in found.parts:
        if not part.killed:
            for what, advice in _of_part(part):
                yield _unknown(part.name, what, advice)


def _unknown(where: str, what: str, advice: str = "") -> Cause:
    return Cause(Verdict.UNKNOWN, where, what, advice=advice)


def _of_part(part: Passage) -> Iterable[tuple[str, str]]:
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
    boxes = Counter((c.line, c.item) for c in part.every(Checked))
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


def _of_verdicts(part: Passage, ended: StepEnded) -> Iterable[tuple[str, str]]:
    checked = part.every(Checked)
    for one in checked:
        if (one.section, one.number) != (ended.section, ended.number):
            yield f"“{one.item}” is of {one.section}, step {one.number}", ""
        if one.verdict in GOOD and not one.check:
            yield f"“{one.item}” {one.verdict} by no check", ""
    if ended.verdict not in GOOD and all(one.verdict in GOOD for one in checked):
        yield f"it ended as {ended.verdict}: {ended.reason or 'for no reason on record'}", ""


def _of_commands(part: Passage, started: StepStarted) -> Iterable[tuple[str, str]]:
    """Each command that was to be run, and how it ended. A command that failed is excused where an
    alternative was taken for it, and one without a status where it was to watch for a while.
    """
    ends = part.every(CommandEnded)
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
    for number in ended.keys() - {one.command for one in part.every(CommandStarted)}:
        yield f"command {number} ended that never began", ""


@judging(230, whole=True)
def of_procedures(book: Book) -> Iterator[Cause]:
    """Each step that a chosen procedure has, in its order, and what was to be looked at in it."""
    found = book.ask(performed)
    chosen = {f"Procedure {one.chosen.procedure}" for one in found.procedures}
    for part in found.parts:
        section = part.key[0]
        if section.startswith("Procedure ") and section not in chosen:
            yield _unknown(part.name, "that its procedure was chosen is not on record")
    for performance in found.procedures:
        if not performance.killed:
            where = f"Procedure {performance.chosen.procedure}"
            for what, advice in _of_procedure(performance, book):
                yield _unknown(where, what, advice)


def _of_procedure(performance: Performance, book: Book) -> Iterable[tuple[str, str]]:
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
        seen = len(book.named(kind)) if kind in _ANY_TIME else counted[kind]
        if seen != number:
            yield f"{seen} of {number} {kind} are on record", ""


@judging(240, whole=True)
def of_checklists(book: Book) -> Iterator[Cause]:
    """What comes before and after a procedure: preparation, verification, closing steps."""
    parts = book.ask(performed).parts
    if not book.every(ProcedureChosen) or any(part.failed for part in parts):
        return
    wanted: list[tuple[str, str | None]] = [("Preparation", None), ("Final verification", None)]
    wanted += [("After the rollback", f.title) for f in book.every(FollowUp) if f.at_once]
    for section, title in wanted:
        own = [p for p in parts if p.key[0] == section and title in (None, p.key[2])]
        # One that was killed is performed again, but for a preparation that came to its end.
        if not any(not p.killed or (section == "Preparation" and p.ended) for p in own):
            where = f"{section} “{title}”" if title else section
            yield _unknown(where, "it was not performed")
