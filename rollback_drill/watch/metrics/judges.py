"""Whether what monitoring reads is true, and whether the service keeps its secrets."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import Checked, ProcedureChosen, StepEnded, StepStarted
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.watch.levels import ERRORS
from rollback_drill.watch.logs import APPLICATION, OUTPUT
from rollback_drill.watch.metrics.agreement import (
    answered_in,
    compared,
    disagreements,
    last_span,
    sure_since,
)
from rollback_drill.watch.metrics.told import SECRET, Counted, Leaked
from rollback_drill.watch.told import LogLine

_OF_LOGS = ("application_log", "startup_log")
_ADVICE = "see what the service counts, and where"


def took_effect(book: Book) -> float | None:
    """Return when the last procedure that was performed took effect, in Unix seconds: with its
    first step the failing behaviour is over, or out of sight. None where none was.
    """
    chosen = max((at for at, _ in book.moments(ProcedureChosen)), default=None)
    if chosen is None:
        return None
    steps = (at for at, one in book.moments(StepEnded) if at >= chosen and is_step(one))
    return next(steps, None)


@judging(145, whole=True)
def of_metrics(book: Book) -> Iterator[Cause]:
    """Metrics of the release that is rolled back to: pages that cannot be right, and numbers that
    are not those of the clients.
    """
    since = took_effect(book)
    readings = book.moments(Counted)
    if since is None or not readings:
        return
    settled = max((at for at, one in book.moments(StepStarted) if is_step(one)), default=since)
    flaws = dict.fromkeys(
        f"of {one.host}: {flaw}" for at, one in readings if at >= settled for flaw in one.flaws
    )
    # All of it, and what of it leaves no doubt.
    for begin in () if flaws else dict.fromkeys((since, sure_since(book, since))):
        span = last_span(book, begin)
        answered = answered_in(book, span) if span else None
        if span and answered and compared(span, answered):
            flaws = flaws or dict.fromkeys(disagreements(span, answered))
    for what in flaws:
        yield Cause(Verdict.FAILED, "Metrics", what, advice=_ADVICE)


def is_step(one: StepStarted | StepEnded) -> bool:
    """Whether it is a step of a procedure, and no prerequisite or checklist."""
    return one.section.startswith("Procedure ") and one.number > 0


@judging(144, whole=True)
def of_logs(book: Book) -> Iterator[Cause]:
    """Errors that the service logged or printed once its last step had begun, whether a box asks
    for them or not, and however late they came. What an account of its own finds is that of a box.
    """
    steps = [(at, one) for at, one in book.moments(StepStarted) if is_step(one)]
    if took_effect(book) is None or not steps:
        return
    since, last = steps[-1]
    by_box = any(
        one.check in _OF_LOGS and one.verdict is Verdict.FAILED for one in book.every(Checked)
    )
    lines = [
        one
        for at, one in book.moments(LogLine)
        if at >= since and one.level in ERRORS and one.source in (APPLICATION, OUTPUT)
    ]
    if lines and not by_box:
        first = next((one for one in lines if one.host), lines[0])
        what = f"the service told {first.level} after “{last.title}” had begun: {first.text[:200]}"
        yield Cause(Verdict.FAILED, "Logs", what, advice="see what broke, and when")


@judging(146)
def of_secrets(book: Book) -> Iterator[Cause]:
    """Secrets that stand in the open once the rollback took effect."""
    since = took_effect(book)
    if since is None:
        return
    for one in dict.fromkeys(one for at, one in book.moments(Leaked) if at >= since):
        advice = "take it out" + (", and make a new one" if one.what == SECRET else "")
        yield Cause(Verdict.FAILED, "Secrets", f"{one.what} stands in {one.where}", advice=advice)
