"""What logs said."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.watch.told import LogLine

_MOST_LINES = 200


@section(210)
def log_lines(book: Book) -> Markup:
    """The first warnings and worse."""
    logs = book.every(LogLine)[:_MOST_LINES]
    return filled(__file__, "logs", logs=logs) if logs else Markup()
