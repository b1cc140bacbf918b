"""The operator's machine dies: a few of the nastiest cuts, and the list of all."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rollback_drill.campaigns.interruptions import (
    Cut,
    CutOutcome,
    Simple,
    Way,
    blocks_of,
    cuts_of,
    interrupt,
    simple_commands,
    write_table,
)
from rollback_drill.campaigns.mortal import (
    Piece,
    Reached,
    perform_and_die,
    run_piece,
    told_by,
    watched,
)
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.wait import wait_until
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.host import LocalHost
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage

RUNBOOK_PATH = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
RUNBOOK = parse(RUNBOOK_PATH)
SCRIPT = """export NOTHING=1
echo first > first
timeout 60 bash -c 'touch second; sleep 54321'
touch third
trap 'rm -f first' EXIT
"""
SLEEPS = 3  # the number of the simple command that takes its time


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    return LocalHost("host-1", tmp_path, dict(os.environ))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage("processes", StageOptions(listings=500), lambda _: None) as opened:
        yield opened


def sleepers() -> list[str]:
    found = subprocess.run(
        ["pgrep", "-x", "-f", "sleep 54321"], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def test_a_watched_script_tells_each_simple_command_and_its_line(host: LocalHost) -> None:
    told: list[Reached | None] = []
    script = SCRIPT.replace("sleep 54321", ":")
    (done,) = run_piece(Piece(watched(script), (host,)), lambda line: told.append(told_by(line)))
    assert done.ok
    found = simple_commands([one for one in told if one], 2e9)
    assert [(one.number, one.line) for one in found] == [
        (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (7, 0),
    ]  # fmt: skip
    assert found[0].text == "export NOTHING=1"
    assert "the block does as it exits" in found[-1].name


def test_a_cut_kills_the_command_with_its_children_and_no_trap_runs(
    host: LocalHost, tmp_path: Path
) -> None:
    told = perform_and_die([Piece(watched(SCRIPT, cut=SLEEPS, after_s=0.5), (host,))])
    assert told[-1].number == SLEEPS
    assert (tmp_path / "first").exists()
    assert (tmp_path / "second").exists()
    assert not (tmp_path / "third").exists()
    assert sleepers() == []


def test_a_command_that_is_over_too_soon_is_cut_at_its_end(host: LocalHost, tmp_path: Path) -> None:
    told = perform_and_die([Piece(watched(SCRIPT, cut=2, after_s=20), (host,))])
    assert told[-1].number == SLEEPS
    assert (tmp_path / "first").exists()
    assert not (tmp_path / "second").exists()


def test_a_command_goes_on_when_the_operator_alone_is_killed(
    host: LocalHost, tmp_path: Path
) -> None:
    script = SCRIPT.replace("54321", "0.5")
    told = perform_and_die([Piece(watched(script, told=2), (host,))], alone=2)
    assert told[-1].number == 2
    for _ in wait_until("it went on to its end", 60):
        if (tmp_path / "third").exists() and not (tmp_path / "first").exists():
            break


def test_an_operator_who_lives_is_an_error(host: LocalHost) -> None:
    gone = LocalHost("gone", Path("/nowhere"), {})
    with pytest.raises(StageError, match="killed"):
        perform_and_die([Piece("true", (gone,))])


def test_every_boundary_and_every_command_is_a_cut() -> None:
    for number in (1, 2, 3):
        procedure = RUNBOOK.procedure(number)
        commands = blocks_of(procedure)
        assert not any(command.block.fallback for command in commands)
        texts = ["cd /", 'export A="$B"', "x=1 y='2 3'", "A=1 make", 'd="$(date)"', "[ -e x ]"]
        parts = [Simple(n, 6, n, text, 0.1) for n, text in enumerate(texts, 1)]
        cuts = cuts_of(procedure, [parts] * len(commands))
        boundaries = [c.index for c in cuts if c.way is Way.BEFORE]
        assert boundaries == list(range(1, len(commands)))
        for index in range(len(commands)):
            real = [c.simple for c in cuts if c.index == index and c.way is Way.COMMAND]
            assert [one.text for one in real if one] == ["A=1 make", 'd="$(date)"']
            assert [c.simple for c in cuts if c.index == index and c.way is Way.OPERATOR] == real[
                :1
            ]


def cut_at(word: str, way: Way) -> Callable[[Cut], bool]:
    """Say which cuts are in (or before) the first simple command or block that holds `word`."""

    def chosen(cut: Cut) -> bool:
        scripts = " ".join(one.script for one in cut.block.alternatives)
        return cut.way is way and word in (cut.simple.text if cut.simple else scripts)

    return chosen


@pytest.mark.slow
@pytest.mark.parametrize(
    ("procedure", "word", "way"),
    [
        pytest.param(2, "pg_dump", Way.COMMAND, marks=pytest.mark.wide),
        pytest.param(2, "alembic downgrade", Way.COMMAND, marks=pytest.mark.wide),
        pytest.param(2, "git checkout", Way.BEFORE, marks=pytest.mark.wide),
        pytest.param(2, "git checkout", Way.COMMAND, marks=pytest.mark.wide),
        pytest.param(1, "uv sync", Way.COMMAND, marks=pytest.mark.wide),
        pytest.param(2, "alembic current", Way.OPERATOR, marks=pytest.mark.wide),
        (3, "sed", Way.COMMAND),
    ],
)
def test_performed_again_it_ends_in_the_same_good_state(
    stage: Stage, procedure: int, word: str, way: Way
) -> None:
    outcome = next(interrupt(stage, RUNBOOK, cut_at(word, way), [procedure]))
    assert "killed" in outcome.reached
    assert outcome.wrong == ()


@pytest.mark.wide
@pytest.mark.slow
def test_a_procedure_that_cannot_be_repeated_is_found_out(stage: Stage, tmp_path: Path) -> None:
    text = RUNBOOK_PATH.read_text(encoding="utf-8")
    fixed_name = text.replace('-b "rollback-$(date +%Y%m%d-%H%M%S)-$$"', "-b rollback")
    assert fixed_name != text
    copy = tmp_path / "rollback.md"
    copy.write_text(fixed_name, encoding="utf-8")
    runbook = parse(copy)
    outcome = next(interrupt(stage, runbook, cut_at("supervisorctl", Way.BEFORE), [1]))
    assert any("already exists" in one for one in outcome.wrong)


def test_the_table_lists_every_cut_with_its_outcome(tmp_path: Path) -> None:
    block = blocks_of(RUNBOOK.procedure(1))[0].block
    part = Simple(1, 2, 3, "a | b", 0.1)
    good = CutOutcome(
        Cut(1, 0, Way.COMMAND, block, part), "in step 1", f"killed in {part.name}", 1, ()
    )
    bad = CutOutcome(
        Cut(1, 1, Way.BEFORE, block), "before step 2", "killed", 1, ("the tag is gone",)
    )
    path = tmp_path / "table.md"
    assert write_table([good, bad], path) == 1
    text = path.read_text(encoding="utf-8")
    assert "2 cuts, 1 of which" in text
    assert "| 1 | before step 2 | killed | the tag is gone |" in text
    assert "killed in command 1 of 2 (line 3, `a \\| b`) | same good state |" in text
