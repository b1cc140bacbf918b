"""What answers were held against those of a healthy day."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.golden.told import GoldenAsked, GoldenUnlike
from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section


@section(105, under="As it was before")
def as_it_was(book: Book) -> Markup:
    """The golden set, and every difference."""
    asked = book.every(GoldenAsked)
    unlike = book.every(GoldenUnlike)
    return filled(__file__, "asked", asked=asked, unlike=unlike) if asked else Markup()
