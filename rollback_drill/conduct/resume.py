"""Finishes what a killed drill had begun: on its stage, from its record, in a report of its own.

The dead drill's record is carried over, so that one timeline tells the whole story and is judged
as one. Commands that it left running are ended, its fault is healed, its hazard taken back. Then
the same procedure is performed from its beginning, verified, and every write of both is read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from rollback_drill.breaks.fault import Scene
from rollback_drill.breaks.hazard import Mishap, hazard_called
from rollback_drill.breaks.told import HazardArmed, HazardOver
from rollback_drill.conduct.beginning import tell_reading
from rollback_drill.conduct.drill import Drill
from rollback_drill.conduct.phases import (
    Phase,
    let_clients_in,
    make_ready,
    remove_cause,
    roll_back,
    tell_performer,
    verify_service,
)
from rollback_drill.conduct.plan import Admitted, Note, Plan
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.told import DrillStarted, Resumed, StageUp
from rollback_drill.data.accounting import Accounting
from rollback_drill.data.told import CatalogueSeen, DamageSeen, DataSeen, RowsSeen
from rollback_drill.decide.told import Decided
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import UsageError
from rollback_drill.perform.operator import OperatorPerformer
from rollback_drill.perform.performer import Performer
from rollback_drill.perform.told import (
    Authorized,
    CommandStarted,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.timeline import Event, Timeline, read
from rollback_drill.record.told import DrillBroke, DrillEnded, Interrupted
from rollback_drill.runbook.maintenance import LEAVE
from rollback_drill.stage.model import Stage
from rollback_drill.stage.opening import attach_stage
from rollback_drill.stage.sweep import find
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.told import TrafficSecond

_Kind = TypeVar("_Kind")
_NOT_CARRIED = (Interrupted, DrillBroke)  # that drill's end is not this one's


@dataclass(frozen=True, slots=True)
class Left:
    """What a killed drill left on record. `where`: its stage; `procedure`: 0 where none was to be
    performed; `prepared`: whether the checklist before it was done; `untouched`: whether the data
    was looked at and no client can have written since; `scopes`: which rows stood when it began,
    and `entries`: what the database was made of; `traffic`: folders with observed requests.
    """

    directory: Path
    record: tuple[Event, ...]
    started: DrillStarted
    where: str
    decided: tuple[float, Decided] | None
    procedure: int
    chosen_by: str
    prepared: bool
    untouched: bool
    damaged: frozenset[str] | None
    scopes: Mapping[str, str] | None
    entries: dict[str, str] | None
    traffic: tuple[Path, ...]

    def request(self, report: Path, *, mode: str, channels: Path | None) -> Request:
        """Return the dead drill's request, with a `report` of its own."""
        started = self.started
        return Request(
            Path(started.runbook_path),
            report,
            stage=started.stage,
            fault=started.fault,
            procedure=started.procedure,
            pace=started.pace,
            rate=started.rate,
            seed=started.seed,
            mode=mode,
            channels=channels,
        )

    @property
    def error_rate(self) -> float:
        """The share of requests that failed while the decision was made; 1 where none was seen."""
        if self.decided is None:
            return 1.0
        at, decided = self.decided
        seconds = [
            e.what.outcomes
            for e in self.record
            if isinstance(e.what, TrafficSecond)
            and at - decided.detected_after_s - 1 <= e.what.second <= at
        ]
        sent = sum(sum(one.values()) for one in seconds)
        good = sum(one.get(Outcome.OK, 0) for one in seconds)
        return (sent - good) / sent if sent else 1.0


def read_left(path: Path) -> Left:
    """Read what the killed drill with its report (or timeline) at `path` left.

    Raises UsageError when there is none, when it ended by itself, or its stage does not outlive it.
    """
    timeline = path / "timeline.jsonl" if path.is_dir() else path
    record = tuple(read(timeline))
    started = _last(record, DrillStarted)
    if started is None or _last(record, DrillEnded) is not None:
        raise UsageError(
            f"RESUME: the report of a drill that was killed at {path}",
            "one that ended by itself" if started else "no drill",
            "hold a new drill: this one has healed and cleared up",
        )
    up = _last(record, StageUp)
    if up is None or not up.where:
        raise UsageError(
            "RESUME: a drill on a stage that outlives it (STAGE=processes or FILE.toml)",
            f"one whose stage had not come up ({started.stage})" if up is None else started.stage,
            "hold a new drill: it sweeps what was left and begins anew",
        )
    if find(*up.owner):
        raise UsageError(
            "RESUME: a drill that is dead",
            f"process {up.owner[0]}, which still holds it",
            "press Ctrl-C there: it then heals and clears up by itself",
        )
    decided = next(((e.at, e.what) for e in reversed(record) if isinstance(e.what, Decided)), None)
    chosen = _last(record, ProcedureChosen)
    allowed = _last(record, Authorized)
    resumed = [e.what for e in record if isinstance(e.what, Resumed)]
    reports = [*(Path(one.directory) for one in resumed), timeline.parent]
    damage, stood = _last(record, DamageSeen), _last(record, RowsSeen)
    made = [e.what.entries for e in record if isinstance(e.what, CatalogueSeen)]
    return Left(
        directory=timeline.parent,
        record=record,
        started=started,
        where=up.where,
        decided=decided,
        procedure=0
        if allowed and not allowed.allowed
        else _procedure(started, decided[1] if decided else None, chosen),
        chosen_by=chosen.chosen_by
        if chosen
        else ("operator" if started.procedure != "auto" else "diagnosis"),
        prepared=any(
            isinstance(e.what, StepEnded) and e.what.section == "Preparation" for e in record
        ),
        untouched=_untouched(record),
        damaged=None if damage is None else frozenset(damage.references),
        scopes=None if stood is None else stood.scopes,
        entries=next((one for one in reversed(made) if one), None),
        traffic=tuple(one / "traffic" for one in reports),
    )


