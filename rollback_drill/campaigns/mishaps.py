"""Holds a drill for each hazard: did the rollback get by, or stop with a reason?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rollback_drill.breaks.hazard import HAZARDS
from rollback_drill.breaks.told import HazardArmed, HazardOver
from rollback_drill.conduct.hold import hold
from rollback_drill.conduct.plans import plan_for
from rollback_drill.conduct.request import Request
from rollback_drill.data.told import NO_WRITES
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import AlternativeTaken
from rollback_drill.record.book import Book
from rollback_drill.record.told import DrillBroke, Interrupted
from rollback_drill.stage.model import Stage
from rollback_drill.subject.subject import own

_PACE = 80.0
_RATE = 50.0  # requests/s: enough to prove what the checkboxes ask, and easy on the machine
_TRIES = 2  # an unknown one may be so because the machine was busy
_BY_FLAG = {"neighbour-process"}  # hazards of a signal: Procedure 3 sends one


@dataclass(frozen=True, slots=True)
class Endured:
    """What came of a hazard. `how` and `seen`: in the hazard's words; `outcome`: what the procedure
    did; `right`: whether that is what it must do, None where the hazard cannot be made here.
    """

    hazard: str
    procedure: int
    how: str
    seen: str
    outcome: str
    right: bool | None


def endure(
    stage: Stage,
    runbook: Path,
    folder: Path,
    names: Iterable[str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Endured]:
    """Hold a drill on a `stage` that is up for every hazard (or those in `names`); yield what came
    of each. Records go to `folder`.
    """
    for name in names or HAZARDS.names():
        procedure = 3 if name in _BY_FLAG else 2
        for _ in range(_TRIES):
            request = Request(
                runbook,
                folder / name,
                fault=own()[1].curable if procedure == 3 else "error-rate-critical",
                procedure=str(procedure),
                pace=_PACE,
                rate=_RATE,
                hazard=name,
            )
            held = hold(plan_for(request), stage=stage)
            if held.book.every(Interrupted):
                raise KeyboardInterrupt
            found = endured(name, procedure, held.book)
            if found.right is not False or held.judgement.verdict is not Verdict.UNKNOWN:
                break
        tell(f"  {name}: {found.outcome}")
        yield found


def endured(name: str, procedure: int, book: Book) -> Endured:
    """Return what the record of a drill says of the hazard `name`."""
    judged = book.ask(judge)
    armed = book.first(HazardArmed)
    over = book.first(HazardOver)
    if armed is None:
        broke = book.first(DrillBroke)
        why = f"expected {broke.expected}; found {broke.found}" if broke else judged.reason
        return Endured(name, procedure, "", "", f"could not be made here: {why}", None)
    seen = over.seen if over else ""
    lost = judged.ledger.lost if judged.ledger and judged.ledger.acknowledged else None
    kept = "no ledger"
    if judged.ledger:
        written = judged.ledger.acknowledged
        kept = f"{lost} of {written} writes lost" if written else NO_WRITES
    if armed.mastered:
        right = judged.verdict is Verdict.PASSED
        way = ", by the runbook's alternative" if book.every(AlternativeTaken) else ""
        told = f"got by{way}" if right else f"{judged.verdict}: {judged.reason}"
    else:
        right = judged.verdict is Verdict.FAILED and lost == 0
        told = f"stopped: {judged.reason}" if right else f"{judged.verdict}: {judged.reason}"
    return Endured(name, procedure, armed.how, seen, f"{told}; {kept}", right)
