"""What was asked for."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section


@section(220)
def the_setting(book: Book) -> Markup:
    """Stage, releases, runbook, traffic and pace."""
    start = book.last(DrillStarted)
    return filled(__file__, "setting", start=start) if start else Markup()
