"""The command `rollback-drill`: what it says is in its own words, and what it advises can be done."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rollback_drill.cli import arguments_of, main
from rollback_drill.ground.home import DEMO
from rollback_drill.ground.option import Verb
from rollback_drill.ground.spoken import COMMAND, OF_COMMAND, as_command

ROOT = Path(__file__).resolve().parents[2]
USERS = [one for one in OF_COMMAND if one.name != "claim"]


@pytest.mark.parametrize("one", OF_COMMAND, ids=lambda one: one.name)
def test_every_example_is_one_of_the_command(one: Verb) -> None:
    first, name, *words = shlex.split(as_command(one.example))
    assert (first, name) == (COMMAND, one.name)
    asked = arguments_of([name, *words])
    assert asked.command == (one.like or one.name)
    assert len(words) == len(shlex.split(one.example)) - 2


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("see `make help`", "see `rollback-drill --help`"),
        ("set STAGE=processes, HOSTS=1", "set --stage=processes, --hosts=1"),
        ("PLAN or RESUME", "--plan or --resume"),
        ("make decide DECIDE_PACE=60", "rollback-drill decide --pace=60"),
        ("PROCEDURE: auto, 1", "--procedure: auto, 1"),
        ("run make test", "run make test"),  # a command of the repository alone
        ("STAGES=x PYTHON=y PYTHONPATH=z", "--stages=x PYTHON=y PYTHONPATH=z"),
        ("ROLLBACK_STAGE --STAGE UPSTAGE=1", "ROLLBACK_STAGE --STAGE UPSTAGE=1"),
        ("make demonstrations", "make demonstrations"),
    ],
)
def test_advice_is_said_in_words_of_the_command(written: str, said: str) -> None:
    assert as_command(written) == said


@pytest.mark.parametrize(
    ("words", "found", "advice"),
    [
        ([], "COMMAND", "rollback-drill --help"),
        (["dril"], "'dril'", "did you mean drill?"),
        (["demo", "--fualt=x"], "--fualt=x", "did you mean --fault?"),
        (["demo", "--fault=error-rate-hihg"], "error-rate-hihg", "did you mean error-rate-high?"),
        (["demo", "--procedure=9"], "9", "--procedure"),
        (["read"], "No such file", "--runbook=demo"),
        (["gate"], "none", "--features=demo"),
        (["gate", "--features=--co"], "--co", "./--co"),
        (["gate", "--tier=huge"], "huge", "--tier"),
        (["drill", "--stage=processes"], "runbook/rollback.md", "--runbook=FILE"),
    ],
)
def test_a_mistake_in_an_empty_folder_is_told_by_the_command(
    words: list[str],
    found: str,
    advice: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words, say=as_command) == 2
    said = capsys.readouterr().err
    assert found in said
    assert advice in said
    assert "make " not in said
    assert [*tmp_path.iterdir()] == []


def test_the_demo_is_a_drill_of_the_demo_and_takes_no_runbook_of_where_one_is() -> None:
    asked = arguments_of(["demo", "--fault=invalid-cursors", "--report=here"])
    assert (asked.command, asked.stage, asked.fault) == ("drill", "processes", "invalid-cursors")
    assert asked.runbook == DEMO / "runbook" / "rollback.md"
    assert asked.report == Path("here")
    assert arguments_of(["drill"]).runbook == Path("runbook/rollback.md")


def test_help_is_the_command_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"], say=as_command)
    said = capsys.readouterr().out
    assert "make " not in said
    assert "claim" not in said
    assert [one.name for one in USERS if f"    {one.name} " not in said] == []
    for one in USERS:
        with pytest.raises(SystemExit, match="0"):
            main([one.name, "--help"], say=as_command)
        assert f"Example: {as_command(one.example)}" in " ".join(capsys.readouterr().out.split())


def test_called_by_its_module_it_speaks_as_the_command_and_by_make_as_make(tmp_path: Path) -> None:
    for words, advice in ((["dril"], "rollback-drill --help"), (["make", "dril"], "make help")):
        done = subprocess.run(
            [sys.executable, "-m", "rollback_drill", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 2
        assert advice in done.stderr


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("rollback-drill rev", {"revalidate"}),
        ("rollback-drill drill --fault invalid", {"invalid-cursors"}),
        ("rollback-drill drill --ru", {"--runbook"}),
        ("rollback-drill revalidate --fail-on m", {"medium"}),
        ("rollback-drill read --runbook our", {"ours.md"}),
    ],
)
def test_bash_completes_it(typed: str, completed: set[str], script: Path, tmp_path: Path) -> None:
    (tmp_path / "ours.md").touch()
    asked = (
        f"source {script}; COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1));"
        'cword=$COMP_CWORD; _shtab_rollback_drill; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert {one.strip() for one in done.stdout.split("\n") if one} == completed, done.stderr


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command prints for bash."""
    path = tmp_path_factory.mktemp("completion") / "rollback-drill.bash"
    done = subprocess.run(
        [sys.executable, "-m", "rollback_drill", "--completion=bash"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    path.write_text(done.stdout)
    return path
