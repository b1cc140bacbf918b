"""Lines of the runbook on the page: the document as it was kept, and links into it."""

from __future__ import annotations

import re

from markupsafe import Markup

from rollback_drill.record.book import Book
from rollback_drill.runbook.told import DocumentKept

LARGEST = 90_000  # characters: a page has to stay one that a phone opens

# As the suite names one: in brackets, or behind what stands there. A traceback names others.
_NAMED = re.compile(r"(?<=\()line (\d+)|(?<=”, )line (\d+)|(?<=matrix, )line (\d+)")


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


def with_links(book: Book, text: str) -> Markup:
    """Return `text` with each line of the runbook that it names as a link to that."""
    told, end = Markup(), 0
    for found in _NAMED.finditer(text):
        number = int(next(one for one in found.groups() if one))
        told += text[end : found.start()]
        told += line_link(book, number, found[0])
        end = found.end()
    return told + text[end:]
