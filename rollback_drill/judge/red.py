"""What of a drill is red, by name: its checks, its steps, and its judges.

Keys: the name of a check (`error_rate`, as `make bindings` lists them); `command: TITLE` of a step
whose commands failed, `budget: TITLE` of one that took too long; the name of a judge (`of_writes`),
and that with the place that it names (`of_document: Runbook, hidden-failure`).
"""

from __future__ import annotations

import re

from rollback_drill.ground.verdict import GOOD, Verdict, worst
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.judge import JUDGES, all_judges

_LINE = re.compile(r", line \d+")  # these move with every edit of the document
UNBOUND = "no check"
"""Of a checkbox that is bound to none."""
STEPS = "of_steps"
"""The judge whose causes are told apart by check and step."""


def red(book: Book) -> dict[str, tuple[Verdict, str]]:
    """Return what keeps a drill from passing, by its key: the worst verdict, and the first words on
    it.
    """
    found: dict[str, tuple[Verdict, str]] = {}

    def add(key: str, verdict: Verdict, told: str) -> None:
        known = found.get(key)
        if known is None or worst((known[0], verdict)) is not known[0]:
            found[key] = verdict, told

    for box in book.every(Checked):
        if box.verdict not in GOOD:
            add(box.check or UNBOUND, box.verdict, f"“{box.item}”: {box.evidence}")
    for step in book.every(StepEnded):
        if step.failed_commands:
            add(f"command: {step.title}", step.verdict, step.reason)
        elif step.took_s > step.budget_s:
            took = f"took {step.took_s:.1f} s of {step.budget_s:g} s"
            add(f"budget: {step.title}", Verdict.FAILED, took)
    all_judges()
    for name, judge in JUDGES.members().items():
        for cause in judge(book) if name != STEPS else ():
            add(name, cause.verdict, str(cause))
            add(f"{name}: {_LINE.sub('', cause.where)}", cause.verdict, str(cause))
    return found
