"""The gate: its summary says what failed and why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def gate(tmp_path: Path, body: str, *options: str, **environment: str) -> tuple[int, str]:
    """Run pytest on one test file with the gate's options; return its status and the summary."""
    test = tmp_path / "test_it.py"
    test.write_text(body)
    summary = tmp_path / "summary.md"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "steps.fix_summary", "-p", "no:locust",
         "--summary", str(summary), "--rootdir", str(tmp_path), "-c", "/dev/null", *options, str(test)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    return done.returncode, summary.read_text() if summary.exists() else done.stdout + done.stderr


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_the_summary_of_a_red_gate_names_scenario_and_reason(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    body = "def test_good():\n    pass\ndef test_bad():\n    assert 1 == 2, 'a | b'\n"
    status, text = gate(tmp_path, body, *options)
    assert status == 1
    assert "## Rollback gate: FAILED" in text
    assert "1 passed, 1 failed" in text
    assert "test_bad" in text
    assert "| ❌ | test_bad | a / b |" in text  # what it says itself, and no Python


def test_github_s_job_page_gets_the_summary_too(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    status, text = gate(tmp_path, "def test_good():\n    pass\n", GITHUB_STEP_SUMMARY=str(page))
    assert status == 0
    assert "## Rollback gate: passed" in text
    assert page.read_text() == text


def test_a_gate_that_ran_nothing_is_not_passed(tmp_path: Path) -> None:
    status, text = gate(tmp_path, "")
    assert status != 0
    assert "FAILED" in text
    assert "nothing was run" in text


def test_an_unknown_tier_is_used_wrongly() -> None:
    done = subprocess.run(
        ["make", "gate", "TIER=huge"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "smoke, standard, full" in done.stderr
