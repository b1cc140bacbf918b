import dataclasses
import html
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rollback_drill.breaks.told import FaultAttested, HazardArmed, HazardOver, WritesUnderFire
from rollback_drill.conduct.told import DrillStarted, Restored, Resumed
from rollback_drill.data.told import LedgerRead, PathRead
from rollback_drill.decide.told import Decided, TriggersRead
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import (
    AlternativeTaken,
    Checked,
    CommandOutput,
    ProcedureChosen,
    StepEnded,
)
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline
from rollback_drill.record.told import DrillBroke, DrillEnded, Interrupted, Told
from rollback_drill.report.summary import key_numbers
from rollback_drill.report.write import write_reports
from rollback_drill.subject.hostaway.told import CursorAnswer, CursorShown
from rollback_drill.traffic.told import GeneratorSample, TrafficSecond
from tests.judge.record_support import Record, T, also, changed, good, without


def cursor(answer: str, status: int) -> CursorShown:
    return CursorShown("after Procedure 1", 2, 9.0, status, "", CursorAnswer(answer))


@pytest.mark.parametrize("answer", ["went on", "began anew", "refused"])
def test_a_customer_who_has_to_begin_anew_is_reported_and_fails_nothing(answer: str) -> None:
    assert judge(Book(also(cursor(answer, 200))(good()))).verdict is Verdict.PASSED


def test_a_good_drill_passes() -> None:
    judgement = judge(Book(good()))
    assert (judgement.verdict, judgement.exit) == (Verdict.PASSED, 0), judgement.reason


@pytest.mark.parametrize(
    ("plant", "verdict", "named"),
    [
        (without(DrillEnded), "unknown", "breaks off"),
        (without(TriggersRead), "unknown", "nobody wrote down"),
        (
            changed(TriggersRead, uncovered={"Trigger “p99”, line 7": "nothing holds “p99”"}),
            "failed",
            "Trigger “p99”, line 7: nothing holds “p99”",
        ),
        (
            changed(TriggersRead, unseen={"Trigger “Open”, line 8": "no clients"}),
            "unknown",
            "nobody can look for it here: no clients",
        ),
        (also(Interrupted("the operator")), "unknown", "interrupted"),
        (also(DrillBroke("a", "b", "c")), "unknown", "could not go on"),
        (changed(DrillEnded, left_behind=("process 7",)), "failed", "left behind"),
        (changed(FaultAttested, seen=False), "unknown", "did not bite"),
        (without(FaultAttested), "unknown", "did not bite"),
        (changed(Decided, rollback=False), "failed", "no rollback was called for"),
        (without(Decided), "unknown", "Decision"),
        (changed(StepEnded, verdict=Verdict.FAILED, reason="exit 1"), "failed", "exit 1"),
        (changed(StepEnded, took_s=31.0), "failed", "took 31.0 s of 30 s"),
        (changed(Checked, verdict=Verdict.FAILED), "failed", "The team knows"),
        (changed(Checked, verdict=Verdict.UNCOVERED), "failed", "The team knows"),
        (changed(Checked, verdict=Verdict.UNKNOWN), "unknown", "The team knows"),
        (changed(ProcedureChosen, estimate_high_s=1.0), "failed", "estimate"),
        (changed(LedgerRead, lost=1, preserved=9), "failed", "1 of 10"),
        (changed(LedgerRead, acknowledged=0, preserved=0), "unknown", "no write"),
        (changed(LedgerRead, lost=1, why={"x was dropped": 1}), "failed", "x was dropped"),
        (
            also(WritesUnderFire(9, 1, 0, 0.5, ("fire-7",))),
            "failed",
            "1 of 9 writes under fire",
        ),
        (
            also(WritesUnderFire(9, None, 0, 0.5)),
            "unknown",
            "nobody could read the 9 writes",
        ),
        (also(cursor("another page", 200)), "failed", "rows are skipped"),
        (also(cursor("no page", 500)), "failed", "page 2 was answered 500"),
        (also(cursor("no page", 0)), "unknown", "not at all"),
        (also(PathRead(9, 8, 1, 0, procedure=1)), "failed", "Data, Procedure 1"),
        (without(LedgerRead), "unknown", "read the writes back"),
        (changed(GeneratorSample, lag_s=3.0), "unknown", "bottleneck"),
        (changed(GeneratorSample, cpu=0.99), "unknown", "bottleneck"),
        (changed(TrafficSecond, late=2), "unknown", "requests were sent late"),
        (without(GeneratorSample), "unknown", "not watched"),
        (without(Restored), "failed", "served well again"),
        (without(DrillStarted), "unknown", "start"),
    ],
)
def test_each_planted_defect_changes_the_verdict(
    plant: Callable[[Record], Record], verdict: str, named: str
) -> None:
    judgement = judge(Book(plant(good())))
    assert judgement.verdict == verdict, judgement.reason
    assert named in judgement.reason
    assert judgement.to_json()["findings"]


