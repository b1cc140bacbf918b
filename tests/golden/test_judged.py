"""What a drill is said to be that asked again, and what its page shows."""

from __future__ import annotations

import pytest

from rollback_drill.golden.judges import of_golden_set
from rollback_drill.golden.sections import as_it_was
from rollback_drill.golden.told import GoldenAsked, GoldenUnlike
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import Told

ASKED = GoldenAsked(
    source="what v1 answered before the upgrade",
    why="",
    owed=True,
    release="v1",
    digest="abc",
    questions=10,
    compared=12,
    by_rows=3,
    places={"host-1": 10, "front door": 2},
    operations={"GET /notes": 12},
)
UNLIKE = GoldenUnlike(
    operation="GET /notes",
    question="GET /notes?limit=3",
    host="host-1",
    against="the golden set",
    place="count",
    expected="3",
    seen="4",
    times=2,
    hosts=("host-1", "host-2"),
)


def book(*told: Told) -> Book:
    return Book(Event(float(at), one) for at, one in enumerate(told))


def test_nothing_that_differs_is_no_cause() -> None:
    assert of_golden_set(book(ASKED)) == []
    assert of_golden_set(book()) == []  # an older record: it promised none


def test_a_difference_fails_and_names_what_was_asked_expected_and_seen() -> None:
    (cause,) = of_golden_set(book(UNLIKE, ASKED))
    assert cause.verdict is Verdict.FAILED
    assert cause.where == "As before, GET /notes"
    assert cause.what == (
        "GET /notes?limit=3 on host-1, host-2: count is 4, expected 3 by the golden set,"
        " and 1 more like it"
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (GoldenAsked("", "the stable release did not start", owed=True), "did not start"),
        (GoldenAsked("a set", "", owed=True, questions=5, edges=2, compared=3), "2 of 5"),
        (GoldenAsked("a set", "", owed=True, questions=5), "no answer was compared"),
    ],
)
def test_what_was_owed_and_not_compared_is_unknown(told: GoldenAsked, words: str) -> None:
    (cause,) = of_golden_set(book(told))
    assert cause.verdict is Verdict.UNKNOWN
    assert words in cause.what


def test_where_nothing_was_owed_it_is_only_said() -> None:
    told = GoldenAsked("", "no golden set was recorded here", owed=False)
    assert of_golden_set(book(told)) == []
    assert "no golden set was recorded here" in as_it_was.markup(book(told))
    assert "Unknown" in as_it_was.markup(book(told))


def test_the_page_shows_what_was_asked_and_each_difference() -> None:
    page = as_it_was.markup(book(UNLIKE, ASKED))
    for word in ("host-1 (10)", "abc", "GET /notes?limit=3", "expected", "1 ways"):
        assert word.lower() in page.lower()
    assert "None differs" in as_it_was.markup(book(ASKED))
    assert as_it_was.markup(book()) == ""
