"""What was broken on purpose, and what was seen of it."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.breaks.told import (
    FaultAttested,
    FaultInjected,
    HazardArmed,
    HazardOver,
    WritesUnderFire,
)
from rollback_drill.data.told import LedgerRead
from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section


@section(30)
def what_broke(book: Book) -> Markup:
    """The fault, and its symptom."""
    injected, attested = book.last(FaultInjected), book.last(FaultAttested)
    return filled(__file__, "fault", injected=injected, attested=attested) if injected else Markup()


@section(50)
def what_went_wrong(book: Book) -> Markup:
    """The hazard, and what was seen of it."""
    armed, over = book.last(HazardArmed), book.last(HazardOver)
    return filled(__file__, "hazard", armed=armed, over=over) if armed else Markup()


@section(120, under="Data")
def under_fire(book: Book) -> Markup:
    """Writes that went on during a procedure."""
    fire = book.last(WritesUnderFire)
    if fire is None or book.last(LedgerRead) is None:
        return Markup()
    return filled(__file__, "under_fire", fire=fire)
