"""What became of every line of a document: used, prose, or unread with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from rollback_drill.runbook.amounts import is_about_speed
from rollback_drill.runbook.budgets import looks_like_time
from rollback_drill.runbook.commands import lines_of_block, not_commands, split_options
from rollback_drill.runbook.inline import LONGEST_ITEM
from rollback_drill.runbook.leftovers import BARE_COMMAND, BLOCK, BOX, looks_like
from rollback_drill.runbook.marks import Marks
from rollback_drill.runbook.model import Checkbox, CodeBlock, Procedure, Runbook, Unread
from rollback_drill.runbook.outline import Fence, Row, Section
from rollback_drill.runbook.problems import Problems
from rollback_drill.runbook.text import SEPARATORS
from rollback_drill.runbook.titles import KEYWORD, PREREQUISITES, bare

_WATCHED = re.compile(
    r"condition|error|latency|performance|threshold|trigger|metric|p\d\d|severity|decision|action|"
    r"authori|approv|\bsl[ao]\b|step|command|check|verif|limit|criteri|go back|roll ?back|signal|"
    r"symptom|indicator|expected|^when$|^if\b",
    re.IGNORECASE,
)
_TRIGGERS = re.compile(
    r"when to (?:roll|revert|undo)|triggers?\b|(?:roll-?back|go/no-go|abort) criteria",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    r"(?:verify|check|ensure|confirm|make sure|validate|re-?start|stop|start|run|execute|re-?deploy"
    r"|delete|remove|scale|drain|switch|disable|enable|update|change|edit|set|wait|notify|page|call"
    r"|inform|tell|announce|post|ask|log in|ssh|open|click|go to|repeat|re-?build|push|merge)\b",
    re.IGNORECASE,
)
_TOO_LONG = f"it is longer than {LONGEST_ITEM} letters, and nobody looks at the rest"
_SHORT = 70


class LineKind(StrEnum):
    """What became of a line."""

    USED = "used"
    PROSE = "prose"
    UNREAD = "unread"
    EMPTY = ""


@dataclass(frozen=True, slots=True)
class CoveredLine:
    """A line of the document (1-based), and the `part` that it is, or why it was not read."""

    number: int
    text: str
    kind: LineKind
    part: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A document as it was understood. `runbook` holds what was found, whole or not; `problems` are
    why it cannot be drilled.
    """

    runbook: Runbook
    problems: Problems
    lines: tuple[CoveredLine, ...]
    outline: Section

    def count(self, kind: LineKind) -> int:
        """Return how many lines are of this `kind`."""
        return sum(line.kind is kind for line in self.lines)

    @property
    def share(self) -> float:
        """The share of the lines to do, to check or to hold that are used; 1 when all are."""
        used, unread = self.count(LineKind.USED), self.count(LineKind.UNREAD)
        return used / (used + unread) if used + unread else 1.0


def account(
    runbook: Runbook, problems: Problems, root: Section, marks: Marks, lines: list[str]
) -> Reading:
    """Return `runbook` with what of the `lines` was not read, and what became of each of them."""
    spans = _spans(root, len(lines))
    fences = {fence.line: fence for section in root.walk() for fence in section.fences}
    for line, part in _used(runbook):
        marks.use(line, part, fences[line].last_line if line in fences else 0)
    for fence in fences.values():
        inside = (marks.used.get(line) for line in range(fence.first_line, fence.last_line + 1))
        part = next((one for one in inside if one), "")
        if part:  # one of several blocks that are alternatives of one
            marks.use(fence.line, part, fence.last_line)
            if fence.said_in:
                marks.use(fence.said_in, "says when the block below it is performed")
    _account_for_blocks(root, marks)
    _account_for_rows(root, marks)
    _account_for_headings(root, marks, spans)
    _account_for_items(runbook, root, marks, spans)
    _account_for_triggers(root, marks)
    for number, text in enumerate(lines, 1):
        if number in marks.used:
            if SEPARATORS.search(text):
                marks.refuse(number, "it holds control characters, which were taken for spaces")
        elif not marks.knows(number):
            why = looks_like(text)
            if why:
                marks.refuse(number, why)
    _account_for_what_goes_on(marks, lines)
    told = tuple(_line(number, line, marks) for number, line in enumerate(lines, 1))
    unread = tuple(
        Unread(line, _words(lines[line - 1], fences.get(line)), marks.unread[line])
        for line in sorted(marks.unread)
    )
    return Reading(replace(runbook, unread=unread), problems, told, root)


