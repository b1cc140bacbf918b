"""Whether the service keeps to its document as it did on a healthy day."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.contract.told import ContractAsked, ContractBroken
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging

_WHERE = "As documented"


@judging(96)
def of_contract(book: Book) -> Iterator[Cause]:
    """Nothing breaks the document that did not break it before."""
    for one in book.every(ContractBroken):
        if one.compared:
            others = f", and {one.times - 1} more like it" if one.times > 1 else ""
            yield Cause(
                Verdict.FAILED,
                f"{_WHERE}, {one.operation}",
                f"{one.check}: {one.asked} on {', '.join(one.hosts)}: {one.seen}, expected"
                f" {one.expected}{others}",
            )
    for asked in book.every(ContractAsked):
        if not asked.owed:
            continue
        if asked.why:
            yield Cause(Verdict.UNKNOWN, _WHERE, f"nothing could be asked: {asked.why}")
        elif not asked.recorded:
            what = "how the service kept to its document before is not on record"
            yield Cause(Verdict.UNKNOWN, _WHERE, what)
        elif not asked.operations:
            yield Cause(Verdict.UNKNOWN, _WHERE, "nothing was asked")
        elif asked.unheard:
            what = f"there was no time for {', '.join(asked.unheard)}"
            yield Cause(Verdict.UNKNOWN, _WHERE, what)
