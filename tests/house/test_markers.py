"""CI lets run beside others what opens no stage: which tests do stands in their markers."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted({*(ROOT / "tests").rglob("test_*.py")} - {Path(__file__)})
_ENTERS = re.compile(r"with .*open_stage\(|open_stage\(.*with ", re.DOTALL)
MARKS = {"drill", "live", "containers", "slow"}


def unmarked(source: str) -> bool:
    """Whether a test module enters a stage, itself or by a script, and no marker of it says so."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    texts = [one.value for one in nodes if isinstance(one, ast.Constant)]
    scripts = [one for one in texts if isinstance(one, str) and _ENTERS.search(one)]
    entered = [
        ast.unparse(item.context_expr)
        for one in nodes
        if isinstance(one, ast.With) and "pytest.raises" not in ast.unparse(one.items[0])
        for item in one.items
    ]
    entered += [one.arg for one in nodes if isinstance(one, ast.arg)]
    opened = [
        target.id
        for one in nodes
        if isinstance(one, ast.Assign) and _opens(ast.unparse(one.value))
        for target in one.targets
        if isinstance(target, ast.Name)
    ]
    marks = {
        one.attr
        for one in nodes
        if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "pytest.mark"
    }
    return not marks & MARKS and bool(
        scripts or any(one in opened or _opens(one) for one in entered)
    )


def _opens(expression: str) -> bool:
    return expression.startswith(("open_stage(", "kept_stage"))


def test_every_module_that_opens_a_stage_says_so() -> None:
    assert [path.name for path in MODULES if unmarked(path.read_text())] == []


@pytest.mark.parametrize(
    "source",
    [
        "def test_it():\n    with open_stage('processes'): ...",
        "def test_it():\n    stage = open_stage('processes')\n    with stage: ...",
        "def test_it(kept_stage): ...",
        "SCRIPT = 'with open_stage(1) as stage: ...'",
    ],
)
def test_one_that_does_not_say_so_is_found(source: str) -> None:
    assert unmarked(source)
    assert not unmarked(f"import pytest\npytestmark = pytest.mark.drill\n{source}")


BODY = """
import pytest

def test_quiet(): ...

@pytest.mark.drill
def test_says_so(): ...

@pytest.mark.containers
def test_in_containers(): ...

@pytest.mark.slow
def test_slow(): ...

@pytest.mark.live
def test_live(stage_name): ...

def test_by_fixture(kept_stage): ...
"""


def test_what_holds_a_drill_is_chosen_by_one_marker(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(BODY)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "not drill"),
            *("-p", "steps.fix_stages", "-p", "no:locust", "--stages=processes"),
            *("--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stdout.splitlines() if "::" in line] == ["test_it.py::test_quiet"]


OUTLINE = """
@live
Feature: Drills
  Scenario Outline: One
    Given <a> thing

    Examples:
      | a     |
      | plain |

    @simulated
    Examples: In the model as well
      | a       |
      | modelled |
"""
STEPS = """
from pytest_bdd import given, parsers, scenarios
scenarios(".")

@given(parsers.parse("{a} thing"))
def thing(a): ...
"""


def test_what_is_simulated_is_held_in_the_model_by_each_push_and_for_real_by_the_gate(
    tmp_path: Path,
) -> None:
    (tmp_path / "outline.feature").write_text(OUTLINE)
    (tmp_path / "test_it.py").write_text(STEPS)
    for asked, found in (
        ("not real", ["processes-plain", "simulated-modelled"]),
        ("not model", ["processes-plain", "processes-modelled"]),
        ("drill", ["processes-plain", "processes-modelled"]),
    ):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", asked),
                *("-p", "steps.fix_stages", "-p", "no:locust", "--stages=processes"),
                *("--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in done.stdout.splitlines() if "::" in line]
        assert [re.sub(r".*\[|\]", "", one) for one in lines] == found, done.stdout
