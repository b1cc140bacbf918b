"""A fallback is run when what is before it fails, never otherwise, and nothing else is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.ground.verdict import Verdict
from tests.perform.perform_support import performed
from tests.runbook.runbook_support import BLOCK, changed


def block(letter: str, status: int = 0) -> str:
    return f"```bash\necho {letter} >> ran\nexit {status}\n```\n\n"


THEN = "**If this fails:**\n\n"
PLAN_B, PLAN_C = "**Plan B**\n\n", "**Plan C**\n\n"
AFTER = "**In any case**\n\n"


@pytest.mark.parametrize(
    ("blocks", "ran", "held"),
    [
        (block("a") + THEN + block("b"), "a", True),
        (block("a", 1) + THEN + block("b"), "ab", True),
        (block("a", 1) + THEN + block("b", 1), "ab", False),
        (block("a", 1) + block("b") + THEN + block("c"), "ac", True),
        # What comes behind a fallback is performed, whichever way was taken.
        (block("a") + THEN + block("b") + AFTER + block("c"), "ac", True),
        (block("a", 1) + THEN + block("b") + AFTER + block("c"), "abc", True),
        (block("a", 1) + THEN + block("b", 1) + AFTER + block("c"), "ab", False),
        # A later failure is no reason for an earlier fallback.
        (block("a") + THEN + block("b") + AFTER + block("c", 1), "ac", False),
        (block("a") + PLAN_B + block("b") + PLAN_C + block("c"), "a", True),
        (block("a", 1) + PLAN_B + block("b") + PLAN_C + block("c"), "ab", True),
        (block("a", 1) + PLAN_B + block("b", 1) + PLAN_C + block("c"), "abc", True),
        (block("a", 1) + PLAN_B + block("b", 1) + PLAN_C + block("c", 1), "abc", False),
    ],
)
def test_what_is_run_and_whether_the_step_held(
    tmp_path: Path, blocks: str, ran: str, held: bool
) -> None:
    written, ended, _ = performed(tmp_path, changed(BLOCK, blocks))
    assert written == ran
    assert (ended.verdict is not Verdict.FAILED) is held


def test_what_stood_in_is_recorded(tmp_path: Path) -> None:
    blocks = block("a", 1) + PLAN_B + block("b", 1) + PLAN_C + block("c")
    assert performed(tmp_path, changed(BLOCK, blocks))[2] == ["Plan B", "Plan C"]


def test_pressing_on_runs_what_comes_behind_a_failure_and_still_fails(tmp_path: Path) -> None:
    blocks = block("a", 1) + THEN + block("b", 1) + AFTER + block("c")
    written, ended, _ = performed(tmp_path, changed(BLOCK, blocks), literal=True)
    assert (written, ended.verdict) == ("abc", Verdict.FAILED)
