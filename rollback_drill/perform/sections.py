"""What was performed: steps and their budgets, checkboxes, people, messages, commands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from markupsafe import Markup

from rollback_drill.data.told import LedgerRead
from rollback_drill.ground.markup import filled
from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.ground.words import duration
from rollback_drill.perform.anchors import box_ids, command_id, step_ids
from rollback_drill.perform.counts import count_of
from rollback_drill.perform.performed import Ran, commands_run
from rollback_drill.perform.told import (
    Checked,
    CommandOutput,
    MessageHandled,
    OperatorActed,
    StepEnded,
)
from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.runbook.lines import line_link

_MOST_OUTPUT = 60
_MOST_HOLDERS = 20
_LOCKED = re.compile(r"locked by ", re.IGNORECASE)


@section(60)
def steps_against_budgets(book: Book) -> Markup:
    """How long each took, and what became of it."""
    steps = list(zip(book.ask(step_ids), book.every(StepEnded), strict=True))
    return filled(__file__, "steps", duration=duration, steps=steps)


@section(90)
def what_the_operator_did(book: Book) -> Markup:
    """Where a person performed it."""
    acts = book.every(OperatorActed)
    return filled(__file__, "operator", acts=acts) if acts else Markup()


@section(100)
def the_checklist(book: Book) -> Markup:
    """The checkboxes by their section, in the order in which they were verified."""
    boxes = list(zip(book.ask(box_ids), book.every(Checked), strict=True))
    groups: dict[str, list[tuple[str, Checked]]] = {}
    for name, one in boxes:
        groups.setdefault(one.section, []).append((name, one))
    others = [pair for pair in boxes if pair[1].verdict is not Verdict.PASSED]
    return filled(
        __file__,
        "checklist",
        line=partial(line_link, book),
        total=count_of([one.verdict for _, one in boxes]) if boxes else None,
        others=sorted(others, key=lambda pair: pair[1].verdict in GOOD),
        checklists=[
            (title, count_of([one.verdict for _, one in group]), group)
            for title, group in groups.items()
        ],
    )


@section(130, under="Data")
def who_held_a_lock(book: Book) -> Markup:
    """Who held a lock that a command waited for, as it printed them, and how often."""
    said = (one.text for one in book.every(CommandOutput))
    holders = Counter(text for text in said if _LOCKED.match(text)).most_common(_MOST_HOLDERS)
    if not holders or book.last(LedgerRead) is None:
        return Markup()
    return filled(__file__, "holders", holders=holders)


@section(180)
def the_messages(book: Book) -> Markup:
    """What people were told, or were to be told."""
    messages = book.every(MessageHandled)
    return filled(__file__, "messages", messages=messages) if messages else Markup()


@section(200)
def the_commands(book: Book) -> Markup:
    """What was run, how it ended, and what it said."""
    return filled(
        __file__,
        "commands",
        blocks=_by_block(book.ask(commands_run).values()),
        command_id=command_id,
        shortened=_shortened,
        line=partial(line_link, book),
    )


def _by_block(commands: Iterable[Ran]) -> list[list[Ran]]:
    """Return the commands of each block, one for each host; of one that was run again, twice."""
    found: list[list[Ran]] = []
    last: dict[tuple[object, ...], list[Ran]] = {}
    for one in commands:
        if begun := one.started:
            block = (begun.section, begun.number, begun.line, begun.script)
            ran = last.get(block)
            if ran is None or any(o.started and o.started.host == begun.host for o in ran):
                ran = last[block] = []
                found.append(ran)
            ran.append(one)
    return found


def _shortened(lines: Sequence[str]) -> str:
    if len(lines) > _MOST_OUTPUT:
        half = _MOST_OUTPUT // 2
        left_out = f"… {len(lines) - _MOST_OUTPUT} lines left out …"
        lines = [*lines[:half], left_out, *lines[-half:]]
    return "\n".join(lines)
