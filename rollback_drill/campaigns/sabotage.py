"""Holds sabotages: does the check that is to catch each turn red? And what of clean drills?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rollback_drill.breaks.planting import origin_kept, plant_release, take_back
from rollback_drill.breaks.sabotage import Sabotage, written
from rollback_drill.breaks.told import SabotagePlanted
from rollback_drill.conduct.hold import hold
from rollback_drill.conduct.plans import plan_for
from rollback_drill.conduct.request import Request
from rollback_drill.conduct.turns import in_turn
from rollback_drill.ground import files
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.red import STEPS, UNBOUND, red
from rollback_drill.perform.check import registered
from rollback_drill.perform.told import StepEnded
from rollback_drill.record.judge import JUDGES, all_judges
from rollback_drill.record.told import Interrupted
from rollback_drill.runbook.model import Runbook
from rollback_drill.stage.model import Stage

_PACE = 80.0
_RATE = 100.0


@dataclass(frozen=True, slots=True)
class HeldWith:
    """What came of one drill. `red`: verdict and words by key; `planted`: how many plants were
    seen to be there, by sabotage; `stopped`: whether the procedure ended at a step that failed.
    """

    verdict: Verdict
    red: dict[str, tuple[Verdict, str]]
    planted: dict[str, int]
    stopped: bool


def hold_with(
    stage: Stage,
    sabotages: Sequence[Sabotage],
    runbook: Path,
    folder: Path,
    *,
    procedure: int = 1,
    fault: str = "error-rate-critical",
    seed: int = 1,
    rate: float = _RATE,
) -> HeldWith:
    """Hold a drill on a `stage` that is up with `sabotages`, none for a clean one; its report goes
    to `folder`. Raises UsageError for a sabotage that finds nothing to break.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / runbook.name
    files.write(document, written(runbook.read_text(encoding="utf-8"), sabotages))
    request = Request(
        document,
        folder / "report",
        fault=fault,
        procedure=str(procedure),
        pace=_PACE,
        rate=rate,
        seed=seed,
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
    planted: dict[str, int] = {}
    for one in held.book.every(SabotagePlanted):
        planted[one.name] = planted.get(one.name, 0) + 1
    stopped = any(
        one.verdict in (Verdict.FAILED, Verdict.UNCOVERED) and one.section.startswith("Procedure")
        for one in held.book.every(StepEnded)
    )
    return HeldWith(held.judgement.verdict, held.book.ask(red), planted, stopped)


def known_keys(runbook: Runbook) -> set[str]:
    """Return every key that a drill by `runbook` can have."""
    all_judges()
    steps = {step.title for procedure in runbook.procedures for step in procedure.steps}
    steps |= {one.title for one in (runbook.pre_rollback, *runbook.post_rollback)}
    told = {f"{what}: {title}" for title in steps for what in ("command", "budget")}
    checks = {one.name for one in registered()}
    return checks | told | (set(JUDGES.names()) - {STEPS}) | {UNBOUND}
