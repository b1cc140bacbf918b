"""The runbook: what of it nobody could read, what it does not say, and all of it."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.runbook.judges import assumed, unread
from rollback_drill.runbook.lines import document_lines


@section(80)
def what_was_not_read(book: Book) -> Markup:
    """Each line, and why."""
    lines = book.ask(unread)
    return filled(__file__, "unread", lines=lines) if lines else Markup()


@section(81)
def what_was_assumed(book: Book) -> Markup:
    """Each value that stands in for what the document does not say, with its source."""
    values = book.ask(assumed)
    return filled(__file__, "assumed", values=values) if values else Markup()


@section(230)
def the_document(book: Book) -> Markup:
    """Every line, for who wants to see what was performed."""
    lines = book.ask(document_lines)
    return filled(__file__, "document", lines=lines) if lines else Markup()
