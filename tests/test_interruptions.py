"""The operator's machine dies: a few of the nastiest cuts, and the list of all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drill.interruptions import Cut, Outcome, commands_of, cuts_of, interrupt, write_table
from drill.runbook.parse import parse
from drill.stage import Stage, StageOptions
from drill.stages import open_stage

RUNBOOK_PATH = Path(__file__).resolve().parent.parent / "runbook" / "rollback.md"
RUNBOOK = parse(RUNBOOK_PATH)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage("processes", StageOptions(listings=500), lambda _: None) as opened:
        yield opened


def index_of(procedure: int, word: str) -> int:
    commands = commands_of(RUNBOOK.procedure(procedure))
    return next(
        n for n, c in enumerate(commands)
        if any(word in one.script for one in c.block.alternatives)
    )  # fmt: skip


def test_every_boundary_and_every_middle_is_a_cut() -> None:
    for number in (1, 2, 3):
        procedure = RUNBOOK.procedure(number)
        commands = commands_of(procedure)
        cuts = cuts_of(procedure)
        assert [c.index for c in cuts if c.middle] == list(range(len(commands)))
        assert [c.index for c in cuts if not c.middle] == list(range(1, len(commands)))
        assert not any(command.block.fallback for command in commands)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("procedure", "word", "middle"),
    [
        pytest.param(2, "pg_restore -f /dev/null", True, marks=pytest.mark.wide),
        (2, "alembic downgrade", True),
        pytest.param(2, "git checkout", False, marks=pytest.mark.wide),
        (2, "git checkout", True),
        (3, "pagination_enabled", True),
    ],
)
def test_performed_again_it_ends_in_the_same_good_state(
    stage: Stage, procedure: int, word: str, middle: bool
) -> None:
    cut = Cut(procedure, index_of(procedure, word), middle)
    (outcome,) = interrupt(stage, RUNBOOK, [cut])
    assert outcome.wrong == ()


@pytest.mark.slow
def test_a_procedure_that_cannot_be_repeated_is_found_out(stage: Stage, tmp_path: Path) -> None:
    text = RUNBOOK_PATH.read_text(encoding="utf-8")
    fixed_name = text.replace('-b "rollback-$(date +%Y%m%d-%H%M%S)-$$"', "-b rollback")
    assert fixed_name != text
    copy = tmp_path / "rollback.md"
    copy.write_text(fixed_name, encoding="utf-8")
    runbook = parse(copy)
    (outcome,) = interrupt(stage, runbook, [Cut(1, index_of(1, "supervisorctl"), middle=False)])
    assert any("already exists" in one for one in outcome.wrong)


def test_the_table_lists_every_cut_with_its_outcome(tmp_path: Path) -> None:
    good = Outcome(Cut(1, 0, True), "in step 1", "killed after 0.10 s", 1.0, ())
    bad = Outcome(Cut(1, 1, False), "before step 2", "", 1.0, ("the tag is gone",))
    path = tmp_path / "table.md"
    assert write_table([good, bad], path) == 1
    text = path.read_text(encoding="utf-8")
    assert "2 cuts, 1 of which" in text
    assert "| 1 | before step 2 | at the boundary | the tag is gone |" in text
