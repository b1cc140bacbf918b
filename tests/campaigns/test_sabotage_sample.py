"""Twenty sabotages of different kinds in one real drill: each turns the check red that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.breaks.sabotage import sabotages_called
from rollback_drill.campaigns.planted import Setting, hold_with
from rollback_drill.stage.model import Stage
from steps.fix_stages import StageFor

pytestmark = pytest.mark.slow
RUNBOOK = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
SAMPLE = (
    "balancer-without-the-document",
    "budget-estimate",
    "auth-one-in-4",
    "prepare-one-channel",
    "prepare-no-severity",
    "prepare-no-stakeholders",
    "prepare-no-metrics",
    "prepare-old-tag",
    "after-page-without-cause",
    "after-no-mail",
    "after-ticket-open",
    "after-one-channel-not-told",
    "after-tag-not-pushed",
    "mask-log-true",
    "mask-verify-or-true",
    "box-procedure-1-its-process-is-running",
    "box-procedure-2-its-restoration-was-tested",
    "box-everywhere-application-log",
    "trigger-breach-unwatched",
    "trigger-adoption-unwatched",
)


@pytest.fixture
def stage(kept_stage: StageFor) -> Stage:
    return kept_stage("processes")


def test_each_of_twenty_turns_its_own_check_red(stage: Stage, tmp_path: Path) -> None:
    some = sabotages_called(SAMPLE)
    held = hold_with(stage, some, RUNBOOK, tmp_path, Setting())
    assert len(some) == 20
    assert not held.broke
    assert {one.name: held.planted.get(one.name, 0) for one in some} == {
        one.name: len(one.plants) for one in some
    }
    unseen = [one.name for one in some if one.caught_by not in held.red]
    assert unseen == [], held.red


@pytest.mark.wide
def test_a_clean_drill_is_green(stage: Stage, tmp_path: Path) -> None:
    held = hold_with(stage, (), RUNBOOK, tmp_path, Setting(seed=2, rate=60.0))
    assert held.red == {}