def test_a_short_drill_is_not_spoiled_by_a_request_that_was_late() -> None:
    """What counts is the share of requests: a pause that delays a few is none of seconds."""
    late = changed(GeneratorSample, lag_s=0.2)(changed(TrafficSecond, late=1)(good()))
    judgement = judge(Book(late))
    assert judgement.verdict is Verdict.PASSED, judgement.reason


def test_a_drill_interrupted_before_anybody_looked_for_recovery_is_unknown() -> None:
    record = [
        event
        for event in without(Restored)(good())
        if getattr(event.what, "section", "") != "Final verification"
    ]
    judgement = judge(Book(also(Interrupted("the operator"))(record)))
    assert (judgement.verdict, judgement.exit) == (Verdict.UNKNOWN, 3), judgement.reason
    assert "interrupted" in judgement.reason


def test_a_failure_is_named_before_what_is_unknown() -> None:
    record = changed(Checked, verdict=Verdict.FAILED)(without(LedgerRead)(good()))
    assert "The team knows" in judge(Book(record)).reason


def refused(*seconds: int) -> Callable[[Record], Record]:
    """Have all requests of some seconds of the drill be turned away."""

    def change(record: Record) -> Record:
        return [
            Event(e.at, dataclasses.replace(e.what, outcomes={"unavailable": 100}, formats={}))
            if isinstance(e.what, TrafficSecond) and e.what.second - int(T) in seconds
            else e
            for e in record
        ]

    return change


def test_seconds_without_a_good_answer_are_outage() -> None:
    record = refused(4, 9)(good())
    assert (judge(Book(good())).outage_s, judge(Book(record)).outage_s) == (0, 2)


@pytest.mark.parametrize(
    ("rollback", "said"),
    [
        (True, "the diagnosis said: Procedure 1, leak"),
        (False, "the diagnosis said: no rollback by any procedure (monitor), leak"),
    ],
)
def test_reports_show_the_diagnosis_beside_what_the_operator_chose(
    tmp_path: Path, rollback: bool, said: str
) -> None:
    record = changed(ProcedureChosen, chosen_by="operator", procedure=2)(good())
    if not rollback:
        record = changed(Decided, rollback=False, action="monitor")(record)
    sentence = f"he operator chose Procedure 2; {said}"
    assert all(sentence in text for text in reports(record, tmp_path / "a"))
    verdict = json.loads((tmp_path / "a" / "report" / "verdict.json").read_text(encoding="utf-8"))
    assert (verdict["procedure"], verdict["decision"]["procedure"]) == (2, 1)
    assert verdict["chosen_by"] == "operator"
    followed = reports(good(), tmp_path / "b")
    assert not any("operator chose" in text for text in followed)


def test_the_report_says_how_matrix_and_trigger_led_to_the_decision(tmp_path: Path) -> None:
    why = "the matrix says Critical by error rate and Normal by p95, and the worse one wins"
    attribution = (
        "a rollback will not help: the way to the hosts is the cause",
        "/health took 612 ms",
    )
    record = changed(Decided, explanation=why, attribution=attribution)(good())
    page = reports(record, tmp_path / "a")[0]
    assert why in page
    assert all(sentence in page for sentence in attribution)


def test_answers_refused_in_maintenance_are_outage_and_no_failure_of_the_drill() -> None:
    judgement = judge(Book(refused(12)(good())))
    assert (judgement.verdict, judgement.outage_s) == (Verdict.PASSED, 1), judgement.reason


def test_a_round_trip_does_not_hide_who_chose_the_procedure() -> None:
    record = changed(ProcedureChosen, chosen_by="operator")(good())
    again = ProcedureChosen(4, "Deploy again", 300, 600, "round trip")
    assert judge(Book(also(again)(record))).chosen_by == "operator"


def reports(record: Record, folder: Path) -> list[str]:
    """Return the page, the post-mortem and what is printed of a drill."""
    folder.mkdir()
    timeline = Timeline(folder / "timeline.jsonl")
    for event in record:
        timeline.record(event.what, event.at)
    timeline.close()
    judgement = write_reports(timeline.path, folder / "report").ask(judge)
    page = html.unescape((folder / "report" / "index.html").read_text(encoding="utf-8"))
    after = (folder / "report" / "postmortem.md").read_text(encoding="utf-8")
    return [page, after, "\n".join(key_numbers(judgement))]


