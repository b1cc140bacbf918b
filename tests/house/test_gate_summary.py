"""One summary for one run, which says passed where scenarios were held and all of them passed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WIDE = pytest.mark.wide


def gate(folder: Path, body: str, *options: str, **environment: str) -> tuple[int, str, str]:
    """Run pytest with the gate's options on a file of `body`; return status, summary, output."""
    (folder / "test_it.py").write_text(body)
    summary = folder / "summary.md"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "steps.fix_summary", "-p", "no:locust",
         "-p", "no:cacheprovider", "--summary", str(summary), "--rootdir", str(folder),
         "-c", os.devnull, *options, str(folder / "test_it.py")],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    text = summary.read_text(encoding="utf-8") if summary.is_file() else ""
    return done.returncode, text, done.stdout + done.stderr


CRASH = "import os\ndef test_a():\n    pass\ndef test_b():\n    os._exit(9)\n"


def test_workers_write_no_summary_of_their_own(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    status, text, _ = gate(tmp_path, CRASH, "-n", "1", GITHUB_STEP_SUMMARY=str(page))
    assert status == 1
    assert text.count("## Rollback gate") == 1
    assert "## Rollback gate: FAILED" in text
    assert "crashed" in text
    assert page.read_text(encoding="utf-8") == text


def test_a_gate_that_dies_has_not_passed(tmp_path: Path) -> None:
    _, text, _ = gate(tmp_path, CRASH)
    assert text == "## Rollback gate: not held to its end\n"


def test_a_gate_of_which_every_scenario_was_left_out_has_not_passed(tmp_path: Path) -> None:
    body = "import pytest\n@pytest.mark.skip('no stage')\ndef test_a():\n    pass\n"
    status, text, _ = gate(tmp_path, body)
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "## Rollback gate: FAILED" in text
    assert "1 skipped" in text


def test_what_a_stage_leaves_behind_is_named(tmp_path: Path) -> None:
    body = (
        "import pytest\n@pytest.fixture\ndef stage():\n    yield\n    assert not 'left behind'\n"
        "def test_a(stage):\n    pass\n"
    )
    status, text, _ = gate(tmp_path, body)
    assert status == 1
    assert "| ❌ | test_a | " in text
    assert "left behind" in text


def test_a_summary_replaces_that_of_an_earlier_run_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "summary.md").symlink_to(tmp_path / "victim")
    for _ in range(2):
        _, text, _ = gate(tmp_path, "def test_a():\n    pass\n")
        assert text.count("## Rollback gate: passed") == 1
    assert (tmp_path / "victim").read_text() == "precious"


def test_escapes_in_a_reason_are_shown(tmp_path: Path) -> None:
    _, text, _ = gate(tmp_path, "def test_a():\n    raise OSError('a\\x1b[2Jb')\n")
    assert "␛[2J" in text or "\\x1b[2J" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("--stages=moon", "--stages"),
        pytest.param("--stages=containers", "engine", marks=WIDE),
        pytest.param("--history=/proc/nowhere/history.jsonl", "history", marks=WIDE),
        ("--history={folder}/broken.jsonl", "kept drill"),
        pytest.param("--summary=/proc/nowhere/summary.md", "--summary", marks=WIDE),
    ],
)
def test_a_wrong_option_is_a_usage_error_and_no_traceback(
    option: str, named: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.jsonl").write_text("broken\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "features", option.format(folder=tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "DOCKER_HOST": "unix:///nonexistent/docker.sock"},
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, told
    assert "ERROR: " in told
    assert named in told
    assert "Traceback" not in told
    assert "INTERNALERROR" not in told
