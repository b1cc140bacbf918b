"""Two drills of one machine: one measures, while the other one waits or sets up."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rollback_drill.conduct import turns
from rollback_drill.conduct.phases import let_clients_in
from rollback_drill.conduct.plans import plan_for
from rollback_drill.conduct.request import Request
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.timeline import read
from rollback_drill.traffic.told import TrafficSecond

DRILL = (
    *(sys.executable, "-m", "rollback_drill", "drill", "--stage", "processes"),
    *("--fault", "invalid-cursors", "--history", ""),
)
CORES = os.cpu_count() or 1
ROOT = Path(__file__).resolve().parents[2]


class Waiting:
    """As much of a drill as waits for its turn; `said`: its remarks."""

    def __init__(self) -> None:
        self.clients = contextlib.ExitStack()
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


def take(drill: Any) -> bool:
    return turns.take_turn(drill)


@pytest.fixture(autouse=True)
def of_two_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "temporary", lambda: tmp_path)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_clients_wait_for_the_turn(tmp_path: Path) -> None:
    plan = turns.in_turn(plan_for(Request(tmp_path / "runbook.md", tmp_path)))
    at = plan.phases.index(turns.take_turn)
    assert plan.phases[at + 1] is let_clients_in
    assert plan.phases.count(turns.take_turn) == 1


def test_a_second_drill_measures_once_the_clients_of_the_first_have_gone() -> None:
    first, second = Waiting(), Waiting()
    assert take(first)
    beside = threading.Thread(target=take, args=(second,))
    beside.start()
    for _ in wait_until("the second one waits", 60):
        if second.said:
            break
    assert beside.is_alive()
    assert second.said == ["waits for its turn: another drill of this machine measures"]
    first.clients.close()
    beside.join(60)
    assert not beside.is_alive()
    assert (first.said, second.said[1].startswith("its turn came after")) == ([], True)
    second.clients.close()


def test_each_pair_of_cores_has_a_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(turns, "LONGEST_WAIT_S", 0.0)
    first, second, third = Waiting(), Waiting(), Waiting()
    assert all(map(take, (first, second, third)))
    assert (first.said, second.said, len(third.said)) == ([], [], 2)
    first.clients.close()
    second.clients.close()


def test_who_waits_too_long_measures_beside_others_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT_S", 0.0)
    first, second = Waiting(), Waiting()
    assert all(map(take, (first, second)))
    assert "measures beside other drills of this machine" in second.said[-1]
    first.clients.close()


def test_a_killed_drill_gives_its_turn_back(tmp_path: Path) -> None:
    (path,) = turns._turns()
    program = (
        "import fcntl, sys; file = open(sys.argv[1], 'ab'); fcntl.flock(file, fcntl.LOCK_EX); "
        "print('taken', flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program, path], stdin=pipe, stdout=pipe) as other:
        assert other.stdout
        assert other.stdout.readline() == b"taken\n"
        with path.open("ab") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        other.kill()
        other.wait()
    drill = Waiting()
    assert take(drill)
    assert drill.said == []
    drill.clients.close()


def test_a_folder_that_others_can_write_to_stops_nobody(tmp_path: Path) -> None:
    for path in turns._turns():
        path.parent.chmod(0o777)
    drill = Waiting()
    assert take(drill)
    assert "measures beside other drills" in drill.said[0]


@pytest.mark.wide
@pytest.mark.slow
def test_two_drills_that_begin_together_both_pass_and_measure_one_after_the_other(
    tmp_path: Path,
) -> None:
    reports = [tmp_path / "one", tmp_path / "other"]
    drills = [
        subprocess.Popen([*DRILL, "--report", str(report)], cwd=ROOT, stdout=subprocess.DEVNULL)
        for report in reports
    ]
    assert [drill.wait(200) for drill in drills] == [0, 0]
    (began, ended), (next_began, next_ended) = sorted(map(measured, reports))
    assert (ended - began > 1, next_ended - next_began > 1) == (True, True)
    if CORES < 4:
        assert ended <= next_began


def measured(report: Path) -> tuple[float, float]:
    """Return from when to when the drill's clients asked, in Unix seconds."""
    seconds = [
        event.what.second
        for event in read(report / "timeline.jsonl")
        if isinstance(event.what, TrafficSecond) and event.what.sent
    ]
    return float(seconds[0]), float(seconds[-1])
