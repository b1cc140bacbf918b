"""Opens a drill: its stage, its rig, and everybody who goes along."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from rollback_drill.conduct.companion import companions
from rollback_drill.conduct.drill import Drill
from rollback_drill.conduct.guard import Guard
from rollback_drill.conduct.plan import Admitted, Plan
from rollback_drill.conduct.progress import Progress
from rollback_drill.conduct.rig import Rig
from rollback_drill.conduct.told import StageUp
from rollback_drill.decide import statistics
from rollback_drill.perform.messages import Courier
from rollback_drill.perform.moment import Moment
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.told import Noted
from rollback_drill.record.watched import Watched
from rollback_drill.stage.conformance import load_library
from rollback_drill.stage.model import Stage
from rollback_drill.stage.sweep import identity
from rollback_drill.traffic.live import Traffic
from rollback_drill.watch.probe import Probe

_LOAD_LIMIT_S = 60.0


def bring_up(
    plan: Plan, admitted: Admitted, timeline: Timeline, up: contextlib.ExitStack
) -> Traffic:
    """Bring the stage up, to be removed by `up`; one that is kept is put back to the failing
    release. Return its traffic, which has not begun. Raises DrillError.
    """
    stage = admitted.stage
    loading = Watched("loader of libraries", lambda: _load(stage)).start()
    traffic = None
    if stage.base_url and plan.surroundings.traffic.loads:  # else its front door is known later
        traffic = _traffic(plan, admitted, timeline)
        up.callback(traffic.abandon)
        traffic.get_ready()
    if admitted.kept_stage:
        stage.deploy(stage.failing)
    else:
        up.enter_context(stage)
    loading.end(_LOAD_LIMIT_S)  # before a drill begins, not in its middle
    timeline.redactor.add(*stage.secrets)
    where = "" if admitted.kept_stage else stage.where
    # Who holds it matters where another drill could take it over.
    timeline.record(StageUp(where, identity(os.getpid())) if where else StageUp(where))
    return traffic or _traffic(plan, admitted, timeline)


def _load(stage: Stage) -> None:
    """Load what takes long, and is needed later, while the stage comes up."""
    statistics.load_bounds()
    if not stage.no_document:
        load_library()


def _traffic(plan: Plan, admitted: Admitted, timeline: Timeline) -> Traffic:
    request, stage = admitted.request, admitted.stage
    return plan.surroundings.traffic(
        stage.base_url,
        stage.api_key,
        admitted.rate,
        request.seed,
        request.report / "traffic",
        timeline,
        interface=stage.interface,
    )


def open_drill(
    plan: Plan,
    admitted: Admitted,
    traffic: Traffic,
    timeline: Timeline,
    progress: Progress | None,
    guard: Guard,
    busy: Callable[[], str],
    undo: contextlib.ExitStack,
) -> Drill:
    """Return the drill on a stage that is up, with its `traffic` and everybody who goes along; what
    has to be closed of it goes to `undo`. `busy`: says how busy the machine is. Raises DrillError.
    """
    request, stage, runbook = admitted.request, admitted.stage, admitted.runbook
    accounts = plan.beginning.accounts(stage, timeline, traffic.directory)
    contacts = "; ".join(f"{c.role} → {c.escalation}" for c in runbook.contacts)
    courier = Courier(admitted.channels, timeline, contacts)
    webhook = undo.enter_context(plan.surroundings.webhook(timeline))
    probe = undo.enter_context(Probe(stage, timeline))
    timeline.record(Noted(f"incidents and tickets: POST to {webhook.url}/incidents and /tickets"))
    moment = Moment(
        stage=stage,
        runbook=runbook,
        traffic=traffic,
        timeline=timeline,
        tail=probe.tail,
        samples=probe.samples,
        failing=stage.failing,
        stable=stage.stable,
        pace=request.pace,
        courier=courier,
        read_back=accounts.so_far if accounts.keeps_paths else None,
        busy=busy,
    )
    performer = undo.enter_context(plan.performer(moment))
    performer.count_from(plan.beginning.first_command)
    rig = Rig(
        request=request,
        rate=admitted.rate,
        runbook=runbook,
        stage=stage,
        fault=admitted.fault,
        timeline=timeline,
        traffic=traffic,
        webhook=webhook.url,
        token=webhook.token,
        performer=performer,
        accounts=accounts,
        courier=courier,
        guard=guard,
        progress=progress,
    )
    drill = Drill(rig, companions(rig))
    undo.enter_context(drill.clients)
    for one in drill.companions:
        one.up()
    return drill
