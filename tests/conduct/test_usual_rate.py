"""How many requests a second a drill has where nobody says: by whose stage it is, and by cores."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rollback_drill.conduct.admission import usual_rate
from rollback_drill.stage.file import read_staging
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.processes import ProcessStage
from rollback_drill.stage.staging import StagingStage
from tests.stage.staging_support import GOOD, write


@pytest.mark.parametrize(("cores", "usual"), [(1, 100.0), (2, 200.0), (64, 200.0), (None, 100.0)])
def test_a_stage_of_its_own_has_what_two_cores_keep_up_with(
    cores: int | None, usual: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = ProcessStage(StageOptions(), "", print)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert usual_rate(stage) == usual


@pytest.mark.parametrize(("limit", "usual"), [(10, 8.0), (100, 80.0), (500, 100.0)])
def test_a_stage_that_others_may_need_is_spared(tmp_path: Path, limit: int, usual: float) -> None:
    assert "rate = 10\n" in GOOD
    write(tmp_path, GOOD.replace("rate = 10\n", f"rate = {limit}\n"))
    stage = StagingStage(read_staging(tmp_path / "staging.toml"), print)
    assert usual_rate(stage) == usual
