"""Whether the record is one of a whole drill: begin, end, phases, each thing once and in order."""

from __future__ import annotations

from collections.abc import Iterable

from rollback_drill.breaks.told import FaultAttested, FaultInjected, HazardArmed, HazardOver
from rollback_drill.conduct.told import DrillStarted, EarlierDrills, Restored, Resumed, StageUp
from rollback_drill.data.told import LedgerRead
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.perform.told import ProcedureChosen, StepStarted
from rollback_drill.record.book import Record
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded, PhaseName, PhaseStarted
from rollback_drill.traffic.told import GeneratorSample
from rollback_drill.watch.told import LogLine

_ORDER = (
    PhaseName.SETUP,
    PhaseName.STEADY,
    PhaseName.FAULT,
    PhaseName.PREPARATION,
    PhaseName.ROLLBACK,
    PhaseName.VERIFICATION,
    PhaseName.TEARDOWN,
    PhaseName.AFTERWARDS,
)
_ALWAYS = (PhaseName.SETUP, PhaseName.STEADY, PhaseName.FAULT)
_IN_A_ROLLBACK = (PhaseName.PREPARATION, PhaseName.ROLLBACK, PhaseName.VERIFICATION)
_ONCE = (
    DrillStarted, DrillEnded, EarlierDrills, FaultInjected,
    FaultAttested, Decided, HazardArmed,
)  # fmt: skip
_ONCE_A_LIFE = (StageUp, Restored, LedgerRead, HazardOver)
# When it happened, as somebody else's clock has it, or before it could be said.
_TOLD_LATER = (
    FaultInjected, TriggerFired, GeneratorSample, LogLine,
)  # fmt: skip
_LONGEST_S = 7 * 86_400.0
_SLACK_S = 1e-3  # times are written down in microseconds


def of_order(record: Record) -> list[Cause]:
    """What contradicts that this is the record of one drill, from its start to its end."""
    if record.cut_short:
        return []
    found = [
        *_of_ends(record.events),
        *_of_counts(record),
        *_of_times(record.events),
        *_of_phases(record),
    ]
    return [Cause(Verdict.UNKNOWN, "Record", what) for what in found]


def _of_ends(record: tuple[Event, ...]) -> Iterable[str]:
    if not isinstance(record[0].what, DrillStarted):
        yield f"it begins with {type(record[0].what).__name__}, not with DrillStarted"
    if not isinstance(record[-1].what, DrillEnded):
        yield f"{type(record[-1].what).__name__} comes after the drill's end"


def _of_counts(record: Record) -> Iterable[str]:
    lives = len(record.lives)
    for kinds, most in ((_ONCE, 1), (_ONCE_A_LIFE, lives)):
        for kind in kinds:
            if len(record.every(kind)) > most:
                yield f"{kind.__name__} is on record {len(record.every(kind))} times"
    if len(record.every(StageUp)) < lives:
        yield "that the stage came up is not on record"
    if len(record.every(Resumed)) != lives - 1:
        yield "which drill continues which is not on record"


def _of_times(record: tuple[Event, ...]) -> Iterable[str]:
    """Times rise, since one clock gave them all but those of what is told later."""
    if record[-1].at - record[0].at > _LONGEST_S:
        yield "it takes longer than a week"
    latest = began = record[0].at
    for event in record:
        if isinstance(event.what, LogLine):
            continue
        if isinstance(event.what, _TOLD_LATER):
            wrong = not began - 1 <= event.at <= record[-1].at + 1
        else:
            wrong = event.at < latest - _SLACK_S
            latest = event.at
        if wrong:
            yield f"{type(event.what).__name__} is out of the order of time"
            return


def _of_phases(record: Record) -> Iterable[str]:
    seen: set[PhaseName] = set()
    for life in record.lives:
        reached = -1
        for event in life:
            if not isinstance(event.what, PhaseStarted):
                continue
            phase = event.what.phase
            place = _ORDER.index(phase)
            if place < reached or (place == reached and phase is not PhaseName.AFTERWARDS):
                yield f"the phase “{phase}” comes out of order"
            reached = place
            seen.add(phase)
    wanted = list(_ALWAYS)
    if record.every(ProcedureChosen):
        wanted += _IN_A_ROLLBACK if record.last(Restored) else _IN_A_ROLLBACK[:2]
    if not record.every(Resumed):  # which heals before anything else
        wanted.append(PhaseName.TEARDOWN)
    if any(one.section == "After the rollback" for one in record.every(StepStarted)):
        wanted.append(PhaseName.AFTERWARDS)
    for phase in wanted:
        if phase not in seen:
            yield f"the phase “{phase}” is not on record"
