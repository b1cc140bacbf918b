"""What became of customers in the middle of all pages, and of those who kept a cursor."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.subject.hostaway.told import CursorAnswer, CursorShown, Walked

_MOST_WALKS = 20


@section(160, under="Data")
def walks_through_all_pages(book: Book) -> Markup:
    """Those during which the format changed, and those with other than whole lists."""
    walks = [
        one
        for one in book.every(Walked)
        if len(one.formats) > 1 or one.repeated or one.skipped or one.refused
    ]
    return filled(__file__, "walks", walks=walks[:_MOST_WALKS]) if walks else Markup()


@section(170, under="Data")
def kept_cursors(book: Book) -> Markup:
    """How they were answered, by moment."""
    cursors: dict[str, Counter[str]] = {}
    for one in book.every(CursorShown):
        cursors.setdefault(one.moment, Counter())[one.answer] += 1
    if not cursors:
        return Markup()
    return filled(__file__, "cursors", cursors=cursors, answers=list(CursorAnswer))