def _last(record: tuple[Event, ...], kind: type[_Kind]) -> _Kind | None:
    return next((e.what for e in reversed(record) if isinstance(e.what, kind)), None)


def _procedure(
    started: DrillStarted,
    decided: Decided | None,
    chosen: ProcedureChosen | None,
) -> int:
    if chosen:
        return chosen.procedure
    if decided is None:
        return 0
    if started.procedure != "auto":
        return int(started.procedure)
    return decided.procedure if decided.rollback else 0


def _untouched(record: tuple[Event, ...]) -> bool:
    """Say whether all data was looked at "before", and clients were not let back since."""
    seen = False
    for event in record:
        match event.what:
            case DataSeen(moment=moment):
                seen = moment == "before"
            case StepStarted(title=title) if LEAVE.search(title):
                seen = False
    return seen


class Continued:
    """The drill goes on with what a dead one has begun; see Beginning."""

    def __init__(self, left: Left) -> None:
        self._left = left
        commands = (e.what.command for e in left.record if isinstance(e.what, CommandStarted))
        self.first_command = max(commands, default=0) + 1

    def open(self, request: Request, note: Note) -> Stage:
        """Return the dead drill's stage, as it is. One that is attached has nothing to say."""
        del request, note
        return attach_stage(self._left.started.stage, self._left.where, lambda _: None)

    def carry(self, timeline: Timeline) -> None:
        """Carry the dead drill's record over."""
        for event in self._left.record:
            if not isinstance(event.what, _NOT_CARRIED):
                timeline.record(event.what, event.at)

    def announce(self, admitted: Admitted, timeline: Timeline) -> None:
        """Nothing starts: `take_up` says what is continued, once the stage is there. But the
        runbook is read anew.
        """
        tell_reading(admitted.runbook, timeline)

    def accounts(self, stage: Stage, timeline: Timeline, traffic: Path) -> Accounting:
        """Return an account of the writes of both."""
        left = self._left
        return Accounting(
            stage,
            timeline,
            *left.traffic,
            traffic,
            damaged=left.damaged,
            untouched=left.untouched,
            scopes=left.scopes,
            entries=left.entries,
        )


def continuation(left: Left, request: Request) -> Plan:
    """Return the drill that finishes what `left` was left by."""
    performer = OperatorPerformer if request.mode == "operator" else Performer
    return Plan(request, phases_of(left), Continued(left), performer)


def phases_of(left: Left) -> tuple[Phase, ...]:
    """Return the phases that are still to come: none that was done before the drill died."""

    def take_up(drill: Drill) -> bool:
        """Say what is continued; take the hazard back and heal the fault, whether their making was
        recorded or not.
        """
        rig = drill.rig
        died_at = left.record[-1].at
        where = str(left.directory.resolve())
        rig.timeline.record(Resumed(where, died_at, rig.stage.ended_scripts))
        drill.scene = Scene(rig.stage, 0.0, rig.webhook, rig.traffic.directory, rig.token)
        drill.served_since = now()
        hazard = hazard_called(left.started.hazard)
        armed, over = (_last(left.record, k) for k in (HazardArmed, HazardOver))
        if hazard:
            Mishap(hazard, rig.timeline).take_back(rig.stage, tell=bool(armed and not over))
        drill.heal(attest=False)  # it may write, and the data was seen before the procedure
        return True

    def choose_again(drill: Drill) -> bool:
        rig = drill.rig
        if left.decided:
            drill.decided_at, drill.decided = left.decided
            rig.performer.moment = replace(rig.performer.moment, decision=drill.decided)
        else:
            drill.decided_at = drill.served_since
        drill.procedure, drill.chosen_by = rig.runbook.procedure(left.procedure), left.chosen_by
        tell_performer(drill, left.error_rate)
        return True

    def remove_cause_only(drill: Drill) -> bool:
        drill.note("no procedure was to be performed: only the cause is removed")
        return remove_cause(drill)

    if not left.procedure:
        return (let_clients_in, take_up, remove_cause_only)
    preparing = () if left.prepared else (make_ready,)
    return (let_clients_in, take_up, choose_again, *preparing, roll_back, verify_service)