def of_ways(*record: Told) -> list[str]:
    causes = judge(Book([Event(T + at, what) for at, what in enumerate(record)])).causes
    return [one.what for one in causes if "stood in" in one.what]


def test_an_alternative_that_saved_the_day_is_a_finding_unless_the_mishap_was_planted() -> None:
    taken = AlternativeTaken("Procedure 2", 4, "Revert", "Alternative: restore", "no lock")
    armed, over = HazardArmed("locked", "a lock", mastered=True), HazardOver("locked", "seen")
    assert len(of_ways(taken)) == 1
    assert of_ways(armed, taken, over) == []
    assert len(of_ways(armed, over, taken)) == 1  # that one had no mishap of its own
    assert of_ways(Resumed("there", T), taken) == []  # it was killed halfway


def test_the_paths_are_told_with_the_alternative_that_was_taken(tmp_path: Path) -> None:
    heading = "Alternative: restore from the backup (if the downgrade fails)"
    first = ProcedureChosen(2, "", 0, 0, "", alternatives={"Revert": heading})
    record = [
        *good()[:-1],
        Event(T + 40, first),
        Event(T + 41, PathRead(9, 7, 0, 0, dropped=2, survivor_age_s=4.0, procedure=2)),
        Event(T + 42, first),
        Event(T + 43, AlternativeTaken("Procedure 2", 4, "Revert", heading, "no lock")),
        Event(T + 44, PathRead(12, 9, 3, 0, procedure=2, recovery_point_s=7.25)),
        good()[-1],
    ]
    timeline = Timeline(tmp_path / "timeline.jsonl")
    for event in record:
        timeline.record(event.what, event.at)
    timeline.close()
    judgement = write_reports(timeline.path, tmp_path / "report").ask(judge)
    assert [path.name for path in judgement.paths] == [
        "Procedure 1",
        "Procedure 2, by “Revert”",
        "Procedure 2, by “restore from the backup”",
    ]
    stored = json.loads((tmp_path / "report" / "verdict.json").read_text(encoding="utf-8"))["data"]
    assert [path.get("dropped") for path in stored["paths"]] == [0, 2, 0]
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert (
        "no write lost: recovery point 0 s; the newest that survived was acknowledged 4.0 s" in page
    )
    assert "3 of the writes acknowledged in the last 7.2 s before its end are lost" in page
    assert "Procedure 2, by “restore from the backup”" in page


def test_the_report_names_who_held_a_lock_and_how_long_writers_waited(tmp_path: Path) -> None:
    line = "locked by pid 7, neighbour, nightly-report, AccessExclusiveLock on cursor_audit"
    record = also(CommandOutput(1, "stderr", line))(good())
    record = also(WritesUnderFire(90, 0, 2, 0.61))(record)
    timeline = Timeline(tmp_path / "timeline.jsonl")
    for event in record:
        timeline.record(event.what, event.at)
    timeline.close()
    assert write_reports(timeline.path, tmp_path / "report").ask(judge).verdict is Verdict.PASSED
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert f"<li>{line}</li>" in page
    assert "0.61 s, from when a write was due" in page
    stored = json.loads((tmp_path / "report" / "verdict.json").read_text(encoding="utf-8"))["data"]
    assert stored["worst_stall_s"] == 0.61


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)


def test_reports_are_written_from_the_file_and_escape_what_programs_said(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    for event in good():
        timeline.record(event.what, event.at)
    timeline.close()
    judgement = write_reports(timeline.path, tmp_path / "report").ask(judge)
    assert judgement.verdict is Verdict.PASSED, judgement.reason
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    tags = _Tags()
    tags.feed(page)
    assert "script" not in tags.seen
    assert page.count('class="lane"') == 4  # requests, latencies, steps, connections
    assert "http://" not in page
    assert "https://" not in page
    ET.parse(tmp_path / "report" / "junit.xml")
    stored = json.loads((tmp_path / "report" / "verdict.json").read_text(encoding="utf-8"))
    assert stored["verdict"] == "passed"
    assert stored["decision"]["requests_to_detect"] == 150
    again = tmp_path / "again"
    write_reports(tmp_path / "report" / "timeline.jsonl", again)
    assert (again / "index.html").read_text(encoding="utf-8") == page


def test_a_torn_timeline_is_unknown_and_still_reported(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    timeline.record(good()[0].what)
    timeline.close()
    with timeline.path.open("a") as file:
        file.write('{"at": 12, "kind": "Pha')
    assert write_reports(timeline.path, tmp_path / "out").ask(judge).verdict is Verdict.UNKNOWN
