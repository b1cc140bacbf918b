"""The benchmarks that depend on the runbook's blocks still run, on little data; no time is judged."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.bench_drill import by_phase
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded, Noted, PhaseName, PhaseStarted
from tests.stage.staging_support import ROOT


@pytest.mark.slow
@pytest.mark.wide
def test_the_benchmark_of_the_data_takes_every_block_of_procedure_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.bench_data", "200"],
        cwd=ROOT, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = done.stdout
    for row in ("backup", "archive", "proof", "look at all data", "alternative", "\ndowngrade "):
        assert row in told
    assert "0 of them are lost" in told.splitlines()[-1]


def test_the_seconds_of_a_drill_are_all_told_by_phase() -> None:
    events = [
        Event(101.0, Noted("begins")),
        Event(101.5, PhaseStarted(PhaseName.SETUP)),
        Event(104.0, PhaseStarted(PhaseName.STEADY)),
        Event(104.5, Noted("steady")),
        Event(107.0, DrillEnded(())),
    ]
    found = by_phase(events, began=100.0, ended=109.0)
    assert found == {
        "until the record begins": 1.0,
        "admission": 0.5,
        "setup": 2.5,
        "steady state": 3.0,
        "judgement and report": 2.0,
    }
    assert sum(found.values()) == 9.0
