"""What a drill is said to be whose clients were answered what cannot be true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import ProcedureChosen, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded, Told
from rollback_drill.subject.hostaway.judges import of_repeats, of_walks
from rollback_drill.subject.hostaway.told import SentAgain, Walked
from rollback_drill.watch.answers.judges import of_answers
from rollback_drill.watch.answers.sections import answers_held
from rollback_drill.watch.answers.told import AnswersCompared, AnswersContradict
from tests.report.page_support import text_of

CHOSEN, EFFECT, SETTLED, SINCE = 10.0, 15.0, 17.0, 20.0
COMPARED = AnswersCompared(SINCE, {"pages meet each row once, in order": 7}, owed=True)
BROKEN = AnswersContradict(
    rule="pages meet each row once, in order",
    operation="list_page",
    asked="GET /api/listings?limit=20",
    expected="row 2 after row 1",
    seen="row 3",
    times=2,
    since=SINCE,
    first_at=21.0,
    last_at=22.0,
    shared=True,
)
SECTION = "Procedure 1"


def book(*told: Told) -> Book:
    return after({1: EFFECT, 2: SETTLED, 3: 40.0}, *told)


def after(ends: Mapping[int, float], *told: Told) -> Book:
    """Return the record of a procedure whose steps ended at these times."""
    course = [
        Event(CHOSEN, ProcedureChosen(1, "Application rollback", 300.0, 600.0, "operator", ())),
        *(
            Event(at, StepEnded(SECTION, number, "A step", 30.0, 4.0, Verdict.PASSED, "", ""))
            for number, at in ends.items()
        ),
    ]
    return Book([*course, *(Event(50.0, one) for one in told), Event(60.0, DrillEnded())])


def test_answers_that_contradict_nothing_are_no_cause() -> None:
    assert of_answers(book(COMPARED)) == []
    assert of_answers(book()) == []  # an older record: it promised none
    told = text_of(str(answers_held.markup(book(COMPARED))))
    assert "no answer contradicts it" in told
    assert "pages meet each row once, in order 7" in told


def test_a_contradiction_fails_and_names_what_was_asked_expected_and_seen() -> None:
    (cause,) = of_answers(book(BROKEN, COMPARED))
    assert cause.verdict is Verdict.FAILED
    assert str(cause) == (
        "Answers, list_page: GET /api/listings?limit=20: row 3, expected row 2 after row 1,"
        " and 1 more like it (pages meet each row once, in order)"
    )
    assert "row 2 after row 1" in str(answers_held.markup(book(BROKEN, COMPARED)))


def test_what_the_failing_release_answers_or_taught_is_no_cause() -> None:
    before = replace(BROKEN, since=SETTLED - 0.1)
    assert of_answers(book(before, COMPARED)) == []
    assert "row 2 after row 1" not in str(answers_held.markup(book(before, COMPARED)))


def test_of_one_step_counts_what_is_known_since_it_ended() -> None:
    ends = {0: 12.0, 1: EFFECT}  # the prerequisites are no step
    assert of_answers(after(ends, replace(BROKEN, since=EFFECT - 0.1), COMPARED)) == []
    assert len(of_answers(after(ends, replace(BROKEN, since=EFFECT), COMPARED))) == 1


def test_where_others_write_only_what_is_ours_counts() -> None:
    among_others = replace(COMPARED, alone=False)
    assert of_answers(book(BROKEN, among_others)) == []
    assert "row 2 after row 1" not in str(answers_held.markup(book(BROKEN, among_others)))
    (cause,) = of_answers(book(replace(BROKEN, shared=False), among_others))
    assert cause.verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (replace(COMPARED, since=SETTLED - 0.1), "no answer after the rollback could be compared"),
        (replace(COMPARED, counts={}), "no answer after the rollback could be compared"),
        (replace(COMPARED, why="a torn file"), "nobody knows what clients found: a torn file"),
    ],
)
def test_what_was_not_compared_is_unknown(told: AnswersCompared, words: str) -> None:
    (cause,) = of_answers(book(told))
    assert (cause.verdict, cause.what) == (Verdict.UNKNOWN, words)
    if not told.why:
        assert of_answers(book(replace(told, owed=False))) == []


WALK = Walked(
    walker="walker-1",
    formats=("old",),
    rows=5_000,
    repeated=0,
    skipped=0,
    refused=0,
    unanswered=0,
    ended=True,
    began_at=SETTLED,
)


@pytest.mark.parametrize(
    ("walk", "causes"),
    [
        (WALK, 0),
        (replace(WALK, repeated=1), 1),
        (replace(WALK, skipped=1), 1),
        (replace(WALK, repeated=1, began_at=SETTLED - 0.1), 0),  # in the middle of the rollback
        (replace(WALK, skipped=1, began_at=0.0), 0),  # an older record
    ],
)
def test_a_walk_after_the_rollback_meets_each_row_once(walk: Walked, causes: int) -> None:
    assert [one.verdict for one in of_walks(book(walk, COMPARED))] == [Verdict.FAILED] * causes
    assert of_walks(book(walk, replace(COMPARED, alone=False))) == []


@pytest.mark.parametrize(
    ("sent", "verdicts"),
    [
        (SentAgain("d1-1", 409, 0), []),
        (SentAgain("d1-1", 201, 1), [Verdict.FAILED]),
        (SentAgain("d1-1", 200, 0), [Verdict.FAILED]),
        (SentAgain("d1-1", 409, 1), [Verdict.FAILED]),
        (SentAgain("d1-1", 0, 0), [Verdict.UNKNOWN]),
    ],
)
def test_the_same_reservation_sent_twice_is_one(sent: SentAgain, verdicts: list[Verdict]) -> None:
    assert [one.verdict for one in of_repeats(book(sent))] == verdicts
