"""index.html: one page without scripts or outside resources, from the timeline alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from markupsafe import Markup

from rollback_drill.breaks.told import FaultAttested, FaultInjected
from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.markup import filled
from rollback_drill.ground.words import capitalized
from rollback_drill.judge.figures import figures
from rollback_drill.judge.impact import headlines, left_in
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.record.book import Book
from rollback_drill.report.next_steps import next_steps
from rollback_drill.report.page_parts import files_beside, page_parts
from rollback_drill.report.summary import key_numbers
from rollback_drill.watch.busyness import busy

_QUESTIONS = ("For how long, and whom", "Is service restored")

_NO_OTHER = (
    "No earlier drill compares with this one: the next of its kind will be set against these."
)


def whole_page(book: Book) -> Markup:
    """Return the page: what every reader wants to know first, then the sections of all rooms."""
    judgement = book.ask(judge)
    start = book.last(DrillStarted)
    return filled(
        __file__,
        "index",
        judgement=judgement,
        kind=start.kind if start else "Rollback drill",
        runbook=start.runbook_title if start else "",
        broke=_broke(book),
        headlines=list(_headlines(judgement)),
        next_steps=book.ask(next_steps),
        figures=book.ask(figures),
        compared=any(one.change for one in book.ask(figures)),
        no_other=_NO_OTHER,
        numbers=[line for line in (*key_numbers(judgement), book.ask(busy)) if line],
        parts=page_parts(book),
        files=files_beside(book),
        began=minute(book.events[0].at) if book.events else "",
        ended=minute(book.events[-1].at) if book.events else "",
    )


def minute(at: float) -> str:
    """Return a moment as people read it, to the minute: "27 Nov 2026, 15:43 UTC"."""
    return f"{datetime.fromtimestamp(at, UTC):%-d %b %Y, %H:%M} UTC"


def _broke(book: Book) -> str:
    start, injected = book.last(DrillStarted), book.last(FaultInjected)
    if injected is None:
        return ""
    release = f" in {start.failing}" if start else ""
    attested = book.last(FaultAttested)
    symptom = f"{attested.symptom} (" if attested and attested.seen else ""
    what = f"{symptom}{injected.name}{release}: {injected.how}{')' if symptom else ''}"
    return capitalized(what)


def _headlines(judgement: Judgement) -> Iterator[tuple[str, str]]:
    """Yield the first lines of every output, each with the question that it answers."""
    yield from zip(_QUESTIONS, headlines(judgement.impact), strict=False)
    if left := left_in(judgement.left):
        yield "How it was left", left
