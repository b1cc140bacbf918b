"""Whether a drill can be held as it was asked for: found out before anything is emptied or made."""

from __future__ import annotations

import os

from rollback_drill.breaks.hazard import Foreseen, check_place, hazard_called
from rollback_drill.breaks.scripted import fault_called
from rollback_drill.conduct.plan import Admitted, Note, Plan, history_key
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.triggers_read import check_joins
from rollback_drill.ground.errors import UsageError
from rollback_drill.judge import history
from rollback_drill.perform.foreign import may_perform, refuse_foreign
from rollback_drill.perform.messages import read_channels
from rollback_drill.report.folder import OWN_MAILBOX, prepare_directory
from rollback_drill.runbook.asked import check_asked
from rollback_drill.runbook.standard import without_unable
from rollback_drill.stage.allowance import TRAFFIC_SHARE
from rollback_drill.stage.entries import Limits
from rollback_drill.stage.hinted import runbook_on
from rollback_drill.stage.model import Stage, lacks_of, refuse_unable
from rollback_drill.stage.opening import open_stage

_USUAL_RATE, _SPARING_RATE = 200.0, 100.0  # requests per second


def admit(plan: Plan, stage: Stage | None, note: Note) -> Admitted:
    """Return the drill of `plan` on `stage`, or on the one that it opens, not yet brought up.

    Its folder for the report is empty then. Raises UsageError for what cannot be met. `note` is
    told what the stage has to say.
    """
    admitted = look_over(plan, stage, note)
    # Last of all: nothing is emptied for a request that cannot be met.
    prepare_directory(plan.request.report)
    return admitted


def look_over(plan: Plan, stage: Stage | None, note: Note) -> Admitted:
    """See admit; nothing is emptied, made or brought up."""
    request = plan.request
    runbook = runbook_on(request.runbook, request.stage)
    hazard = hazard_called(request.hazard)
    check_joins()
    check_asked(runbook, request.procedure, request.authorized_by)
    procedures = may_perform(runbook, request.procedure, round_trip=request.round_trip)
    if hazard:
        check_place(hazard, procedures)
    opened = stage or plan.beginning.open(request, note)
    refuse_foreign(runbook, procedures, opened)
    if hazard:
        refuse_unable(opened, hazard.needs, f"HAZARD={hazard.name}", "hazard")
    fault = plan.fault or fault_called(request.fault, opened)
    rate = usual_rate(opened) if request.rate is None else request.rate
    _check_rate(rate, opened)
    channels = read_channels(request.channels, request.report / OWN_MAILBOX)
    runbook = without_unable(runbook, lacks_of(opened))
    earlier_drills = _kept(request)
    key = history_key(request, opened, rate)
    earlier, last = history.baseline(earlier_drills, key), history.last_of(earlier_drills, key)
    boxes = history.boxes_before(earlier_drills, runbook.title)
    kept = stage is not None
    return Admitted(request, runbook, opened, kept, fault, channels, rate, earlier, boxes, last)


def open_foreseen(request: Request, note: Note) -> Stage:
    """Return the stage that was asked for, with what the hazard needs of it."""
    options, hazard = request.options, hazard_called(request.hazard)
    if isinstance(hazard, Foreseen):
        options = hazard.foresee(options)
    return open_stage(request.stage, options, note)


def usual_rate(stage: Stage) -> float:
    """Return how many requests per second are usual on `stage`: so many as two cores keep up with,
    for bounds are proven the sooner. On one core it is half of it, and where a stage is elsewhere,
    which others may need, within its limits.
    """
    if stage.stays:
        return min(_SPARING_RATE, _most_rate(stage.limits)) if stage.limits else _SPARING_RATE
    return _USUAL_RATE if (os.cpu_count() or 1) > 1 else _SPARING_RATE


def _most_rate(limits: Limits) -> float:
    return TRAFFIC_SHARE * limits.rate


def _check_rate(rate: float, stage: Stage) -> None:
    limits = stage.limits
    if limits and rate > _most_rate(limits):
        most = _most_rate(limits)
        raise UsageError(
            f"RATE up to {most:g} requests/s, of the {limits.rate:g} that {stage.name} allows: the "
            "suite's own questions have the rest",
            f"{rate:g}",
            f"set RATE={most:g}, or raise [limits] rate in the stage's file",
        )


def _kept(request: Request) -> list[history.KeptDrill]:
    """Return earlier drills, oldest first; none without a history."""
    if request.history is None:
        return []
    history.prepare(request.history)
    return history.earlier(request.history)
