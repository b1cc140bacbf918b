"""index.html: one page without scripts or outside resources, from the timeline alone."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.clock import iso
from rollback_drill.ground.markup import filled
from rollback_drill.judge.impact import headlines, left_in
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.record.section import all_sections
from rollback_drill.report.summary import key_numbers
from rollback_drill.watch.busyness import busy


def whole_page(book: Book) -> Markup:
    """Return the page: what every reader wants to know first, then the sections of all rooms."""
    judgement = book.ask(judge)
    start = book.last(DrillStarted)
    first = (*headlines(judgement.impact), left_in(judgement.left))
    return filled(
        __file__,
        "index",
        judgement=judgement,
        kind=start.kind if start else "Rollback drill",
        headlines=[line for line in first if line],
        numbers=[line for line in (*key_numbers(judgement), book.ask(busy)) if line],
        sections=list(_sections(book)),
        began=iso(book.events[0].at) if book.events else "",
        ended=iso(book.events[-1].at) if book.events else "",
    )


def _sections(book: Book) -> Iterator[tuple[str, Markup]]:
    """Yield what there is to show, with the heading above it, "" where that stands already."""
    above = ""
    for one in all_sections():
        markup = one.markup(book)
        if markup:
            yield one.under if one.under != above else "", markup
            above = one.under
