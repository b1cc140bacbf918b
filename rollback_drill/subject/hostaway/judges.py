"""Customers who kept a cursor of the failing release."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.subject.hostaway.told import CursorAnswer, CursorShown


@judging(100)
def of_cursors(book: Book) -> Iterator[Cause]:
    """A customer who kept a cursor may have to begin anew, but must not miss rows or get errors."""
    for one in book.every(CursorShown):
        where = f"Cursors, {one.moment}"
        if one.answer is CursorAnswer.ANOTHER_PAGE:
            what = f"the cursor of page {one.page} leads to another page: rows are skipped"
            yield Cause(Verdict.FAILED, where, what)
        elif one.answer is CursorAnswer.NO_PAGE:
            verdict = Verdict.FAILED if one.status else Verdict.UNKNOWN
            what = f"the cursor of page {one.page} was answered {one.status or 'not at all'}"
            yield Cause(verdict, where, what)
