"""Whether the record is one of a whole drill: begin, end, phases, each thing once and in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rollback_drill.breaks.told import FaultAttested, FaultInjected, HazardArmed, HazardOver
from rollback_drill.conduct.told import DrillStarted, EarlierDrills, Restored, Resumed, StageUp
from rollback_drill.data.told import LedgerRead
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import ProcedureChosen, StepStarted
from rollback_drill.record.book import Book, lives
from rollback_drill.record.judge import Cause, judging
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
    DrillStarted,
    DrillEnded,
    EarlierDrills,
    FaultInjected,
    FaultAttested,
    Decided,
    HazardArmed,
)
_ONCE_A_LIFE = (StageUp, Restored, LedgerRead, HazardOver)
# When it happened, as somebody else's clock has it, or before it could be said.
_TOLD_LATER = (
    FaultInjected,
    TriggerFired,
    GeneratorSample,
    LogLine,
)
_LONGEST_S = 7 * 86_400.0
_SLACK_S = 1e-3  # times are written down in microseconds


@judging(210, whole=True)
def of_order(book: Book) -> Iterator[Cause]:
    """What contradicts that this is the record of one drill, from its start to its end."""
    for ask in (_of_ends, _of_counts, _of_times, _of_phases):
        for what in ask(book):
            yield Cause(Verdict.UNKNOWN, "Record", what)


def _of_ends(book: Book) -> Iterable[str]:
    first, last = book.events[0].what, book.events[-1].what
    if not isinstance(first, DrillStarted):
        yield f"it begins with {type(first).__name__}, not with DrillStarted"
    if not isinstance(last, DrillEnded):
        yield f"{type(last).__name__} comes after the drill's end"


def _of_counts(book: Book) -> Iterable[str]:
    number = len(book.ask(lives))
    for kinds, most in ((_ONCE, 1), (_ONCE_A_LIFE, number)):
        for kind in kinds:
            if len(book.every(kind)) > most:
                yield f"{kind.__name__} is on record {len(book.every(kind))} times"
    if len(book.every(StageUp)) < number:
        yield "that the stage came up is not on record"
    if len(book.every(Resumed)) != number - 1:
        yield "which drill continues which is not on record"


def _of_times(book: Book) -> Iterable[str]:
    """Times rise, since one clock gave them all but those of what is told later."""
    began, ended = book.events[0].at, book.events[-1].at
    if ended - began > _LONGEST_S:
        yield "it takes longer than a week"
    latest = began
    for event in book.events:
        if isinstance(event.what, LogLine):
            continue
        if isinstance(event.what, _TOLD_LATER):
            wrong = not began - 1 <= event.at <= ended + 1
        else:
            wrong = event.at < latest - _SLACK_S
            latest = event.at
        if wrong:
            yield f"{type(event.what).__name__} is out of the order of time"
            return


def _of_phases(book: Book) -> Iterable[str]:
    seen: set[PhaseName] = set()
    for life in book.ask(lives):
        reached = -1
        for one in life.every(PhaseStarted):
            phase = one.phase
            place = _ORDER.index(phase)
            if place < reached or (place == reached and phase is not PhaseName.AFTERWARDS):
                yield f"the phase “{phase}” comes out of order"
            reached = place
            seen.add(phase)
    wanted = list(_ALWAYS)
    if book.every(ProcedureChosen):
        wanted += _IN_A_ROLLBACK if book.last(Restored) else _IN_A_ROLLBACK[:2]
    if not book.every(Resumed):  # which heals before anything else
        wanted.append(PhaseName.TEARDOWN)
    if any(one.section == "After the rollback" for one in book.every(StepStarted)):
        wanted.append(PhaseName.AFTERWARDS)
    for phase in wanted:
        if phase not in seen:
            yield f"the phase “{phase}” is not on record"
