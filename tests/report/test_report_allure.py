"""allure-results of a drill: what Allure reads of a passed, a failed and a broken-off step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import (
    Checked,
    CommandEnded,
    CommandOutput,
    CommandStarted,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.timeline import Timeline
from rollback_drill.report.write import write_reports


def record(path: Path, verdict: Verdict, *, ends: bool = True) -> Path:
    timeline = Timeline(path)
    timeline.record(StepStarted("Procedure 1", 4, "Restart", budget_s=60, window_s=0, line=10))
    timeline.record(
        CommandStarted(1, "Procedure 1", 4, "host-1", "", "restart it", line=12, limit_s=60)
    )
    timeline.record(CommandOutput(1, "stdout", "<b>restarted</b>"))
    if ends:
        timeline.record(CommandEnded(1, 0 if verdict is Verdict.PASSED else 1, 0.5))
        timeline.record(Checked("Procedure 1", 4, "It runs", 14, "runs", verdict, "process 7"))
        timeline.record(StepEnded("Procedure 1", 4, "Restart", 60, 1.0, verdict, "because", ""))
    timeline.close()
    return path


def results(directory: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in directory.glob("*-result.json")]
    return {result["fullName"]: result for result in found}


def write(tmp_path: Path, verdict: Verdict, *, ends: bool = True) -> dict[str, dict[str, Any]]:
    timeline = record(tmp_path / "record.jsonl", verdict, ends=ends)
    write_reports(timeline, tmp_path / "report")
    return results(tmp_path / "report" / "allure-results")


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict.PASSED, "passed"),
        (Verdict.FAILED, "failed"),
        (Verdict.UNKNOWN, "unknown"),
        (Verdict.UNCOVERED, "failed"),
        (Verdict.ATTESTED, "passed"),
    ],
)
def test_a_step_carries_its_verdict(tmp_path: Path, verdict: Verdict, status: str) -> None:
    step = write(tmp_path, verdict)["Procedure 1 / 4 Restart"]
    assert step["status"] == status
    given, when, then = step["steps"]
    assert [given["name"][:5], when["name"][:4], then["name"][:4]] == ["Given", "When", "Then"]
    assert then["status"] == status
    (checkbox,) = then["steps"]
    assert checkbox["name"] == "It runs: process 7"
    assert checkbox["status"] == status


def test_a_failed_command_is_red_even_when_the_rest_is_not(tmp_path: Path) -> None:
    _, when, _ = write(tmp_path, Verdict.UNKNOWN)["Procedure 1 / 4 Restart"]["steps"]
    assert when["status"] == when["steps"][0]["status"] == "failed"


def test_a_step_that_was_cut_off_is_unknown(tmp_path: Path) -> None:
    step = write(tmp_path, Verdict.PASSED, ends=False)["Procedure 1 / 4 Restart"]
    assert step["status"] == "unknown"
    assert step["statusDetails"]["message"] == "its end was not recorded"


def test_script_and_output_are_attached(tmp_path: Path) -> None:
    step = write(tmp_path, Verdict.PASSED)["Procedure 1 / 4 Restart"]
    (attachment,) = step["steps"][1]["steps"][0]["attachments"]
    text = (tmp_path / "report" / "allure-results" / attachment["source"]).read_text()
    assert text == "$ restart it\n<b>restarted</b>\n"


def test_writing_again_replaces_what_was_there_and_keeps_the_identifiers(tmp_path: Path) -> None:
    first = write(tmp_path, Verdict.PASSED)
    stale = tmp_path / "report" / "allure-results" / "stale-result.json"
    stale.write_text("{}")
    write_reports(tmp_path / "record.jsonl", tmp_path / "report")
    again = results(stale.parent)
    assert not stale.exists()
    assert {name: result["uuid"] for name, result in again.items()} == {
        name: result["uuid"] for name, result in first.items()
    }


def test_results_stand_in_suites_with_severity_environment_and_categories(tmp_path: Path) -> None:
    found = write(tmp_path, Verdict.FAILED)
    labels = {
        name: {one["name"]: one["value"] for one in result["labels"]}
        for name, result in found.items()
    }
    step = labels["Procedure 1 / 4 Restart"]
    assert (step["suite"], step["severity"]) == ("Procedure 1", "critical")
    whole = labels["verdict"]
    assert (whole["suite"], whole["severity"]) == ("Drill", "blocker")
    folder = tmp_path / "report" / "allure-results"
    assert "verdict = failed\n" in (folder / "environment.properties").read_text()
    statuses = [
        one["matchedStatuses"] for one in json.loads((folder / "categories.json").read_text())
    ]
    assert statuses == [["failed"], ["unknown"]]


def test_page_post_mortem_and_timeline_are_attached_to_the_verdict(tmp_path: Path) -> None:
    found = write(tmp_path, Verdict.PASSED)
    report = tmp_path / "report"
    attached = {one["name"]: one["source"] for one in found["verdict"]["attachments"]}
    for what, name in (
        ("The report", "index.html"),
        ("The post-mortem", "postmortem.html"),
        ("The timeline", "timeline.jsonl"),
    ):
        there = (report / "allure-results" / attached[what]).read_bytes()
        assert there == (report / name).read_bytes()
