"""Whether clients were answered what is true once the rollback took effect."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import ProcedureChosen, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.watch.answers.told import AnswersCompared, AnswersContradict
from rollback_drill.watch.metrics.judges import is_step

_WHERE = "Answers"


def settled_at(book: Book) -> float | None:
    """Return when the last step but one of the last procedure ended (the first one's end where
    there are no more), in Unix seconds: what clients learn later they learn of the release that is
    to stay. None where no procedure was performed.
    """
    chosen = max((at for at, _ in book.moments(ProcedureChosen)), default=None)
    if chosen is None:
        return None
    ends = [at for at, one in book.moments(StepEnded) if at >= chosen and is_step(one)]
    return ends[-2:][0] if ends else None


@judging(94, whole=True)
def of_answers(book: Book) -> Iterator[Cause]:
    """No answer contradicts what its clients wrote, or were answered before."""
    settled = settled_at(book)
    every = book.every(AnswersCompared)
    if settled is None or not every:
        return
    alone = all(one.alone for one in every)
    for one in book.every(AnswersContradict):
        if one.since < settled or (one.shared and not alone):
            continue
        others = f", and {one.times - 1} more like it" if one.times > 1 else ""
        what = f"{one.asked}: {one.seen}, expected {one.expected}{others}"
        yield Cause(Verdict.FAILED, f"{_WHERE}, {one.operation}", f"{what} ({one.rule})")
    why = next((one.why for one in every if one.why), "")
    if why:
        yield Cause(Verdict.UNKNOWN, _WHERE, f"nobody knows what clients found: {why}")
    elif any(one.owed for one in every) and not any(
        one.since >= settled and any(one.counts.values()) for one in every
    ):
        yield Cause(Verdict.UNKNOWN, _WHERE, "no answer after the rollback could be compared")
