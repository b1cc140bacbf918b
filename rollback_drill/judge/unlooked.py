"""What nobody looked at in a rollback, since its stage has no way to: a drill can pass without it,
and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rollback_drill.contract.told import ContractAsked
from rollback_drill.data.told import RowsSeen
from rollback_drill.golden.told import GoldenAsked
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book


@dataclass(frozen=True, slots=True)
class Unlooked:
    """`what` is not known, as a part of a sentence, and how it `can` be next time."""

    what: str
    can: str


def unlooked(book: Book) -> tuple[Unlooked, ...]:
    """Return what was not looked at, nothing where nothing was rolled back."""
    return tuple(_unlooked(book)) if book.last(ProcedureChosen) else ()


def _unlooked(book: Book) -> Iterator[Unlooked]:
    golden, contract = book.last(GoldenAsked), book.last(ContractAsked)
    if golden and not golden.owed and not golden.compared and not golden.by_rows:
        yield Unlooked(
            "whether it answers as it did before",
            "have answers compared: record them while the stable release serves (make golden), "
            "and set GOLDEN",
        )
    if contract and not contract.owed and contract.why:
        yield Unlooked(
            "whether it keeps to its document",
            "have the API held against its document: name that in the stage's file, under "
            "[service]",
        )
    if golden and not book.every(RowsSeen):  # older records tell of neither
        yield Unlooked(
            "whether other rows than those of clients are as they were",
            "have all data compared: name the database in the stage's file, under [database]",
        )
