"""What was broken on purpose: what a procedure made of it, and whether it is healed."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.breaks.told import HazardArmed, HazardOver, HealAttested, WritesUnderFire
from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging


@judging(90)
def of_fire(book: Book) -> Iterator[Cause]:
    """Writes that went on during a procedure are as good as any other."""
    seen = book.last(WritesUnderFire)
    where = "Data, under fire"
    if seen is None or (seen.written and seen.lost == 0):
        return
    if not seen.written:
        yield Cause(Verdict.UNKNOWN, where, "no writes were made")
    elif seen.lost is None:
        what = f"nobody could read the {seen.written} writes under fire back"
        yield Cause(Verdict.UNKNOWN, where, what)
    else:
        what = f"{seen.lost} of {seen.written} writes under fire are lost"
        yield Cause(Verdict.FAILED, where, what, ", ".join(seen.examples))


@judging(120)
def of_hazard(book: Book) -> Iterator[Cause]:
    """What was asked to go wrong and did not, and what a procedure did to others, though all of its
    checkboxes may hold.
    """
    start, over = book.last(DrillStarted), book.last(HazardOver)
    if start and start.hazard != "none" and book.last(HazardArmed) is None:
        what = "it was asked for and never made: its step was not reached"
        yield Cause(Verdict.UNKNOWN, f"Hazard {start.hazard}", what)
    elif over and over.harm:
        advice = "mend the command in the runbook that reaches further than it should"
        yield Cause(Verdict.FAILED, f"Hazard {over.name}", over.harm, over.seen, advice)
    elif over and not over.undone:
        what = "what it did is not known: it could not be taken back"
        yield Cause(Verdict.UNKNOWN, f"Hazard {over.name}", what, over.seen)


@judging(130)
def of_healing(book: Book) -> Iterator[Cause]:
    """A fault that is still there is left behind for the next who uses the stage."""
    healed = book.last(HealAttested)
    if healed and not healed.gone:
        what = "it is still there after it was healed"
        advice = "heal it by hand, and mend the script that should have"
        yield Cause(Verdict.FAILED, f"Fault {healed.name}", what, healed.evidence, advice)
