"""A foreign service in Node, and three shops that poll it, drilled over ssh by their own runbook."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.unleash.environment import HERE, UnleashStaging
from rollback_drill.runbook.parse import parse
from tests.stage.staging_support import scripts_alone

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (HERE / "runbook.md").read_text(encoding="utf-8")
HAS_ALL = all(shutil.which(one, path=f"{os.environ['PATH']}:/usr/sbin") for one in ("sshd", "npm"))


def test_its_runbook_is_read_with_three_ways_back() -> None:
    read = parse(HERE / "runbook.md")
    assert [one.number for one in read.procedures] == [1, 2, 3]
    assert not read.unread


@pytest.fixture(scope="module")
def machine() -> Iterator[UnleashStaging]:
    with scripts_alone(), UnleashStaging() as machine, pytest.MonkeyPatch.context() as patch:
        for name, value in machine.variables.items():
            patch.setenv(name, value)
        yield machine


def drilled(report: Path, *words: str, runbook: str = RUNBOOK) -> tuple[str, dict[str, Any]]:
    """Hold a drill; return what was said, and its verdict."""
    document = report.with_suffix(".md")
    document.write_text(runbook, encoding="utf-8")
    stage = f"--stage={HERE / 'staging.toml'}"
    asked = (
        "--rate=20",
        "--pace=600",
        f"--report={report}",
        f"--runbook={document}",
        stage,
        *words,
    )
    done = subprocess.run(
        [sys.executable, "-m", "rollback_drill", "drill", *asked],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    found: dict[str, Any] = json.loads((report / "verdict.json").read_text(encoding="utf-8"))
    return done.stdout, found


WIDE = (
    pytest.mark.wide,  # another service of a stage that is drilled at each push
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not HAS_ALL, reason="no sshd or no npm on this machine"),
)


def wide(test: Any) -> Any:
    for mark in WIDE:
        test = mark(test)
    return test


@wide
def test_the_code_alone_is_rolled_back(machine: UnleashStaging, tmp_path: Path) -> None:
    said, verdict = drilled(tmp_path / "report", "--fault=limit-gone-wrong")
    assert verdict["verdict"] == "passed", said
    assert verdict["release"] == {"failing": "v6.10", "stable": "v6.3"}
    assert verdict["data"]["acknowledged"] == verdict["data"]["preserved"] > 0
    for path in (tmp_path / "report").rglob("*"):
        text = path.read_text(errors="replace") if path.is_file() else ""
        secrets = (machine.variables[f"UNLEASH_{one}"] for one in ("AUTHORIZATION", "ADMIN_DSN"))
        assert not any(secret in text for secret in secrets), path


@wide
def test_the_kill_switch_is_obeyed_by_every_shop(machine: UnleashStaging, tmp_path: Path) -> None:
    words = ("--fault=checkout-gone-wrong", "--procedure=3")
    said, verdict = drilled(tmp_path / "report", *words)
    assert verdict["verdict"] == "passed", said
    (machine.folder / "checkout-is-broken").touch()
    left = RUNBOOK.replace("$SWITCH/off", "$SWITCH/on")
    said, verdict = drilled(tmp_path / "left-on", *words, runbook=left)
    assert verdict["verdict"] == "failed", said
    assert "the shop at 8836: on" in said


@wide
def test_what_its_ways_down_lose_is_found(machine: UnleashStaging, tmp_path: Path) -> None:
    said, verdict = drilled(tmp_path / "report", "--fault=limit-gone-wrong", "--procedure=2")
    assert verdict["verdict"] == "failed", said
    for lost in ("feature_link is gone", "users.email_hash is gone", "permissions had"):
        assert lost in verdict["reason"]
    assert verdict["restored"], said
    assert {one["verdict"] for one in verdict["steps"]} <= {"passed", "attested"}, said
