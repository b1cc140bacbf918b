"""Prints a runbook as it was understood, without touching anything: `make read`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rollback_drill.conduct.triggers_read import read_triggers
from rollback_drill.decide.told import sentences
from rollback_drill.ground.errors import Exit
from rollback_drill.runbook.coverage import CoveredLine, LineKind, Reading
from rollback_drill.runbook.model import Checklist, CodeBlock, Procedure
from rollback_drill.runbook.problems import FORM

_MARKS = {LineKind.USED: "✔", LineKind.PROSE: "·", LineKind.UNREAD: "✘", LineKind.EMPTY: " "}
_TEXT, _PART = 72, 60


def read_out(reading: Reading) -> Iterator[str]:
    """Yield the outline, each line with what became of it, and what is unread and why.

    The lines are text, whatever looks like markup in them: print them by `ground.console`.
    """
    yield from _outline(reading)
    yield ""
    for line in reading.lines:
        if line.kind is not LineKind.EMPTY:
            yield _told(line)
    yield ""
    yield from _ending(reading)


def exit_of(reading: Reading) -> Exit:
    """Return the exit code: passed when all was read and it can be drilled."""
    whole = not reading.runbook.unread and not reading.problems.found
    return Exit.PASSED if whole else Exit.FAILED


def _outline(reading: Reading) -> Iterator[str]:
    runbook = reading.runbook
    yield f"{runbook.title or 'no title'} ({runbook.path})"
    yield f"  {len(runbook.triggers)} triggers, {len(runbook.matrix)} rows of the matrix"
    for told in sentences(read_triggers(runbook)):
        yield f"    {told}"
    yield from _checklist("Preparation", runbook.pre_rollback)
    for procedure in runbook.procedures:
        yield from _procedure(procedure)
    yield from _checklist("Verification", runbook.verification)
    for checklist in runbook.post_rollback:
        yield from _checklist("Afterwards", checklist)
    yield (
        f"  {len(runbook.scenarios)} scenarios, {len(runbook.authority)} rows of who may decide, "
        f"{len(runbook.contacts)} contacts, {len(runbook.templates)} templates"
    )


def _procedure(procedure: Procedure) -> Iterator[str]:
    yield (
        f"  Procedure {procedure.number}: {procedure.title} "
        f"({procedure.estimate.text or 'no time estimate'})"
    )
    if procedure.prerequisites or procedure.prerequisite_blocks:
        boxes, blocks = procedure.prerequisites, procedure.prerequisite_blocks
        yield f"    Prerequisites: {_counted(len(blocks), len(boxes))}"
    for step in procedure.steps:
        least = f"{step.least_s:g} to " if step.least_s else ""
        watched = f", watched for {least}{step.window_s:g} s" if step.window_s else ""
        origin = f" [{step.origin}]" if step.origin else ""
        yield (
            f"    Step {step.number}: {step.title} ({step.budget.high_s:g} s): "
            f"{_counted(len(step.blocks), len(step.checkboxes))}{watched}{origin}"
        )
        for block in step.blocks:
            yield from _block(block)


def _block(block: CodeBlock) -> Iterator[str]:
    if block.fallback:
        yield f"      line {block.line}, only if what is before it fails: {block.fallback}"
    if len(block.alternatives) > 1:
        offered = ", ".join(one.label or "without a name" for one in block.alternatives)
        choice = "the first, or what the stage knows" if block.in_order else "what the stage knows"
        ways = f"one of {len(block.alternatives)} ways ({choice})"
        yield f"      line {block.line}, {ways}: {offered}"


def _checklist(kind: str, checklist: Checklist) -> Iterator[str]:
    if checklist.line:
        counted = _counted(len(checklist.blocks), len(checklist.checkboxes))
        yield f"  {kind}: {checklist.title}: {counted}"
    else:
        yield f"  {kind}: none"


def _counted(blocks: int, boxes: int) -> str:
    return f"{blocks} block{'' if blocks == 1 else 's'}, {boxes} box{'' if boxes == 1 else 'es'}"


def _told(line: CoveredLine) -> str:
    text = line.text
    text = text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"
    return f"{line.number:5} {_MARKS[line.kind]} {text:{_TEXT}}  {line.part[:_PART]}".rstrip()


def _ending(reading: Reading) -> Iterator[str]:
    for problem in reading.problems.told():
        yield f"cannot be drilled: {problem}"
    for one in reading.runbook.unread:
        yield f"unread, line {one.line}: {one.text}"
        yield f"    {one.why}"
    for value in reading.runbook.assumed:
        yield f"assumed, line {value.line}: {value.what}: {value.value}"
        yield f"    {value.source}"
    share = math.floor(1000 * reading.share) / 10  # 100 only when nothing is left
    counts = ", ".join(
        f"{reading.count(kind)} {kind.value}"
        for kind in (LineKind.USED, LineKind.UNREAD, LineKind.PROSE)
    )
    yield f"{share:g} % of the lines to do, to check or to hold are read ({counts})."
    if reading.problems.found:
        yield f"It cannot be drilled: {len(reading.problems.found)} problem(s). See {FORM}."
    elif reading.runbook.unread:
        yield f"It can be drilled, and no drill of it can pass. See {FORM}."
