"""How long it took to restore, beside earlier drills."""

from __future__ import annotations

from drill import events
from drill.causes.cause import Cause
from drill.record import Record
from drill.regression import judge_restore_time
from drill.verdict import Verdict


def of_trend(record: Record) -> list[Cause]:
    """A rollback that takes provably longer than it used to."""
    restored, earlier = record.last(events.Restored), record.last(events.EarlierDrills)
    if restored is None or earlier is None:
        return []
    verdict, told = judge_restore_time(restored.after_s, earlier.restored_s)
    if verdict is not Verdict.FAILED:
        return []
    advice = "find what made it slower, or remove the lines of HISTORY that no longer compare"
    return [Cause(verdict, "Time to restore", "a regression", told, advice)]
