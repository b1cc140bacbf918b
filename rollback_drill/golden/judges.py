"""Whether the service answers as it did before."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.golden.told import GoldenAsked, GoldenUnlike
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging

_WHERE = "As before"


@judging(95)
def of_golden_set(book: Book) -> Iterator[Cause]:
    """Every answer is what it was, and what the database's rows say, but for what was declared."""
    for one in book.every(GoldenUnlike):
        others = f", and {one.times - 1} more like it" if one.times > 1 else ""
        where = f" on {', '.join(one.hosts or (one.host,))}"
        yield Cause(
            Verdict.FAILED,
            f"{_WHERE}, {one.operation}",
            f"{one.question}{where}: {one.place} is {one.seen}, expected {one.expected} by"
            f" {one.against}{others}",
        )
    for asked in book.every(GoldenAsked):
        if asked.why and asked.owed:
            yield Cause(Verdict.UNKNOWN, _WHERE, f"nothing could be compared: {asked.why}")
        elif asked.edges:
            what = f"for {asked.edges} of {asked.questions} questions that matter was no time"
            yield Cause(Verdict.UNKNOWN, _WHERE, what)
        elif asked.owed and not asked.compared:
            yield Cause(Verdict.UNKNOWN, _WHERE, "no answer was compared with the golden set")
