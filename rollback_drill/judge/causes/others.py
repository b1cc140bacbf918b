"""What a procedure did to others, and what people were told."""

from __future__ import annotations

from rollback_drill.breaks.told import HazardArmed, HazardOver
from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.perform.told import Authorized, MessageHandled
from rollback_drill.record.book import Record


def of_hazard(record: Record) -> list[Cause]:
    """What was asked to go wrong and did not, and what a procedure did to others, though all of its
    checkboxes may hold.
    """
    start, over = record.last(DrillStarted), record.last(HazardOver)
    if start and start.hazard != "none" and record.last(HazardArmed) is None:
        what = "it was asked for and never made: its step was not reached"
        return [Cause(Verdict.UNKNOWN, f"Hazard {start.hazard}", what)]
    if over is None or not over.harm:
        return []
    advice = "mend the command in the runbook that reaches further than it should"
    return [Cause(Verdict.FAILED, f"Hazard {over.name}", over.harm, over.seen, advice)]


def of_authority(record: Record) -> list[Cause]:
    """Whether those who started the rollback may."""
    ruling = record.last(Authorized)
    if ruling is None or ruling.allowed:
        return []
    what = (
        f"{', '.join(ruling.roles)} may not start a rollback of {ruling.severity}; line "
        f"{ruling.line} of the runbook says: {ruling.rule}"
    )
    return [Cause(Verdict.FAILED, "Authority", what, advice="ask who may; set AUTHORIZED_BY")]


def of_messages(record: Record) -> list[Cause]:
    """People who were to be told and were not: a message that was refused or did not arrive."""
    return [
        Cause(
            Verdict.FAILED, f"Message {one.name}", f"it was not sent: {one.detail}", one.text[:300],
            "fill its blanks" if one.outcome == "refused" else "see the file of channels",
        )
        for one in record.every(MessageHandled)
        if one.outcome in ("refused", "failed")
    ]  # fmt: skip
