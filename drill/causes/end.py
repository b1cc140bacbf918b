"""How the drill ended: by itself, and with nothing left behind."""

from __future__ import annotations

from drill import events
from drill.causes.cause import Cause
from drill.record import Record
from drill.verdict import Verdict


def of_end(record: Record) -> list[Cause]:
    """What cut the drill short, and what it left behind."""
    causes = []
    interrupted, broke = record.last(events.Interrupted), record.last(events.DrillBroke)
    if interrupted:
        causes.append(Cause(Verdict.UNKNOWN, "Drill", f"interrupted by {interrupted.by}"))
    if broke:
        what = f"it could not go on: expected {broke.expected}; found {broke.found}"
        causes.append(Cause(Verdict.UNKNOWN, "Drill", what, advice=broke.advice))
    ended = record.last(events.DrillEnded)
    if ended is None:
        causes.append(Cause(Verdict.UNKNOWN, "Drill", "the timeline breaks off before the end"))
    elif ended.left_behind:
        left = ", ".join(ended.left_behind)
        causes.append(Cause(Verdict.FAILED, "Drill", "something was left behind", left))
    return causes
