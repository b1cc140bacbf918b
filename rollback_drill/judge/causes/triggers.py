"""The runbook's triggers: whether somebody looked for each, in all that it asks for."""

from __future__ import annotations

from rollback_drill.conduct.told import DrillStarted
from rollback_drill.decide.told import TriggersRead
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.record.book import Record


def of_triggers(record: Record) -> list[Cause]:
    """A trigger that nothing watches for is uncovered, as a checkbox without a check is."""
    read = record.last(TriggersRead)
    if read is None:
        if record.last(DrillStarted) is None:
            return []  # a cause of its own
        return [Cause(Verdict.UNKNOWN, "Triggers", "nobody wrote down which of them are watched")]
    advice = (
        "word it like a trigger that is watched, or add a watch in rollback_drill/decide/triggers"
    )
    causes = [
        Cause(Verdict.UNCOVERED, where, why, advice=advice) for where, why in read.uncovered.items()
    ]
    unseen = [
        Cause(Verdict.UNKNOWN, where, f"nobody can look for it here: {why}")
        for where, why in read.unseen.items()
    ]
    return [*causes, *unseen]
