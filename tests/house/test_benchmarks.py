"""The benchmarks that depend on the runbook's blocks still run, on little data; no time is judged."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
