"""Each sabotage of the suite's own record is found by the judge that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollback_drill.breaks.misrecording import misrecorded, misrecords
from rollback_drill.breaks.sabotage import Invent, Misrecord, PlantedIn, Sabotage, all_sabotages
from rollback_drill.campaigns.simulation import simulate
from rollback_drill.conduct.worlds import Draw
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.judge.red import red
from rollback_drill.perform.told import Checked
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, read
from rollback_drill.record.told import DrillEnded, Noted

RUNBOOK = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"
SABOTAGES = {one.name: one for one in all_sabotages().values() if misrecords(one)}
# A simulated drill has no customers of these kinds.
ELSEWHERE = {"record-cursor-elsewhere", "record-walk-repeats", "record-sent-twice"}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[Event, ...]:
    """The record of a drill that passed."""
    draw = Draw(1, "error-rate-critical", procedure="1")
    held, path = simulate(draw, RUNBOOK, tmp_path_factory.mktemp("record"))
    assert held.verdict is Verdict.PASSED
    return tuple(read(path))


def test_each_is_planted_in_the_suite() -> None:
    assert len(SABOTAGES) > 30
    assert {one.where for one in SABOTAGES.values()} == {PlantedIn.SUITE}


@pytest.mark.parametrize("name", sorted(SABOTAGES.keys() - ELSEWHERE))
def test_the_judge_that_it_names_turns_red(name: str, record: tuple[Event, ...]) -> None:
    events, planted = misrecorded(record, [SABOTAGES[name]])
    assert planted == {name: len(SABOTAGES[name].plants)}
    book = Book(events)
    assert SABOTAGES[name].caught_by in book.ask(red)
    assert book.ask(judge).verdict is not Verdict.PASSED


def test_what_finds_nothing_to_change_is_not_planted(record: tuple[Event, ...]) -> None:
    lost = Misrecord(Checked, {"item": "nobody asks this"})
    made_up = Invent(Noted("made up"), Checked, {"item": "nobody asks this"})
    one = Sabotage("nothing", "nothing", PlantedIn.SUITE, "of_end", (lost, made_up))
    assert misrecorded(record, [one]) == (record, {"nothing": 0})


def test_what_is_made_up_stands_where_it_should(record: tuple[Event, ...]) -> None:
    last = Misrecord(DrillEnded, says={"left_behind": ("a process",)})
    one = Sabotage("two", "both", PlantedIn.SUITE, "of_end", (Invent(Noted("made up")), last))
    (*_, made_up, end), planted = misrecorded(record, [one])
    assert planted == {"two": 2}
    assert (made_up.what, made_up.at) == (Noted("made up"), end.at)
    assert end.what == DrillEnded(("a process",), record[-1].what.recorded)  # type: ignore[attr-defined]
