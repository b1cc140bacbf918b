"""What is set on make's command line is a value, never a command, and never ignored."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
ALL = re.findall(r"^([a-z-]+):.* ## ", MAKEFILE, re.MULTILINE)
TARGETS = [name for name in ALL if name not in ("help", "setup", "lint", "lock")]
# Writes down how it was called, in the place of every Python of the suite.
RECORDER = """#!/bin/bash
printf '%s\\0' "$@" "--end--" >> "{log}"
"""


def make(folder: Path, *words: str) -> tuple[int, str, list[list[str]]]:
    """Run make in a copy of the Makefile whose Pythons only write down what they are asked.

    Return its status, what it said, and the calls.
    """
    log = folder / "calls"
    if not (folder / "Makefile").exists():
        (folder / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
        (folder / "requirements.lock").touch()
        (folder / ".venv" / "bin").mkdir(parents=True)
        (folder / "rollback_drill" / "ground").mkdir(parents=True)
        (folder / "rollback_drill" / "ground" / "variables.py").write_bytes(
            (ROOT / "rollback_drill" / "ground" / "variables.py").read_bytes()
        )
        python = folder / ".venv" / "bin" / "python"
        python.write_text(RECORDER.format(log=log))
        python.chmod(0o755)
        (folder / ".venv" / ".ready").touch()
    log.write_bytes(b"")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    calls: list[list[str]] = [[]]
    for word in log.read_text().split("\0")[:-1]:
        calls[-1:] = [calls[-1], []] if word == "--end--" else [[*calls[-1], word]]
    return done.returncode, done.stdout + done.stderr, [call for call in calls if call]


EVIL = "a'b\"c $(touch oops) $$(touch oops) `touch oops` ; touch oops\n| touch oops # $x \\"


@pytest.mark.parametrize("target", TARGETS)
def test_no_variable_of_any_target_is_run_by_a_shell_or_by_make(
    target: str, tmp_path: Path
) -> None:
    names = [
        line.split(" ?=")[0]
        for line in MAKEFILE.splitlines()
        if re.match(r"[A-Z_]+ \?=", line) and not line.startswith(("PYTHON", "TESTS", "TIER"))
    ]
    shell = "$(shell touch oops)" + EVIL
    status, said, calls = make(tmp_path, target, *(f"{name}={shell}" for name in names))
    assert not (tmp_path / "oops").exists()
    assert status == 0, said
    used = [word.partition("=")[2] for call in calls for word in call if "=" in word]
    if target != "bench":
        assert used
        assert {word.removesuffix("/junit.xml") for word in used if word.startswith("$(")} == {
            shell, *([f"{shell}/allure-results", f"{shell}/summary.md"] * (target == "gate"))
        }  # fmt: skip


@pytest.mark.parametrize("target", [name for name in ALL if name != "help"])
def test_no_target_begins_with_a_misspelt_variable(target: str, tmp_path: Path) -> None:
    status, said, calls = make(tmp_path, target, "REPROT=x")
    assert (status, calls) == (2, [])
    assert "did you mean REPORT?" in said


def test_values_reach_the_command_as_they_are(tmp_path: Path) -> None:
    _, _, (call,) = make(tmp_path, "report", "FROM=a b$c", "REPORT=--help")
    assert call == ["-m", "rollback_drill", "report", "--from=a b$c", "--report=--help"]


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("FUALT=x", "did you mean FAULT?"), ("fault=x", "FAULT"), ("PROCEDRE=2", "PROCEDURE"),
     ("CHANNEL=x", "CHANNELS"), ("XQZW=1", "make help"), ("VENV=/x", "make help")],
)  # fmt: skip
def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(
    wrong: str, meant: str, tmp_path: Path
) -> None:
    status, said, calls = make(tmp_path, "drill", wrong)
    assert status == 2
    assert wrong.partition("=")[0] in said
    assert meant in said
    assert calls == []


def test_variables_that_there_are_and_optional_ones_are_taken(tmp_path: Path) -> None:
    status, _, (call,) = make(tmp_path, "drill", "SUPERVISOR=systemd", "PYTHON=python3")
    assert status == 0
    assert "--supervisor=systemd" in call
    _, _, (call,) = make(tmp_path, "drill")
    assert not any("supervisor" in word for word in call)
    _, _, calls = make(tmp_path, "gate", "TIER=smoke")
    assert calls[-1][-2:] == ["-m", "smoke"]
    _, _, calls = make(tmp_path, "gate", "TIER=full")
    assert "-m" not in calls[-1][2:]


def test_tests_are_words_and_no_commands(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text("import sys; print(sys.argv[1:])")
    environment = {**os.environ, "TESTS": "-k 'a b' $(touch oops) `touch oops`"}
    command = [
        sys.executable,
        str(ROOT / "rollback_drill" / "ground" / "variables.py"),
        "words",
        "--stages=x",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    given = ["--stages=x", "-k", "a b", "$(touch", "oops)", "`touch", "oops`"]
    assert done.stdout.strip() == str(given)
    assert not (tmp_path / "oops").exists()
    status, said, calls = make(tmp_path, "test", "TESTS=-k 'a")
    assert (status, calls) == (2, [])
    assert "TESTS" in said
