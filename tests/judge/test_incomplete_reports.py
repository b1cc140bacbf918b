"""Reports of records that break off or lack something: all are written, and all say the same."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.report.summary import print_summary
from rollback_drill.report.write import write_reports
from tests.judge.kept_records import kept

LINES = kept("procedure-2").splitlines(keepends=True)
ALLURE = {"passed": "passed", "failed": "failed", "unknown": "unknown", "attested": "passed"}


def said(lines: list[bytes], folder: Path) -> dict[str, str]:
    """Write all reports of a record; return what verdict each gives to the drill."""
    folder.mkdir(exist_ok=True)
    timeline = folder / "timeline.jsonl"
    timeline.write_bytes(b"".join(lines))
    judgement = write_reports(timeline, folder / "report").ask(judge)
    with (folder / "printed").open("w") as file:
        print_summary(judgement, folder / "report", Console(width=500, file=file))
    printed = (folder / "printed").read_text()
    return {
        "verdict.json": json.loads((folder / "report" / "verdict.json").read_text())["verdict"],
        "junit.xml": _junit(folder)["Drill/verdict"],
        "allure": _allure(folder)["verdict"],
        "summary": "".join(one for one in ALLURE if one.upper() in printed),
    }


def _junit(folder: Path) -> dict[str, str]:
    """Return the verdict of each case."""
    found = {}
    for case in ET.parse(folder / "report" / "junit.xml").iter("testcase"):
        failed, broken = case.find("failure") is not None, case.find("error") is not None
        verdict = "failed" if failed else "unknown" if broken else "passed"
        found[f"{case.get('classname')}/{case.get('name')}"] = verdict
    return found


def _allure(folder: Path) -> dict[str, str]:
    """Return the verdict of each result."""
    results = (folder / "report" / "allure-results").glob("*-result.json")
    read = [json.loads(path.read_text(encoding="utf-8")) for path in results]
    return {one["fullName"]: one["status"] for one in read}


@pytest.mark.parametrize("count", [1, 2, 7, *range(12, len(LINES), 61), len(LINES) - 1])
def test_a_record_that_breaks_off_is_unknown_in_every_report(tmp_path: Path, count: int) -> None:
    verdicts = said(LINES[:count], tmp_path)
    assert set(verdicts.values()) == {"unknown"}, verdicts
    steps = {name.replace("/", " / ", 1): one for name, one in _junit(tmp_path).items()}
    for name, verdict in _allure(tmp_path).items():
        assert steps.get(name, verdict) == verdict, name


def test_the_whole_record_is_passed_in_every_report(tmp_path: Path) -> None:
    assert set(said(LINES, tmp_path).values()) == {"passed"}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_record_that_lacks_events_is_reported_by_all_alike(
    data: st.DataObject, tmp_path: Path
) -> None:
    kinds = sorted({json.loads(line)["kind"] for line in LINES})
    gone = data.draw(st.sets(st.sampled_from(kinds), min_size=1, max_size=12))
    left = [line for line in LINES if json.loads(line)["kind"] not in gone]
    twice = data.draw(st.lists(st.integers(0, len(left) - 1), max_size=4)) if left else []
    for place in sorted(twice, reverse=True):
        left.insert(place, left[place])
    if not left:
        return
    verdicts = set(said(left, tmp_path).values())
    assert len(verdicts) == 1, verdicts
    assert verdicts & {"unknown", "failed"}


def test_a_step_that_never_ended_is_unknown_and_so_are_its_commands(tmp_path: Path) -> None:
    begun = next(n for n, line in enumerate(LINES) if b'"CommandStarted"' in line)
    said(LINES[: begun + 1], tmp_path)
    results = (tmp_path / "report" / "allure-results").glob("*-result.json")
    read = [json.loads(path.read_text(encoding="utf-8")) for path in results]
    step = next(one for one in read if one["fullName"] != "verdict")
    assert {step["status"], *(one["status"] for one in step["steps"][1:])} == {Verdict.UNKNOWN}
