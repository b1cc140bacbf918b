"""Lines of the runbook on the page: the document as it was kept, and links into it."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.record.book import Book
from rollback_drill.runbook.told import DocumentKept

LARGEST = 90_000  # characters: a page has to stay one that a phone opens


def document_lines(book: Book) -> list[str]:
    """Return the lines of the runbook; none where it was not kept, or is too long for a page."""
    kept = book.last(DocumentKept)
    if kept is None or len(kept.text) > LARGEST:
        return []
    return kept.text.rstrip("\n").split("\n")


def line_link(book: Book, number: int, words: str = "") -> Markup:
    """Return `words` ("line 9" without any) as a link to that line, where the page shows it."""
    told = words or f"line {number}"
    if not 0 < number <= len(book.ask(document_lines)):
        return Markup("{}").format(told)
    return Markup('<a href="#line-{}">{}</a>').format(number, told)
