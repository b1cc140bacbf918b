"""junit.xml has a case for each step and checkbox, those that were not reached among them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import Checked, ProcedureChosen, StepEnded, StepStarted
from rollback_drill.record.timeline import Timeline
from rollback_drill.report.write import write_reports

WHERE = "Procedure 1"


def cases(tmp_path: Path, *, fails: bool) -> dict[str, str]:
    """Return what became of each case, by its name."""
    timeline = Timeline(tmp_path / "record.jsonl")
    titles, numbers = ("Stop", "Restart", "Watch"), (1, 2, 4)
    timeline.record(
        ProcedureChosen(
            1, "Flag", 0, 60, "diagnosis", titles, (), (60.0,) * 3, step_numbers=numbers
        )
    )
    verdict = Verdict.FAILED if fails else Verdict.PASSED
    for number, title in zip(numbers, titles, strict=True):
        boxes = ((10 + number, f"{title} is done"), (30 + number, f"{title} is seen"))
        timeline.record(StepStarted(WHERE, number, title, 60, 0, 10, boxes, 0))
        for line, text in boxes[: 1 if fails else 2]:
            timeline.record(Checked(WHERE, number, text, line, "some", verdict, "because"))
        timeline.record(StepEnded(WHERE, number, title, 60, 1.0, verdict, "because", ""))
        if fails:
            break
    timeline.close()
    write_reports(timeline.path, tmp_path / "report")
    root = ET.parse(tmp_path / "report" / "junit.xml")
    suite = next(one for one in root.iter("testsuite") if one.get("name") == WHERE)
    found = {
        str(case.get("name")): next((child.tag for child in case), "passed")
        for case in suite.iter("testcase")
    }
    assert suite.get("tests") == str(len(found))
    assert suite.get("skipped") == str(list(found.values()).count("skipped"))
    return found


def test_a_suite_that_ends_early_has_all_cases_and_skips_what_was_not_reached(
    tmp_path: Path,
) -> None:
    assert cases(tmp_path, fails=True) == {
        "1 Stop": "failure",
        "1 Stop is done": "failure",
        "1 Stop is seen": "skipped",
        "2 Restart": "skipped",
        "4 Watch": "skipped",
    }


def test_a_suite_that_was_held_to_its_end_skips_nothing(tmp_path: Path) -> None:
    assert set(cases(tmp_path, fails=False).values()) == {"passed"}
