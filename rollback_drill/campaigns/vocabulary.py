"""What can be said in a checkbox: every check with sentences for it, and each box of a runbook."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator

from rollback_drill.campaigns.found import Coverage, coverage
from rollback_drill.ground.console import console
from rollback_drill.ground.errors import Exit
from rollback_drill.perform.check import Registered, registered, unbound
from rollback_drill.stage.hinted import runbook_on
from rollback_drill.stage.model import ABILITIES


def vocabulary() -> Iterator[str]:
    """Yield a paragraph for each check: its name, what it looks at, what is said for it."""
    checks = registered()
    yield f"{len(checks)} checks. A checkbox is bound to the one that looks at all that it says:"
    yield "what is left over of its text (a condition, a negation, a place) leaves it uncovered."
    for one in checks:
        yield ""
        yield f"{one.name}: {_looks_at(one)}"
        yield from (f"  - {text}" for text in one.examples)


def _looks_at(one: Registered) -> str:
    told = " ".join((one.check.__doc__ or "").partition("\n\n")[0].split())
    return f"{told} Needs {ABILITIES[one.needs]}." if one.needs else told


def of_runbook(covered: Iterable[Coverage]) -> Iterator[str]:
    """Yield a line for each checkbox: the check that it is bound to, or why it is to none."""
    boxes = list(covered)
    bound = sum(bool(box.check) for box in boxes)
    yield f"{bound} of {len(boxes)} checkboxes are bound to a check."
    for box in boxes:
        yield f"line {box.line}: {box.check or 'UNCOVERED'}: {box.item}"
        if not box.check:
            yield f"  {unbound(box.item)}"


def run(arguments: argparse.Namespace) -> int:
    """Say what can be written in checkboxes, or what holds each of a runbook's; return 1 when
    nothing holds one.
    """
    terminal = console()
    if not arguments.runbook:
        for line in vocabulary():
            terminal.print(line)
        return Exit.PASSED
    covered = coverage(runbook_on(arguments.runbook, arguments.stage))
    for line in of_runbook(covered):
        terminal.print(line)
    return Exit.PASSED if all(box.check for box in covered) else Exit.FAILED
