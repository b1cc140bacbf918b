"""Whether the record is one of a whole drill: begin, end, phases, each thing once and in order."""

from __future__ import annotations

from collections.abc import Iterable

from drill import events
from drill.causes.cause import Cause
from drill.events import Phase
from drill.record import Record
from drill.timeline import Event
from drill.verdict import Verdict

_ORDER = (
    Phase.SETUP, Phase.STEADY, Phase.FAULT, Phase.PREPARATION, Phase.ROLLBACK, Phase.VERIFICATION,
    Phase.TEARDOWN, Phase.AFTERWARDS,
)  # fmt: skip
_ALWAYS = (Phase.SETUP, Phase.STEADY, Phase.FAULT)
_IN_A_ROLLBACK = (Phase.PREPARATION, Phase.ROLLBACK, Phase.VERIFICATION)
_ONCE = (
    events.DrillStarted, events.DrillEnded, events.EarlierDrills, events.FaultInjected,
    events.FaultAttested, events.Decided, events.HazardArmed,
)  # fmt: skip
_ONCE_A_LIFE = (events.StageUp, events.Restored, events.LedgerRead, events.HazardOver)
# When it happened, as somebody else's clock has it, or before it could be said.
_TOLD_LATER = (
    events.FaultInjected, events.TriggerFired, events.GeneratorSample, events.LogLine,
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
    if not isinstance(record[0].what, events.DrillStarted):
        yield f"it begins with {type(record[0].what).__name__}, not with DrillStarted"
    if not isinstance(record[-1].what, events.DrillEnded):
        yield f"{type(record[-1].what).__name__} comes after the drill's end"


def _of_counts(record: Record) -> Iterable[str]:
    lives = len(record.lives)
    for kinds, most in ((_ONCE, 1), (_ONCE_A_LIFE, lives)):
        for kind in kinds:
            if len(record.every(kind)) > most:
                yield f"{kind.__name__} is on record {len(record.every(kind))} times"
    if len(record.every(events.StageUp)) < lives:
        yield "that the stage came up is not on record"
    if len(record.every(events.Resumed)) != lives - 1:
        yield "which drill continues which is not on record"


def _of_times(record: tuple[Event, ...]) -> Iterable[str]:
    """Times rise, since one clock gave them all but those of what is told later."""
    if record[-1].at - record[0].at > _LONGEST_S:
        yield "it takes longer than a week"
    latest = began = record[0].at
    for event in record:
        if isinstance(event.what, events.LogLine):
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
    seen: set[Phase] = set()
    for life in record.lives:
        reached = -1
        for event in life:
            if not isinstance(event.what, events.PhaseStarted):
                continue
            phase = event.what.phase
            place = _ORDER.index(phase)
            if place < reached or (place == reached and phase is not Phase.AFTERWARDS):
                yield f"the phase “{phase}” comes out of order"
            reached = place
            seen.add(phase)
    wanted = list(_ALWAYS)
    if record.every(events.ProcedureChosen):
        wanted += _IN_A_ROLLBACK if record.last(events.Restored) else _IN_A_ROLLBACK[:2]
    if not record.every(events.Resumed):  # which heals before anything else
        wanted.append(Phase.TEARDOWN)
    if any(one.section == "After the rollback" for one in record.every(events.StepStarted)):
        wanted.append(Phase.AFTERWARDS)
    for phase in wanted:
        if phase not in seen:
            yield f"the phase “{phase}” is not on record"
