"""Who judges a record: each room offers what it asks, and nobody has to be told of a new judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from rollback_drill.family import modules
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book

_Offered = TypeVar("_Offered")
LAST = 1000
"""The rank of who has none of its own."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a verdict that is not `passed`, and the finding that it makes."""

    verdict: Verdict
    where: str
    what: str
    evidence: str = ""
    advice: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.what) if part)


@dataclass(frozen=True, slots=True)
class Judge:
    """Finds what in a record keeps its drill from passing, nothing where all is well; what the
    record does not hold is a cause as well, with the verdict `unknown`.

    `rank`: of causes that are equally bad, those of the lowest come first, and give the reason.
    `whole`: it has nothing to say of a drill that was cut short.
    """

    causes: Callable[[Book], Iterator[Cause]]
    rank: int
    whole: bool

    def __call__(self, book: Book) -> list[Cause]:
        """Return all causes."""
        return [] if self.whole and book.cut_short else list(self.causes(book))


def judging(
    rank: int = LAST, *, whole: bool = False
) -> Callable[[Callable[[Book], Iterator[Cause]]], Judge]:
    """Make the decorated function a judge of every record; see `Judge`."""
    return lambda causes: Judge(causes, rank, whole)


def all_judges() -> list[Judge]:
    """Return the judges of all rooms, in the order in which they speak."""
    return sorted(offered(Judge, "judges"), key=lambda one: one.rank)


def offered(kind: type[_Offered], family: str) -> list[_Offered]:
    """Return each of a `kind` that a room offers: in its `told`, or in a `family` beside it."""
    found: dict[Any, None] = {}
    for module in (*modules("told"), *modules(family)):
        found |= dict.fromkeys(one for one in vars(module).values() if isinstance(one, kind))
    return list(found)
