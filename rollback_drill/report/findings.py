"""What kept a drill from passing, each with all that one needs to mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup

from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.verdict import GOOD
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.anchors import box_ids, command_id, step_ids
from rollback_drill.perform.performed import Ran, commands_run
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause
from rollback_drill.runbook.lines import line_link

_MOST_SAID = 30
_LINE = re.compile(r"\bline (\d+)")


@dataclass(frozen=True, slots=True)
class ShownCommand:
    """A command that a finding is about: its script and the end of what it said."""

    id: str
    head: str
    script: str
    said: str


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A cause as the page shows it. `id`: as in verdict.json; `expected`: what should have been, ""
    where the sentence says that; `line`: of the runbook, "file:line" with its link; `about`: the
    id of the step or checkbox, "" for neither.
    """

    id: str
    cause: Cause
    expected: str
    found: str
    line: Markup
    about: str
    commands: tuple[ShownCommand, ...] = ()


def shown_findings(book: Book) -> tuple[ShownFinding, ...]:
    """Return the findings of a drill, the worst first."""
    found = []
    for number, cause in enumerate(book.ask(judge).causes, 1):
        found.append(_shown(book, f"finding-{number}", cause))
    return tuple(found)


def _shown(book: Book, name: str, cause: Cause) -> ShownFinding:
    for box, place in zip(book.every(Checked), book.ask(box_ids), strict=True):
        if _is_about(cause, box):
            line = _line(book, box.line)
            return ShownFinding(name, cause, box.item, box.evidence, line, place)
    for step, place in zip(book.every(StepEnded), book.ask(step_ids), strict=True):
        if cause.where == f"{_where(step)} “{step.title}”":
            return _of_step(book, name, cause, step, place)
    named = _LINE.search(cause.where)
    line = _line(book, int(named[1])) if named else Markup()
    return ShownFinding(name, cause, "", cause.what, line, "")


def _of_step(book: Book, name: str, cause: Cause, step: StepEnded, place: str) -> ShownFinding:
    ran = book.ask(commands_run)
    failed = [ran[number] for number in step.failed_commands if number in ran]
    if cause.what != step.reason:  # another finding about the same step
        return ShownFinding(name, cause, "", cause.what, Markup(), place)
    first = next((one.started.line for one in failed if one.started), 0)
    expected = "every command of the step ends with status 0" if failed else ""
    commands = tuple(_command(one) for one in failed)
    line = _line(book, first) if first else Markup()
    return ShownFinding(name, cause, expected, cause.what, line, place, commands)


def _is_about(cause: Cause, box: Checked) -> bool:
    told = f"“{box.item}” {box.verdict.value}: {box.evidence}"
    place = f"{_where(box)} “"
    at = cause.where.startswith(place) and cause.where.endswith(f", line {box.line}")
    return at and cause.what == told and box.verdict not in GOOD


def _where(one: Checked | StepEnded) -> str:
    return f"{one.section}, step {one.number}" if one.number else one.section


def _line(book: Book, number: int) -> Markup:
    start = book.last(DrillStarted)
    return line_link(book, number, f"{start.runbook_path if start else 'runbook'}:{number}")


def _command(run: Ran) -> ShownCommand:
    started, ended = run.started, run.ended
    assert started  # it is known by its beginning
    left = len(run.said) - _MOST_SAID
    said = [f"… {left} lines before …"] if left > 0 else []
    status = "did not end"
    if ended:
        status = "ended at its limit"
        if ended.exit_status is not None:
            status = f"ended with status {ended.exit_status}"
    return ShownCommand(
        command_id(started.command),
        f"Command at line {started.line} on {started.host}, {status}",
        started.script,
        "\n".join([*said, *run.said[-_MOST_SAID:]]),
    )
