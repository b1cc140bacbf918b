"""The runbook's triggers: whether somebody looked for each, in all that it asks for."""

from __future__ import annotations

from drill import events
from drill.causes.cause import Cause
from drill.record import Record
from drill.verdict import Verdict


def of_triggers(record: Record) -> list[Cause]:
    """A trigger that nothing watches for is uncovered, as a checkbox without a check is."""
    read = record.last(events.TriggersRead)
    if read is None:
        if record.last(events.DrillStarted) is None:
            return []  # a cause of its own
        return [Cause(Verdict.UNKNOWN, "Triggers", "nobody wrote down which of them are watched")]
    advice = "word it like a trigger that is watched, or add a watch in drill/triggers"
    causes = [
        Cause(Verdict.UNCOVERED, where, why, advice=advice) for where, why in read.uncovered.items()
    ]
    unseen = [
        Cause(Verdict.UNKNOWN, where, f"nobody can look for it here: {why}")
        for where, why in read.unseen.items()
    ]
    return [*causes, *unseen]
