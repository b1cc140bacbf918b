"""How the drill ended: by itself, and with nothing left behind."""

from __future__ import annotations

from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.record.book import Record
from rollback_drill.record.told import DrillBroke, DrillEnded, Interrupted


def of_end(record: Record) -> list[Cause]:
    """What cut the drill short, and what it left behind."""
    causes = []
    interrupted, broke = record.last(Interrupted), record.last(DrillBroke)
    if interrupted:
        causes.append(Cause(Verdict.UNKNOWN, "Drill", f"interrupted by {interrupted.by}"))
    if broke:
        what = f"it could not go on: expected {broke.expected}; found {broke.found}"
        causes.append(Cause(Verdict.UNKNOWN, "Drill", what, advice=broke.advice))
    ended = record.last(DrillEnded)
    if ended is None:
        causes.append(Cause(Verdict.UNKNOWN, "Drill", "the timeline breaks off before the end"))
    elif ended.left_behind:
        left = ", ".join(ended.left_behind)
        causes.append(Cause(Verdict.FAILED, "Drill", "something was left behind", left))
    return causes
