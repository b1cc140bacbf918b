"""What ends a drill from outside: each limit by itself, and none before its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.cli import main
from rollback_drill.conduct.guard import Guard
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.allowance import Allowance
from rollback_drill.stage.entries import Limits
from tests.stage.staging_support import GOOD, ROOT, RUNBOOK, fake_kubectl, write


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """As Python begins: a command that ran in this process before may have left handlers."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ended_by(
    limits: Limits | None,
    rate: float = 10.0,
    *,
    allowance: Allowance | None = None,
    within_s: float = 5.0,
) -> str:
    """Return why the guard ended it, "" when it did not within the time."""
    guard = Guard(limits, rate, allowance)
    try:
        with guard:
            for waited in wait_until("the guard's signal", within_s + 5):
                if waited > within_s:
                    return ""
    except KeyboardInterrupt:
        assert guard.why
    return guard.why


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (Limits(minutes=0.3 / 60), "the stage's limits: 0.005 minutes are used up"),
        (Limits(requests=3), "the stage's limits: 3 requests are used up"),  # at 10/s: 0.3 s
    ],
    ids=["minutes", "requests"],
)
def test_a_limit_that_is_used_up_ends_the_drill(limits: Limits, told: str) -> None:
    assert ended_by(limits) == told


def test_what_the_suite_asks_itself_counts_against_the_limit() -> None:
    allowance = Allowance(["http://a.example"], 1000)
    limits = Limits(requests=500)  # at 10/s: 50 s
    assert ended_by(limits, allowance=allowance, within_s=0.5) == ""
    for _ in range(500):
        allowance.take()
    assert ended_by(limits, allowance=allowance) == "the stage's limits: 500 requests are used up"


def test_a_stop_file_ends_the_drill(tmp_path: Path) -> None:
    stop = tmp_path / "STOP"
    limits = Limits(stop_file=str(stop))
    assert ended_by(limits, within_s=0.5) == ""
    stop.touch()
    assert ended_by(limits) == f"the stop file {stop}"


def test_what_has_no_limits_goes_on() -> None:
    assert ended_by(None, within_s=0.5) == ""


def test_a_rate_above_the_limit_is_refused_before_a_host_is_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = fake_kubectl(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    words = write(tmp_path, GOOD.replace("{folder}", str(tmp_path)), RUNBOOK)
    assert main(["drill", *words, "--rate", "11", "--report", f"{tmp_path}/report"]) == 2
    assert "RATE up to 8 requests/s, of the 10 that checked allows" in capsys.readouterr().err
    assert not record.exists()


def test_a_stage_that_is_refused_leaves_no_folder_behind(tmp_path: Path) -> None:
    words = write(tmp_path, GOOD.replace("{folder}", str(tmp_path)), RUNBOOK)
    with tempfile.TemporaryDirectory(prefix="td-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # else it is none for temporary files of a drill
        done = subprocess.run(
            [sys.executable, "-m", "rollback_drill", "drill", *words, "--rate", "11",
             "--report", f"{tmp_path}/r"],
            cwd=ROOT, env={**os.environ, "TMPDIR": folder}, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert list(Path(folder).iterdir()) == []


def test_a_fault_that_the_stage_cannot_make_is_refused_before_a_host_is_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = fake_kubectl(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    toml = GOOD.replace("defects =", "health_path =").replace("{folder}", str(tmp_path))
    words = [*write(tmp_path, toml, RUNBOOK), "--rate", "5", "--report", f"{tmp_path}/report"]
    assert main(["drill", *words, "--fault", "invalid-cursors"]) == 2
    assert "its file describes none" in capsys.readouterr().err
    assert not record.exists()
