"""Whether a drill can be held as it was asked for: found out before anything is emptied or made."""

from __future__ import annotations

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
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.model import Stage, refuse_unable
from rollback_drill.stage.opening import open_stage


def admit(plan: Plan, stage: Stage | None, note: Note) -> Admitted:
    """Return the drill of `plan` on `stage`, or on the one that it opens, not yet brought up.

    Its folder for the report is empty then. Raises UsageError for what cannot be met. `note` is
    told what the stage has to say.
    """
    request = plan.request
    runbook = parse(request.runbook)
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
    _check_rate(request, opened)
    channels = read_channels(request.channels, request.report / OWN_MAILBOX)
    earlier = _earlier(request, opened)
    # Last of all: nothing is emptied for a request that cannot be met.
    prepare_directory(request.report)
    return Admitted(request, runbook, opened, stage is not None, fault, channels, earlier)


def open_foreseen(request: Request, note: Note) -> Stage:
    """Return the stage that was asked for, with what the hazard needs of it."""
    options, hazard = request.options, hazard_called(request.hazard)
    if isinstance(hazard, Foreseen):
        options = hazard.foresee(options)
    return open_stage(request.stage, options, note)


def _check_rate(request: Request, stage: Stage) -> None:
    limits = stage.limits
    if limits and request.rate > limits.rate:
        raise UsageError(
            f"RATE up to {limits.rate:g} requests/s, the limit of {stage.name}",
            f"{request.rate:g}",
            f"set RATE={limits.rate:g}, or raise [limits] rate in the stage's file",
        )


def _earlier(request: Request, stage: Stage) -> tuple[float, ...]:
    """Return the times to restore of earlier drills that compare; none without a history."""
    if request.history is None:
        return ()
    history.prepare(request.history)
    return history.baseline(history.earlier(request.history), history_key(request, stage))
