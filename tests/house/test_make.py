"""What is set on make's command line is a value, never a command, and never ignored."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rollback_drill.ground.asked_by_make import by_variable, call, verb
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.option import Option, Verb
from rollback_drill.ground.options import PYTHON, VERBS

ROOT = Path(__file__).resolve().parents[2]
OURS = [one for one in VERBS if one.module]  # the others stand in the Makefile alone
ALL = [one.name for one in VERBS]
# Writes down how it was called, in the place of every Python of the suite; what make asks of us, as
# the words that we are then called with.
RECORDER = """#!/bin/bash
if [ "$3" = make ]; then exec {python} -c '
import os
from rollback_drill.ground.asked_by_make import call, check_given, verb
check_given(os.environ)
print("-m", *call(verb("'$4'"), os.environ), "--end--", sep=chr(0), end=chr(0))' >> "{log}"; fi
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
        (folder / "rollback_drill").symlink_to(ROOT / "rollback_drill")
        python = folder / ".venv" / "bin" / "python"
        python.write_text(RECORDER.format(log=log, python=sys.executable))
        python.chmod(0o755)
        (folder / ".venv" / ".ready").touch()
    log.write_bytes(b"")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    for name in by_variable():
        environment.pop(name, None)
    done = subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    calls: list[list[str]] = [[]]
    for word in log.read_text().split("\0")[:-1]:
        calls[-1:] = [calls[-1], []] if word == "--end--" else [[*calls[-1], word]]
    return done.returncode, done.stdout + done.stderr, [call for call in calls if call]


EVIL = "$(shell touch oops)a'b\"c $(touch oops) $$(touch oops) `touch oops` ; touch oops\n| touch oops # $x \\"


def free(verb: Verb) -> list[Option[Any]]:
    """Return those options of `verb` that can be any text."""
    return [one for one in verb.options if isinstance(one.value, str | Path) and takes(one, EVIL)]


def takes(option: Option[Any], text: str) -> bool:
    try:
        return bool(option.read(text))
    except UsageError:
        return False


@pytest.mark.parametrize("verb", OURS, ids=lambda one: one.name)
def test_no_variable_of_any_target_is_run_by_a_shell_or_by_make(verb: Verb, tmp_path: Path) -> None:
    asked = free(verb)
    status, said, calls = make(tmp_path, verb.name, *(f"{one.variable}={EVIL}" for one in asked))
    assert status == 0, said
    used = [word.partition("=")[2] for call in calls for word in call if "=" in word]
    whole = {word for word in used if word.startswith("$(")}
    assert not asked or EVIL in whole
    gates = {f"{EVIL}/{name}" for name in ("junit.xml", "allure-results", "summary.md")}
    assert whole <= {EVIL, *(gates if verb.name == "gate" else ())}
    every = [f"{one}={EVIL}" for one in by_variable() if one != "PYTHON"]
    status, said, calls = make(tmp_path, verb.name, *every)
    assert (status, calls) == (2, [])  # no number, for one
    assert not (tmp_path / "oops").exists()


def test_the_makefile_has_each_command_and_none_of_its_options() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^(?:\.PHONY: |override ASKED := )([a-z -]+)$", text, re.MULTILINE)
    assert sorted({*ALL, "help", "known"}) == sorted(" ".join(phony).split())
    assert [one for one in by_variable() if re.search(rf"\b{one}\b", text)] == ["PYTHON"]
    assert f"PYTHON ?= {PYTHON.default}" in text


def test_help_lists_every_command_and_every_variable_with_its_default(tmp_path: Path) -> None:
    status, said, calls = make(tmp_path, "help")
    assert (status, calls) == (0, [])
    for one in VERBS:
        assert f"  make {one.name} " in said
        assert one.help in said
    for name, option in by_variable().items():
        assert f"  {name}={option.default or ''}".strip() in said.replace('"', "")


@pytest.mark.parametrize("target", ALL)
def test_no_target_begins_with_a_misspelt_variable(target: str, tmp_path: Path) -> None:
    status, said, calls = make(tmp_path, target, "REPROT=x")
    assert (status, calls) == (2, [])
    assert "did you mean REPORT?" in said


def test_values_reach_the_command_as_they_are(tmp_path: Path) -> None:
    _, _, (said,) = make(tmp_path, "report", "FROM=a b$c", "REPORT=--help")
    assert said == ["-m", "rollback_drill", "report", "--from=a b$c", "--report=--help"]


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
    status, _, (said,) = make(tmp_path, "drill", "SUPERVISOR=systemd", "PYTHON=python3")
    assert status == 0
    assert "--supervisor=systemd" in said
    _, _, (said,) = make(tmp_path, "drill")
    assert not any("supervisor" in word for word in said)
    _, _, calls = make(tmp_path, "gate", "TIER=smoke")
    assert calls[-1][-2:] == ["-m", "smoke"]
    _, _, calls = make(tmp_path, "gate", "TIER=full")
    assert calls[-1][-2:] == ["-m", "not model"]


def test_what_cannot_be_meant_is_refused_before_anything_is_set_up(tmp_path: Path) -> None:
    for wrong in ("PACE=fast", "SEED=-1", "TIER=huge", "FAIL_ON=no", "MODE=x", "TESTS=-k 'a"):
        status, said, calls = make(tmp_path, "setup", wrong)
        assert (status, calls) == (2, []), wrong
        assert f"Expected {wrong.partition('=')[0]}" in said


def test_tests_are_words_and_no_commands(tmp_path: Path) -> None:
    asked = "-k 'a b' $(touch oops) `touch oops`"
    _, _, (said,) = make(tmp_path, "test", "STAGES=x", f"TESTS={asked}")
    given = ["-k", "a b", "$(touch", "oops)", "`touch", "oops`"]
    ours = ["--stages=x", "--numprocesses=auto", "-m", "not wide and not real"]
    assert said == ["-m", "pytest", *ours, *given]  # of two, pytest takes the last
    assert not (tmp_path / "oops").exists()


def test_a_variable_of_the_environment_counts_as_well() -> None:
    assert call(verb("drill"), {"FAULT": "none"})[2:3] == ["--fault=none"]
    assert call(verb("drill"), {})[2:] == ["--history=reports/history.jsonl"]
