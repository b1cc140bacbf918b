"""What customers suffered and whether service was restored: the same sentences everywhere."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from rollback_drill.breaks.told import HealAttested
from rollback_drill.conduct.told import Resumed
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.impact import facts_after, headlines, impact
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline
from rollback_drill.report.summary import print_summary
from rollback_drill.report.write import write_reports
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import LeftAs
from tests.judge.impact_support import SHUT, WELL, T, drill, told


def test_failures_and_planned_maintenance_are_told_apart() -> None:
    record = drill(Event(T + 29.5, WELL))
    found = impact(Book(record))
    assert found
    assert (found.hit_s, found.requests, found.failed, found.planned) == (8.0, 800, 120, 400)
    assert (found.clients_hit, found.clients, found.planned_s) == (3, 50, 4.0)
    assert told(record) == [
        "Customers were hit for 8.0 s, from the fault until they were served well again: "
        "120 of 800 requests failed (15.0%), 3 of 50 clients were hit; beside these, 400 were "
        "turned away in planned maintenance of 4.0 s.",
        "Service was restored 6.0 s after the decision.",
    ]


def test_a_service_that_was_left_in_maintenance_is_not_restored() -> None:
    record = [
        event
        for event in drill(Event(T + 29.5, SHUT), restored_after_s=None)
        if "Leave" not in getattr(event.what, "title", "")
    ]
    record = [e for e in record if e.at < T + 18 or not isinstance(e.what, TrafficSecond)]
    (suffered, restored) = told(record)
    assert "until the drill stopped" in suffered
    assert restored == (
        "Service was NOT restored: maintenance is still on (host-1; undo with step 6 “Leave "
        "maintenance” (line 231)), the front door answers 503, of the reads list answers 503, "
        "100% of requests were failing when the drill stopped."
    )


def test_maintenance_that_failed_is_no_excuse() -> None:
    record = drill(Event(T + 29.5, WELL))
    record = [
        Event(e.at, StepEnded("Procedure 1", 1, e.what.title, 30, 1, Verdict.FAILED, "", ""))
        if isinstance(e.what, StepEnded) and "Enter" in e.what.title
        else e
        for e in record
    ]
    found = impact(Book(record))
    assert found
    assert (found.failed, found.planned) == (520, 0)


def test_good_answers_without_a_rollback_that_held_are_not_called_restored() -> None:
    (_, restored) = told(drill(Event(T + 29.5, WELL), restored_after_s=None))
    assert restored.startswith("Service was NOT restored: clients were not seen to be served well")


def test_what_nobody_saw_is_not_made_up() -> None:
    (_, restored) = told(drill(restored_after_s=None))
    assert restored == "Whether service was restored is unknown: nobody saw how it was left."
    silent = [e for e in drill() if not isinstance(e.what, TrafficSecond)]
    assert "no request was observed" in told(silent)[0]


def test_clients_are_not_counted_where_they_cannot_be_told_apart() -> None:
    for more in (Resumed("reports/dead", T + 5), None):
        record = drill(*([Event(T + 11, more)] if more else []))
        if more is None:
            record = [
                Event(e.at, TrafficSecond(e.what.second, e.what.outcomes, {}, {}, ""))
                if isinstance(e.what, TrafficSecond)
                else e
                for e in record
            ]
        found = impact(Book(record))
        assert found
        assert found.clients_hit is None
        assert "clients were hit" not in told(record)[0]


@pytest.mark.parametrize(
    ("left", "named"),
    [
        (SHUT, "maintenance is still on"),
        (LeftAs(0, {"host-1": 200}, {}, {}, {}), "the front door does not answer"),
        (LeftAs(200, {"host-1": 500}, {}, {}, {}), "of the hosts host-1 answers 500"),
        (LeftAs(200, {}, {"details": 404}, {}, {}), "of the reads details answers 404"),
    ],
)
def test_a_service_that_is_sick_in_the_end_fails_a_drill_that_saw_it_restored(
    left: LeftAs, named: str
) -> None:
    judged = judge(Book(drill(Event(T + 29.5, left))))
    (cause,) = [one for one in judged.causes if one.where == "Service"]
    assert cause.verdict is Verdict.FAILED
    assert named in cause.what
    assert judged.impact
    assert judged.impact.restored is False


def test_a_fault_that_is_still_there_after_it_was_healed_fails_the_drill() -> None:
    seen = HealAttested("leak", False, "GET / answers: host-1 500")
    (cause,) = [
        one for one in judge(Book(drill(Event(T + 29, seen)))).causes if "leak" in one.where
    ]
    assert (cause.verdict, cause.evidence) == (Verdict.FAILED, seen.evidence)
    gone = HealAttested("leak", True, "GET / answers: host-1 200")
    assert not [
        one for one in judge(Book(drill(Event(T + 29, gone)))).causes if "leak" in one.where
    ]


def test_a_stage_that_stays_is_told_as_it_was_left(tmp_path: Path) -> None:
    stays = dataclasses.replace(SHUT, stays=True, maintenance={})
    judged = judge(Book(drill(Event(T + 29.5, stays))))
    printed = io.StringIO()
    print_summary(judged, tmp_path, Console(file=printed, width=10_000))
    *_, last, _ = printed.getvalue().splitlines()
    assert last == (
        "The environment was left so: the front door answers 503; list answers 503; host-1 answers "
        "200 (checked out: v2, maintenance unknown)."
    )
    assert judged.to_json()["left"] == last
    assert judge(Book(drill(Event(T + 29.5, SHUT)))).to_json()["left"] is None


@pytest.mark.parametrize("left", [WELL, SHUT])
def test_every_output_says_the_same(left: LeftAs, tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    for event in drill(Event(T + 29.5, left)):
        timeline.record(event.what, event.at)
    timeline.close()
    report = tmp_path / "report"
    judgement = write_reports(timeline.path, report).ask(judge)
    said = headlines(judgement.impact)
    assert len(said) == 2
    printed = io.StringIO()
    print_summary(judgement, report, Console(file=printed, width=10_000))
    outputs = {
        "terminal": printed.getvalue(),
        "page": (report / "index.html").read_text(encoding="utf-8"),
        "post-mortem": (report / "postmortem.md").read_text(encoding="utf-8"),
        "JUnit": ET.parse(report / "junit.xml").findtext("testsuite/system-out") or "",
        "Allure": "\n".join(
            json.loads(path.read_text(encoding="utf-8")).get("description") or ""
            for path in (report / "allure-results").glob("*-result.json")
        ),
        "verdict.json": "\n".join(
            json.loads((report / "verdict.json").read_text(encoding="utf-8"))["headlines"]
        ),
    }
    for name, text in outputs.items():
        for line in said:
            assert line in text, name


def test_messages_say_what_the_report_says() -> None:
    record = drill(Event(T + 29.5, WELL))
    facts = facts_after(Book(record))
    assert facts["IMPACT"] in told(record)[0]
    assert "IMPACT" not in facts_after(Book(drill(Event(T + 29.5, SHUT))))