def _used(runbook: Runbook) -> Iterator[tuple[int, str]]:
    for trigger in runbook.triggers:
        yield trigger.line, f"trigger, {trigger.severity.value}"
    for row in runbook.matrix:
        yield row.line, f"row of the matrix: {row.decision}"
    for procedure in runbook.procedures:
        yield from _used_by(procedure)
    for checklist in (runbook.pre_rollback, runbook.verification, *runbook.post_rollback):
        yield from _parts(checklist.blocks, checklist.checkboxes, checklist.title)
    for rule in runbook.authority:
        yield rule.line, f"who may decide on {rule.severity}"
    for contact in runbook.contacts:
        yield contact.line, "contact"


def _used_by(procedure: Procedure) -> Iterator[tuple[int, str]]:
    name = f"Procedure {procedure.number}"
    yield from _parts(
        procedure.prerequisite_blocks, procedure.prerequisites, f"{name}, prerequisites"
    )
    for step in procedure.steps:
        if not step.origin:
            yield from _parts(step.blocks, step.checkboxes, f"{name}, step {step.number}")


def _parts(
    blocks: Iterable[CodeBlock], boxes: Iterable[Checkbox], where: str
) -> Iterator[tuple[int, str]]:
    for block in blocks:
        kind = f"fallback “{block.fallback}”" if block.fallback else "commands"
        for line in sorted(lines_of_block(block)):
            yield line, f"{where}: {kind}"
    for box in boxes:
        yield box.line, f"{where}: box"


def span_of(section: Section, sections: list[Section], last: int) -> range:
    """Return the lines of `section`, one of all `sections` in order, and of all below it."""
    behind = sections[sections.index(section) + 1 :]
    after = (one.line for one in behind if one.level <= section.level)
    return range(section.line, next(after, last + 1))


def _spans(root: Section, last: int) -> dict[int, range]:
    """Return the lines of each section and all below it, by the line of its heading."""
    sections = list(root.walk())
    spans: dict[int, range] = {}
    for index, section in enumerate(sections):
        after = (one.line for one in sections[index + 1 :] if one.level <= section.level)
        spans[section.line] = range(section.line, next(after, last + 1))
    return spans


def _account_for_blocks(root: Section, marks: Marks) -> None:
    options = split_options(root.walk())
    for section in root.walk():
        for fence in section.fences:
            if fence.first_line in marks.used or fence.line in marks.unread:
                continue
            why = not_commands(fence)
            if why is None:
                why = options.get(fence.line, BLOCK)
            if why:
                marks.refuse(fence.line, why)
                marks.belong(fence.line, fence.last_line)
            else:
                marks.pass_over(fence.line, "a block that shows something", fence.last_line)


def _account_for_rows(root: Section, marks: Marks) -> None:
    for section in root.walk():
        for row in section.rows:
            if row.line not in marks.used:
                text = " ".join(row.cells.values())
                watched = any(_WATCHED.search(title) for title in row.cells)
                if watched or "%" in text or looks_like_time(text):
                    marks.refuse(row.line, "a row of a table whose columns are not known")
            elif "condition" in row.cells:
                for title in _columns_left_out(row):
                    marks.refuse(row.line, f"nobody reads the column {title!r} of the matrix")


def _columns_left_out(row: Row) -> list[str]:
    known = {"condition", "error rate", "decision"}
    return [
        title
        for title, cell in row.cells.items()
        if title not in known
        and not is_about_speed(title)
        and ("%" in cell or looks_like_time(cell))
    ]


