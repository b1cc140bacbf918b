"""How the service keeps to its document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

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
    if not asked:
        return Markup()
    rows = partial(by_operation, broken=broken)
    return filled(__file__, "kept", asked=asked, broken=broken, by_operation=rows)


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation: how often it was `asked`, what is `new`, in which ways it was not exact before
    either, and what to know of it.
    """

    name: str
    asked: int
    new: int
    before: tuple[str, ...]
    note: str


def by_operation(asked: ContractAsked, broken: Sequence[ContractBroken]) -> list[OperationRow]:
    """Return a row for each operation of which anything is known."""
    before: dict[str, list[str]] = {}
    for one in asked.before:
        name, _, what = one.partition(": ")
        before.setdefault(name, []).append(what or "not said how")
    names = dict.fromkeys((*asked.operations, *before, *asked.untyped, *asked.otherwise))
    return [
        OperationRow(
            name,
            asked.operations.get(name, 0),
            sum(one.operation == name for one in broken),
            tuple(before.get(name, ())),
            "; ".join(_notes(asked, name)),
        )
        for name in names
    ]


def _notes(asked: ContractAsked, name: str) -> Iterator[str]:
    if name in asked.untyped:
        yield "the document says nothing of what good answers hold"
    if name in asked.otherwise:
        yield "left out: documented otherwise by the release that stays deployed"
