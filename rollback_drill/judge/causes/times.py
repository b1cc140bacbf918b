"""How long it took to restore, beside earlier drills."""

from __future__ import annotations

from rollback_drill.conduct.told import EarlierDrills, Restored
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.judge.regression import judge_restore_time
from rollback_drill.record.book import Record


def of_trend(record: Record) -> list[Cause]:
    """A rollback that takes provably longer than it used to."""
    restored, earlier = record.last(Restored), record.last(EarlierDrills)
    if restored is None or earlier is None:
        return []
    verdict, told = judge_restore_time(restored.after_s, earlier.restored_s)
    if verdict is not Verdict.FAILED:
        return []
    advice = "find what made it slower, or remove the lines of HISTORY that no longer compare"
    return [Cause(verdict, "Time to restore", "a regression", told, advice)]
