"""How a drill begins: anew, on a stage of its own (see `conduct.resume` for the other way)."""

from __future__ import annotations

from pathlib import Path

import rollback_drill
from rollback_drill.breaks.fault import ProvesHealed
from rollback_drill.conduct.admission import open_foreseen
from rollback_drill.conduct.attest import expectation
from rollback_drill.conduct.plan import Admitted, Note
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.told import DrillStarted, EarlierDrills
from rollback_drill.conduct.triggers_read import read_triggers
from rollback_drill.data.accounting import Accounting
from rollback_drill.judge.figures import older_figures
from rollback_drill.perform.asked import asked_by
from rollback_drill.record.timeline import Timeline
from rollback_drill.runbook.amounts import within_s
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.told import DocumentKept, FollowUp, RunbookRead, TemplatesRead
from rollback_drill.stage.model import Stage, lacks_of
from rollback_drill.traffic.live import CLIENTS


class Anew:
    """The drill is the first to touch its stage: the one that was asked for, or `stage`, which is
    not up yet.
    """

    first_command = 1

    def __init__(self, stage: Stage | None = None) -> None:
        self._stage = stage

    def open(self, request: Request, note: Note) -> Stage:
        """See Beginning.open."""
        return self._stage or open_foreseen(request, note)

    def carry(self, timeline: Timeline) -> None:
        """Nothing was before."""

    def announce(self, admitted: Admitted, timeline: Timeline) -> None:
        """See Beginning.announce."""
        request, runbook, stage = admitted.request, admitted.runbook, admitted.stage
        timeline.record(
            DrillStarted(
                stage=stage.name,
                stage_reason=stage.reason,
                hosts=tuple(host.name for host in stage.hosts),
                failing=stage.failing,
                stable=stage.stable,
                fault=request.fault,
                procedure=request.procedure,
                runbook_path=str(request.runbook),
                runbook_sha256=runbook.sha256,
                runbook_title=runbook.title,
                pace=request.pace,
                rate=admitted.rate,
                seed=request.seed,
                hazard=request.hazard,
                clients=CLIENTS,
                promises=_promises(admitted),
                version=rollback_drill.__version__,
            )
        )
        tell_reading(runbook, timeline)
        timeline.record(asked_by(runbook, lacks_of(stage), admitted.boxes_before))
        if request.history:
            timeline.record(_earlier(admitted))
        timeline.record(
            read_triggers(runbook, pace=request.pace, lacks=lacks_of(stage), fault=admitted.fault)
        )
        timeline.record(TemplatesRead({one.name: one.text for one in runbook.templates}))
        for checklist in runbook.post_rollback:
            items = tuple(one.text for one in checklist.checkboxes)
            within, runs = within_s(checklist.title), bool(checklist.blocks)
            timeline.record(FollowUp(checklist.title, within, items, runs))

    def accounts(self, stage: Stage, timeline: Timeline, traffic: Path) -> Accounting:
        """See Beginning.accounts."""
        return Accounting(stage, timeline, traffic)


def tell_reading(runbook: Runbook, timeline: Timeline) -> None:
    """Keep the runbook, say what of it nobody will perform or verify, and what was assumed."""
    timeline.record(DocumentKept(runbook.text))
    unread = runbook.unread
    timeline.record(
        RunbookRead(
            lines=tuple(one.line for one in unread),
            texts=tuple(one.text for one in unread),
            reasons=tuple(one.why for one in unread),
            assumed_lines=tuple(one.line for one in runbook.assumed),
            assumed=tuple(one.what for one in runbook.assumed),
            values=tuple(one.value for one in runbook.assumed),
            sources=tuple(one.source for one in runbook.assumed),
        )
    )


def _earlier(admitted: Admitted) -> EarlierDrills:
    times, last = admitted.earlier, admitted.last
    if last is None:
        return EarlierDrills(admitted.history_key, times, len(times))
    figures = last.figures or older_figures(last)
    return EarlierDrills(admitted.history_key, times, len(times), figures, last.began)


def _promises(admitted: Admitted) -> dict[str, int]:
    """Return how many events of which kinds are recorded, whatever comes of the drill."""
    declared, _ = expectation(admitted.runbook, admitted.fault)
    return {
        "RunbookRead": 1,
        "DocumentAsked": 1,
        "TriggersRead": 1,
        "TemplatesRead": 1,
        "FollowUp": len(admitted.runbook.post_rollback),
        "EarlierDrills": int(admitted.request.history is not None),
        "TriggerFired": int(bool(declared)),
        "HealAttested": int(isinstance(admitted.fault, ProvesHealed)),
        "RowsSeen": 2 * bool(admitted.stage.database),  # at the start and at the end
        "CatalogueSeen": 2 * bool(admitted.stage.database),
        "AnswersCompared": 1,
        "GoldenAsked": 1,
        "ContractAsked": 1,
    }