def _account_for_headings(root: Section, marks: Marks, spans: dict[int, range]) -> None:
    for section in root.walk():
        if section is root or section.line in marks.used:
            continue
        if any(line in marks.used for line in spans[section.line]):
            marks.pass_over(section.line, "heading", section.last_line)
        elif KEYWORD.match(bare(section.title)):
            name = section.title[:_SHORT]
            marks.refuse(
                section.line, f"a heading like a part of a rollback (“{name}”): none is known"
            )


def _account_for_items(
    runbook: Runbook, root: Section, marks: Marks, spans: dict[int, range]
) -> None:
    own = (step for procedure in runbook.procedures for step in procedure.steps)
    steps = {line for step in own for line in spans.get(step.line, ())}
    lists = (runbook.pre_rollback, runbook.verification, *runbook.post_rollback)
    checklists = {line for one in lists for line in spans.get(one.line, ())}
    for section in root.walk():
        if PREREQUISITES.search(section.title):
            checklists.update(spans[section.line])
    for section in root.walk():
        for _, box in section.boxes:
            if box.line not in marks.used:
                marks.refuse(box.line, BOX)
            elif len(box.text) > LONGEST_ITEM:
                marks.refuse(box.line, _TOO_LONG)
        for item in section.entries:
            if item.line in marks.used and len(item.text) > LONGEST_ITEM:
                marks.refuse(item.line, _TOO_LONG)
            if item.line in marks.used or item.line in marks.unread:
                continue
            inside = range(item.line, item.last_line + 1)
            if item.holds and any(line in marks.used for line in inside):
                marks.pass_over(item.line, "introduces what stands below it")
            elif item.line in steps and not item.holds and not item.detail:
                if item.ordered or _INSTRUCTION.match(bare(item.text)):
                    marks.refuse(
                        item.line, "an instruction in words: nobody performs or verifies it"
                    )
            elif item.line in checklists and not item.detail:
                marks.refuse(item.line, "an item without a box, which nobody verifies")


def _account_for_triggers(root: Section, marks: Marks) -> None:
    """Name what stands among the triggers, or where others would have them, and is none."""
    for top in root.walk():
        if not _TRIGGERS.search(bare(top.title)):
            continue
        for section in top.walk():
            for item in section.entries:
                if item.line not in marks.used:
                    marks.refuse(
                        item.line, "a condition that is no trigger: it stands under no tier"
                    )
            for line, text in section.texts if section is not top else ():
                if line not in marks.used and ("%" in text or looks_like_time(text)):
                    marks.refuse(line, "a number among the triggers that belongs to none")


def _account_for_what_goes_on(marks: Marks, lines: list[str]) -> None:
    """Take what stands around a command outside every block, up to an empty line, for more of it:
    a line that ends in a backslash, or `else`, is no command that is known by itself.
    """
    begins = [number for number in marks.unread if BARE_COMMAND in marks.unread[number]]
    for begin in begins:
        for step in (-1, 1):
            number = begin + step
            while 0 < number <= len(lines) and lines[number - 1].strip():
                if marks.knows(number):
                    break
                marks.belongs[number] = begin
                number += step


def _line(number: int, text: str, marks: Marks) -> CoveredLine:
    if number in marks.unread:
        return CoveredLine(number, text, LineKind.UNREAD, marks.unread[number])
    if number in marks.belongs:
        return CoveredLine(number, text, LineKind.UNREAD, f"goes with line {marks.belongs[number]}")
    if number in marks.used:
        return CoveredLine(number, text, LineKind.USED, marks.used[number])
    if not text.strip():
        return CoveredLine(number, text, LineKind.EMPTY, "")
    return CoveredLine(number, text, LineKind.PROSE, marks.prose.get(number, "prose"))


def _words(text: str, fence: Fence | None) -> str:
    """Return what an unread line says; of a block, how it begins."""
    if fence is not None:
        first = next((one for one in fence.content.split("\n") if one.strip()), "")
        text = first if fence.first_line == fence.line else f"{text.strip()} {first.strip()}"
    return text.strip()[:200]
