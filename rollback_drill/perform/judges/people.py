"""Whether those who started the rollback may, and whether people were told."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.conduct.told import DrillStarted, Restored
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.saying import back_to, says_down, says_nobody, says_up
from rollback_drill.perform.told import STATUS_PAGE, Authorized, MessageHandled, StepStarted
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.runbook.maintenance import ENTER, LEAVE
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.told import TrafficSecond

_FACTS = "take it from what was measured: the variables that the runbook is given"
_FAILED = (Outcome.SERVER_ERROR, Outcome.UNAVAILABLE, Outcome.CONNECTION, Outcome.TIMEOUT)
_SAY = "update the page in the runbook, in the step that makes it another"


@judging(150)
def of_authority(book: Book) -> Iterator[Cause]:
    """Whether those who started the rollback may."""
    ruling = book.last(Authorized)
    if ruling is None or ruling.allowed:
        return
    what = (
        f"{', '.join(ruling.roles)} may not start a rollback of {ruling.severity}; line "
        f"{ruling.line} of the runbook says: {ruling.rule}"
    )
    yield Cause(Verdict.FAILED, "Authority", what, advice="ask who may; set AUTHORIZED_BY")


@judging(160)
def of_messages(book: Book) -> Iterator[Cause]:
    """People who were to be told and were not: a message that was refused or did not arrive; and
    what any message says, whoever reads it, that is not so.
    """
    for one in book.every(MessageHandled):
        if one.outcome in ("refused", "failed"):
            what = f"it was not sent: {one.detail}"
            refused = one.outcome == "refused"
            advice = "fill its blanks" if refused else "see the file of channels"
            yield Cause(Verdict.FAILED, f"Message {one.name}", what, one.text[:300], advice)
    for at, one in book.moments(MessageHandled):
        for what in _untrue(book, at, one.text):
            yield Cause(Verdict.FAILED, f"Message {one.name}", what, one.text[:300], _FACTS)


def _untrue(book: Book, at: float, text: str) -> Iterator[str]:
    """Yield what a message says that was written `at`, and that the record tells otherwise."""
    start = book.first(DrillStarted)
    known = {start.stable.removeprefix("v"), start.failing.removeprefix("v")} if start else set()
    for release in dict.fromkeys(back_to(text)):
        if start and release.startswith("v") and release.removeprefix("v") not in known:
            yield f"it says that {release} is gone back to, not {start.stable}"
    said = says_nobody(text)
    failed = said and sum(
        second.outcomes.get(name, 0)
        for when, second in book.moments(TrafficSecond)
        for name in _FAILED
        if when <= at
    )
    if failed:
        yield f"it says “{said}”, and {failed} requests of clients had failed"


@judging(165)
def of_status_page(book: Book) -> Iterator[Cause]:
    """What customers read at the end, when the service works again; before that, that it works
    while they are kept out, or does not when they are let in.
    """
    shown = [one for one in book.every(MessageHandled) if one.name == STATUS_PAGE]
    step = ""
    for event in book.events:
        match event.what:
            case StepStarted(title=title):
                step = title
            case MessageHandled(name=name, text=text) if name == STATUS_PAGE:
                out, back = ENTER.search(step), LEAVE.search(step)
                untrue = says_up(text) if out else says_down(text) if back else ""
                if untrue:
                    state = "kept out" if out else "let in again"
                    what = f"clients were {state} in “{step}”, and it said “{untrue}”"
                    yield Cause(Verdict.FAILED, "Status page", what, text[:300], _SAY)
    said = says_down(shown[-1].text) if shown and book.last(Restored) else ""
    if said:
        what = f"the service works again, and it still says “{said}”"
        yield Cause(Verdict.FAILED, "Status page", what, shown[-1].text[:300], _SAY)
