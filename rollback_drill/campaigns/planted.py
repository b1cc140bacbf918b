"""Holds one drill with what is planted in it, or a clean one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rollback_drill.breaks.misrecording import misrecorded
from rollback_drill.breaks.planting import origin_kept, plant_release, take_back
from rollback_drill.breaks.sabotage import Sabotage, written
from rollback_drill.breaks.told import SabotagePlanted
from rollback_drill.campaigns.performed import never_performed
from rollback_drill.conduct.hold import hold
from rollback_drill.conduct.plans import plan_for
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.turns import in_turn
from rollback_drill.ground import files
from rollback_drill.ground.clock import iso, now
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge import history
from rollback_drill.judge.judgement import judge
from rollback_drill.judge.red import red
from rollback_drill.perform.asked import identities
from rollback_drill.perform.told import CommandStarted, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.told import DrillBroke, Interrupted
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.model import Stage

_HISTORY = "history.jsonl"
_PACE = 80.0
_BEFORE_AGAIN = 2  # the procedure after which a release is deployed again


@dataclass(frozen=True, slots=True)
class HeldWith:
    """What came of one drill. `red`: verdict and words by key; `planted`: how many plants were
    seen to be there, by sabotage; `never_performed`: whose rewritten commands nobody ran, though
    their blocks were performed; `stopped`: whether the procedure ended at a step that failed;
    `broke`: why the drill could not go on, "" for nothing.
    """

    verdict: Verdict
    red: dict[str, tuple[Verdict, str]]
    planted: dict[str, int]
    stopped: bool
    broke: str
    never_performed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Setting:
    """What drills have in common that can be held as one. `rate` in requests per second."""

    procedure: int = 1
    fault: str = "error-rate-critical"
    hosts: int = 1
    seed: int = 1
    rate: float = 100.0


def hold_with(
    stage: Stage, sabotages: Sequence[Sabotage], runbook: Path, folder: Path, setting: Setting
) -> HeldWith:
    """Hold a drill on a `stage` that is up with `sabotages`, none for a clean one; its report goes
    to `folder`. The procedure that deploys again is held by a round trip.

    Raises UsageError for a sabotage that finds nothing to break, StageError where it could not be
    planted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / runbook.name
    files.write(document, written(runbook.read_text(encoding="utf-8"), sabotages))
    _keep_boxes(runbook, folder / _HISTORY)
    again = parse(document).redeployment
    round_trip = again is not None and again.number == setting.procedure
    request = Request(
        document,
        folder / "report",
        fault=setting.fault,
        procedure=str(_BEFORE_AGAIN if round_trip else setting.procedure),
        pace=_PACE,
        rate=setting.rate,
        seed=setting.seed,
        round_trip=round_trip,
        history=folder / _HISTORY,
        sabotages=tuple(one.name for one in sabotages),
    )
    with origin_kept(stage):
        try:
            plant_release(stage, sabotages, failing=True)
            held = hold(in_turn(plan_for(request)), stage=stage)
        finally:
            take_back(stage, sabotages)
    if held.book.every(Interrupted):
        raise KeyboardInterrupt
    events, planted = misrecorded(held.book.events, sabotages)
    book = Book(events)
    for one in held.book.every(SabotagePlanted):
        planted[one.name] = planted.get(one.name, 0) + 1
    stopped = any(
        one.verdict in (Verdict.FAILED, Verdict.UNCOVERED) and one.section.startswith("Procedure")
        for one in held.book.every(StepEnded)
    )
    broke = held.book.first(DrillBroke)
    why = f"expected {broke.expected}; found {broke.found}" if broke else ""
    lines = {one.line for one in held.book.every(CommandStarted)}
    unseen = never_performed(runbook, sabotages, lines)
    return HeldWith(book.ask(judge).verdict, book.ask(red), planted, stopped, why, unseen)


def _keep_boxes(runbook: Path, history_file: Path) -> None:
    """Keep what the runbook asks, as if a drill by it had been held before."""
    document = parse(runbook)
    boxes = tuple(identities(document))
    began = iso(now())
    files.remove(history_file)
    one = history.KeptDrill(
        began, "as it is", "", "", None, "passed", None, None, None, 0, document.title, boxes
    )
    history.keep(history_file, one)
