"""Who judges a record: each room offers what it asks, and nobody has to be told of a new judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rollback_drill.family import Family
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.told import kinds

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


JUDGES: Family[Judge] = Family("judges", "a judge")


def judging(
    rank: int = LAST, *, whole: bool = False
) -> Callable[[Callable[[Book], Iterator[Cause]]], Judge]:
    """Add the decorated function to those who judge every record; see `Judge`."""

    def add(causes: Callable[[Book], Iterator[Cause]]) -> Judge:
        judge = Judge(causes, rank, whole)
        JUDGES.add(causes.__name__, judge, causes)
        return judge

    return add


def all_judges() -> list[Judge]:
    """Return the judges of all rooms, in the order in which they speak."""
    kinds()  # who tells something may judge it in the same file
    return sorted(JUDGES.members().values(), key=lambda one: one.rank)
