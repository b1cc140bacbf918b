"""Whether the runbook was read in full: what nobody took, nobody performed or verified."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.runbook.problems import FORM
from rollback_drill.runbook.told import RunbookRead

_ADVICE = f"`make read RUNBOOK=FILE` shows how the document is understood; word it as {FORM} says"


@judging(20)
def of_reading(book: Book) -> Iterator[Cause]:
    """Lines that stayed unread, and a record that does not say what was read."""
    if book.last(RunbookRead) is None:
        what = "nobody recorded whether it was read in full"
        yield Cause(Verdict.UNKNOWN, "Runbook", what, advice="hold the drill again")
    for line, (text, why) in book.ask(unread).items():
        where = f"Runbook, line {line}"
        yield Cause(Verdict.UNCOVERED, where, f"not read: {why}", text, _ADVICE)


def unread(book: Book) -> dict[int | str, tuple[str, str]]:
    """Return text and reason of what of the runbook was not read, by its line."""
    return {
        line: (text, why)
        for one in book.every(RunbookRead)
        for line, text, why in itertools.zip_longest(
            one.lines, one.texts, one.reasons, fillvalue="?"
        )
    }


def assumed(book: Book) -> list[tuple[int | str, str, str, str]]:
    """Return what the runbook does not say and was assumed: line, what, value and source."""
    return [
        found
        for one in book.every(RunbookRead)
        for found in itertools.zip_longest(
            one.assumed_lines, one.assumed, one.values, one.sources, fillvalue="?"
        )
    ]
