"""How the service keeps to its document."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.contract.told import ContractAsked, ContractBroken
from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section


@section(107, under="As its document says")
def as_documented(book: Book) -> Markup:
    """What was asked, what is new, what was not exact before either, and what nobody asked."""
    asked = book.every(ContractAsked)
    broken = book.every(ContractBroken)
    return filled(__file__, "kept", asked=asked, broken=broken) if asked else Markup()
