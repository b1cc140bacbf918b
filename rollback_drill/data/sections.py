"""What became of the data."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.data.comparison import touched
from rollback_drill.data.rows import rows
from rollback_drill.data.structure import alterations
from rollback_drill.data.told import (
    FATES,
    CatalogueSeen,
    LedgerRead,
    RowsCounted,
    recovery,
    taken_paths,
)
from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section


@section(110, under="Data")
def acknowledged_writes(book: Book) -> Markup:
    """Every acknowledged write, by the end of each procedure and of all."""
    ledger = book.last(LedgerRead)
    if ledger is None:
        return Markup()
    paths = book.ask(taken_paths)
    return filled(__file__, "writes", ledger=ledger, paths=paths, fates=FATES, recovery=recovery)


@section(130, under="Data")
def rows_that_stood(book: Book) -> Markup:
    """All rows that stood before there were clients, and whose the others are."""
    found = book.ask(rows)
    if found is None:
        return Markup()
    counted, seen = book.every(RowsCounted), book.every(CatalogueSeen)
    altered = book.ask(alterations)
    return filled(__file__, "rows", rows=found, counted=counted, seen=seen, altered=altered)


@section(140, under="Data")
def why_writes_were_lost(book: Book) -> Markup:
    """The lost ones by reason."""
    ledger = book.last(LedgerRead)
    return filled(__file__, "lost", reasons=ledger.why) if ledger and ledger.why else Markup()


@section(150, under="Data")
def all_data(book: Book) -> Markup:
    """What each procedure did to the data, where it was seen before and after."""
    found = book.ask(touched)
    return filled(__file__, "contents", touched=found) if found else Markup()
