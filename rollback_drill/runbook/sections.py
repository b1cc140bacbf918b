"""What of the runbook nobody could read."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.runbook.judges import unread


@section(80)
def what_was_not_read(book: Book) -> Markup:
    """Each line, and why."""
    lines = book.ask(unread)
    return filled(__file__, "unread", lines=lines) if lines else Markup()
