"""Whether everything that a drill consists of is on record, and fits together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rollback_drill.breaks.told import (
    FaultAttested,
    FaultHealed,
    FaultInjected,
    HazardArmed,
    HazardOver,
)
from rollback_drill.conduct.told import DrillStarted, EarlierDrills, Restored
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import Authorized, ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.watch.told import LeftAs

_NOBODY = "is not on record"
_OLD = "hold the drill again: records of older versions do not say what they promise"


@judging(220, whole=True)
def of_promises(book: Book) -> Iterator[Cause]:
    """What a drill must have made and seen, whatever came of it."""
    start = book.last(DrillStarted)
    if start is None:
        return
    for ask in (_of_fault, _of_hazard, _of_choice, _of_kinds):
        for where, what in ask(book, start):
            advice = _OLD if what.startswith("what") else ""
            yield Cause(Verdict.UNKNOWN, where, what, advice=advice)


def _of_fault(book: Book, start: DrillStarted) -> Iterable[tuple[str, str]]:
    injected = book.timed(FaultInjected)
    healed = book.timed(FaultHealed)
    if not injected:
        yield "Fault", f"that it was made {_NOBODY}"
    if not healed or (injected and healed[-1].at < injected[0].at):
        yield "Fault", f"that it was healed {_NOBODY}"
    named = {one.name for one in book.every(FaultInjected)}
    named |= {one.name for one in book.every(FaultAttested)}
    named |= {one.name for one in book.every(FaultHealed)}
    if named - {start.fault}:
        yield "Fault", f"{', '.join(sorted(named))} {_NOBODY} as one fault, {start.fault}"
    left = book.last(LeftAs)
    seen = left.hosts.keys() & left.maintenance.keys() if left else set()
    if not seen or set(start.hosts) - seen:
        yield "Service", f"in what state it was left {_NOBODY}"


def _of_hazard(book: Book, start: DrillStarted) -> Iterable[tuple[str, str]]:
    armed, over = book.every(HazardArmed), book.every(HazardOver)
    if start.hazard == "none" and not armed and not over:
        return
    if not armed:
        yield f"Hazard {start.hazard}", f"that it was made {_NOBODY}"
    if not over:
        yield f"Hazard {start.hazard}", f"that it was taken back {_NOBODY}"
    if {*(one.name for one in armed), *(one.name for one in over)} - {start.hazard}:
        yield "Hazard", f"{start.hazard} was asked for, and another one was made"


def _of_choice(book: Book, start: DrillStarted) -> Iterable[tuple[str, str]]:
    """The procedure that is performed is the one that was asked for, or decided on."""
    decided, ruling = book.last(Decided), book.last(Authorized)
    chosen = book.first(ProcedureChosen)
    refused = ruling is not None and not ruling.allowed
    by_operator = start.procedure != "auto"
    if decided is None or refused:
        return
    if not by_operator and not decided.rollback:
        if chosen:
            yield f"Procedure {chosen.procedure}", "it was performed, though none was decided on"
        elif book.last(Restored) is None:
            yield "Service", f"that clients were served well again {_NOBODY}"
        return
    if decided.rollback and not decided.procedure:
        yield "Decision", f"by which procedure to roll back {_NOBODY}"
    wanted = int(start.procedure) if by_operator else decided.procedure
    if chosen is None:
        yield f"Procedure {wanted}", f"that it was performed {_NOBODY}"
    elif chosen.procedure != wanted:
        yield f"Procedure {chosen.procedure}", f"Procedure {wanted} was to be performed"
    elif chosen.chosen_by != ("operator" if by_operator else "diagnosis"):
        yield f"Procedure {wanted}", f"it is said to be chosen by “{chosen.chosen_by}”"
    fired = {one.trigger for one in book.every(TriggerFired)}
    if decided.rollback and decided.trigger not in fired:
        yield "Decision", f"that its trigger “{decided.trigger}” fired {_NOBODY}"


def _of_kinds(book: Book, start: DrillStarted) -> Iterable[tuple[str, str]]:
    if not start.promises:
        yield "Record", "what was to be recorded is not said"
        return
    for kind, number in start.promises.items():
        seen = len(book.named(kind))
        if seen < number:
            yield "Record", f"{seen} of {number} {kind} are on record"
    injected, earlier = book.last(FaultInjected), book.last(EarlierDrills)
    if injected and bool(injected.trigger) != bool(start.promises.get("TriggerFired")):
        yield "Fault", "which trigger it must set off is said twice, and differently"
    if earlier and earlier.count != len(earlier.restored_s):
        yield "Time to restore", f"{len(earlier.restored_s)} of {earlier.count} earlier drills"
