"""Whatever tells a command to end lets it heal and clear up, also where nobody reads it any more."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rollback_drill.breaks.told import FaultHealed
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.told import DrillEnded, Noted
from tests.conduct.signals_support import SIGNALS, heard

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = str(ROOT / "runbook" / "rollback.md")
# A command that says so when it runs, and when it has cleared up.
COMMAND = """
import sys, time, types
from pathlib import Path
from rollback_drill import cli
from rollback_drill.ground.console import console
def run(arguments):
    try:
        Path(sys.argv[1], "runs").touch()
        time.sleep(20)
    finally:
        for _ in range(3):
            console().print("healing " + "x" * 100_000)
            time.sleep(0.02)
        Path(sys.argv[1], "healed").touch()
sys.modules["rollback_drill.commands"] = types.SimpleNamespace(run_claim=run)  # seconds to import
sys.exit(cli.main(["claim", "--report", sys.argv[1] + "/report"]))
"""


def until(path: Path) -> None:
    for _ in wait_until(f"{path.name} is there", 90, every_s=0.1):
        if path.exists():
            return


def begin(folder: Path, *, ignored: bool = False) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", COMMAND, str(folder)]
    if ignored:
        command = ["bash", "-c", 'trap "" HUP QUIT; exec "$@"', "-", *command]
    child = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heard
    )
    until(folder / "runs")
    return child


@pytest.mark.parametrize("number", SIGNALS)
def test_a_command_that_is_told_to_end_clears_up_though_nobody_reads_it(
    number: signal.Signals, tmp_path: Path
) -> None:
    child = begin(tmp_path)
    assert child.stdout
    assert child.stderr
    child.stdout.close()
    child.send_signal(number)
    child.send_signal(number)  # impatience does not cut it short
    assert child.wait(60) == 3
    assert (tmp_path / "healed").exists()
    assert child.stderr.read() == b"Ended by the operator.\n"


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGQUIT])
def test_what_was_started_to_outlive_its_terminal_does(
    number: signal.Signals, tmp_path: Path
) -> None:
    child = begin(tmp_path, ignored=True)
    child.send_signal(number)
    with pytest.raises(subprocess.TimeoutExpired):
        child.communicate(timeout=0.5)
    child.terminate()
    child.communicate(timeout=60)
    assert (tmp_path / "healed").exists()


def hang_up(command: list[str], ready: Path) -> int:
    """Run `command` in a terminal that goes away once `ready` is there; return how it ended."""
    pid, terminal = pty.fork()
    if pid == 0:
        heard()
        os.chdir(ROOT)
        os.execv(command[0], command)
    try:
        until(ready)
    finally:
        os.close(terminal)
    for _ in wait_until("it ends", 60):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
    raise AssertionError


def test_a_terminal_that_goes_away_lets_the_command_clear_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COMMAND, str(tmp_path)]
    assert hang_up(command, tmp_path / "runs") == 3
    assert (tmp_path / "healed").exists()


PYTEST = """
import time, pytest
from pathlib import Path
@pytest.fixture(scope="session")
def stage():
    yield
    Path({folder!r}, "healed").touch()
def test_that_takes_long(stage):
    Path({folder!r}, "runs").touch()
    time.sleep(20)
"""


@pytest.mark.parametrize(
    ("number", "options"),
    [*((one, ()) for one in SIGNALS), (signal.SIGTERM, ("-p", "steps.fix_cores", "-n", "1"))],
)
def test_a_run_of_tests_that_is_told_to_end_removes_its_stages(
    number: signal.Signals, options: tuple[str, ...], tmp_path: Path
) -> None:
    test = tmp_path / "test_long.py"
    test.write_text(PYTEST.format(folder=str(tmp_path)))
    command = [sys.executable, "-m", "pytest", "-p", "steps.fix_signals", "-q", str(test)]
    child = subprocess.Popen(
        [*command, f"--rootdir={tmp_path}", "-c", os.devnull, "-p", "no:cacheprovider", *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=heard,
    )  # fmt: skip
    until(tmp_path / "runs")
    assert child.stdout
    child.stdout.close()
    child.send_signal(number)
    assert child.wait(60) == 2
    assert (tmp_path / "healed").exists()


def test_a_terminal_that_goes_away_lets_a_run_of_tests_remove_its_stages(tmp_path: Path) -> None:
    test = tmp_path / "test_long.py"
    test.write_text(PYTEST.format(folder=str(tmp_path)))
    command = [sys.executable, "-m", "pytest", "-p", "steps.fix_signals", str(test)]
    command += [f"--rootdir={tmp_path}", "-c", os.devnull, "-p", "no:cacheprovider"]
    assert hang_up(command, tmp_path / "runs") == 2
    assert (tmp_path / "healed").exists()


def test_a_record_without_room_stops_a_drill_once_and_lets_it_heal(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    timeline.record(Noted("there is room"))
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        os.dup2(full.fileno(), timeline._file.fileno())
    with pytest.raises(OSError, match="No space left"):
        timeline.record(Noted("there is none"))
    timeline.record(FaultHealed("it is healed all the same"))
    timeline.record(DrillEnded(()))
    timeline.close()
    assert [event.what for event in read(timeline.path)] == [Noted("there is room")]


@pytest.mark.wide
@pytest.mark.slow
def test_a_drill_whose_terminal_goes_away_heals_and_still_reports(tmp_path: Path) -> None:
    report = tmp_path / "report"

    class Moment:
        name = "the fault"

        def exists(self) -> bool:
            timeline = report / "timeline.jsonl"
            return timeline.exists() and '"kind":"FaultInjected"' in timeline.read_text()

    command = [
        sys.executable,
        "-m",
        "rollback_drill",
        "drill",
        "--stage",
        "processes",
    ]
    command += ["--runbook", RUNBOOK, "--report", str(report)]
    assert hang_up(command, Moment()) == 3  # type: ignore[arg-type]
    text = (report / "timeline.jsonl").read_text(encoding="utf-8")
    assert '"kind":"FaultHealed"' in text
    assert '"kind":"LeftAs"' in text
    assert '"kind":"DrillEnded","left_behind":[]' in text
    verdict = json.loads((report / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["verdict"] == "unknown"
    assert "interrupted" in verdict["reason"]


EXAMPLE = """
import sys
from rollback_drill.ground.signals import told_to_end
from examples.__main__ import run_command
sys.executable = sys.argv[1]
with told_to_end():
    try:
        run_command([])
    except KeyboardInterrupt:
        sys.exit(3)
"""


def test_an_example_that_is_told_to_end_waits_until_its_drill_has_healed(tmp_path: Path) -> None:
    command = tmp_path / "command"
    command.write_text(
        f"#!/bin/bash\ntrap 'sleep 1; touch {tmp_path}/healed; exit 3' TERM\n"
        f"touch {tmp_path}/runs\nfor i in {{1..100}}; do sleep 0.2; done\n"
    )
    command.chmod(0o755)
    child = subprocess.Popen(
        [sys.executable, "-c", EXAMPLE, str(command)], cwd=ROOT, preexec_fn=heard
    )
    until(tmp_path / "runs")
    child.send_signal(signal.SIGHUP)
    assert child.wait(60) == 3
    assert (tmp_path / "healed").exists()
