"""When a drill asks again, what it must hear then, and what it says where it could not ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.campaigns.simulation import simulate
from rollback_drill.conduct.worlds import Draw
from rollback_drill.golden.told import GoldenAsked
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import read
from rollback_drill.subject.hostaway.simulated.stage import SimulatedStage

RUNBOOK = Path("runbook/rollback.md")


def held(drawn: Draw, folder: Path) -> tuple[Verdict, str, GoldenAsked]:
    one, path = simulate(drawn, RUNBOOK, folder)
    (asked,) = Book(list(read(path))).every(GoldenAsked)
    return one.verdict, one.cause, asked


def test_after_a_release_was_taken_back_everything_is_asked(tmp_path: Path) -> None:
    verdict, _, asked = held(Draw(3, "error-rate-critical", procedure="1"), tmp_path)
    assert verdict is Verdict.PASSED
    assert {"GET /health", "GET /openapi.json", "GET /api/listings"} <= asked.operations.keys()
    assert asked.compared > asked.questions // 2 < asked.by_rows
    (declared,) = asked.declared
    assert declared.startswith("rows that the drill wrote")


def test_after_a_feature_was_switched_off_the_release_tells_of_itself(tmp_path: Path) -> None:
    verdict, _, asked = held(Draw(3, "invalid-cursors", procedure="3"), tmp_path)
    assert verdict is Verdict.PASSED
    assert "GET /api/listings" in asked.operations
    assert not {"GET /health", "GET /openapi.json"} & asked.operations.keys()
    assert "v0.1.0-pagination stays deployed" in asked.declared[0]


def test_where_nothing_was_rolled_back_nothing_is_owed(tmp_path: Path) -> None:
    _, _, asked = held(Draw(3, "skipped-pages"), tmp_path)
    assert (asked.why, asked.owed, asked.questions) == ("nothing was rolled back", False, 0)


def test_a_stable_release_that_never_answered_leaves_it_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        SimulatedStage, "_ask_stable", lambda stage: stage.record_golden("", "it did not start")
    )
    verdict, cause, asked = held(Draw(3, "error-rate-critical", procedure="1"), tmp_path)
    assert verdict is Verdict.UNKNOWN
    assert cause == "As before: nothing could be compared: it did not start"
    assert asked.by_rows > asked.compared == 0  # which rows tell all the same
