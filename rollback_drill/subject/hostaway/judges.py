"""Customers who walk all pages, who kept a cursor, and who send again what they have sent."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.subject.hostaway.told import CursorAnswer, CursorShown, SentAgain, Walked
from rollback_drill.watch.answers.judges import settled_at
from rollback_drill.watch.answers.told import AnswersCompared

_ALREADY_THERE = 409


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


@judging(101, whole=True)
def of_walks(book: Book) -> Iterator[Cause]:
    """A walk that began after the rollback meets each row once, where nobody else writes."""
    settled = settled_at(book)
    if settled is None or not all(one.alone for one in book.every(AnswersCompared)):
        return
    for one in book.every(Walked):
        if one.began_at < settled or not (one.repeated or one.skipped):
            continue
        what = f"of {one.rows} rows {one.repeated} came twice, and {one.skipped} never came"
        yield Cause(Verdict.FAILED, f"Walks, {one.walker}", what)


@judging(102)
def of_repeats(book: Book) -> Iterator[Cause]:
    """The same reservation sent twice is one: the second is refused."""
    for one in book.every(SentAgain):
        if one.status == _ALREADY_THERE and not one.rows_more:
            continue
        verdict = Verdict.FAILED if one.status else Verdict.UNKNOWN
        what = (
            f"{one.reference} was sent once more and answered {one.status or 'not at all'},"
            f" expected {_ALREADY_THERE}; there are {one.rows_more} rows more"
        )
        yield Cause(verdict, "The same reservation twice", what)
