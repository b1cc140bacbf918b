"""junit.xml says what was expected and found, what was measured, and of which drill it is."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.figures import figures
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.report.junit import suites
from tests.judge.record_support import changed, good


def root(book: Book) -> ET.Element:
    return ET.fromstring(suites(book))


def test_it_says_of_which_drill_it_is_in_the_words_of_the_page() -> None:
    book = Book(good())
    found = {str(one.get("name")): one.get("value") for one in root(book).iter("property")}
    assert found["verdict"] == "passed"
    assert {"stage", "fault", "runbook.sha256", "seed", "procedure"} <= found.keys()
    for one in book.ask(figures):
        assert found[one.name] == f"{one.text} ({one.goal})"
    assert "seen red for a planted defect" in str(found["Proof of the checks"])


def test_a_box_says_what_was_expected_and_found_and_how_long_it_took() -> None:
    record = changed(Checked, verdict=Verdict.FAILED, evidence="it answers 500", took_s=1.25)(
        good()
    )
    failures = [
        one for one in root(Book(record)).iter("testcase") if one.find("failure") is not None
    ]
    told = {str(one.find("failure").get("message")): one.get("time") for one in failures}  # type: ignore[union-attr]
    assert told["expected: The team knows; found: it answers 500"] == "1.250"


def test_a_step_that_took_too_long_says_what_it_may_take() -> None:
    late = {"took_s": 31.0, "verdict": Verdict.FAILED, "reason": "took 31.0 s"}
    record = changed(StepEnded, **late)(good())
    told = [str(one.get("message")) for one in root(Book(record)).iter("failure")]
    assert any(one.startswith("expected: at most 30 s; found: took 31.0 s") for one in told), told


def test_the_whole_drill_takes_its_time() -> None:
    book = Book(good())
    (whole,) = (one for one in root(book).iter("testcase") if one.get("name") == "verdict")
    assert float(str(whole.get("time"))) == round(book.events[-1].at - book.events[0].at, 3)
