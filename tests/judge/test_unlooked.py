"""A rollback that passed says what nobody looked at, and how it can be looked at next time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollback_drill.contract.told import ContractAsked
from rollback_drill.data.told import RowsSeen
from rollback_drill.golden.told import GoldenAsked
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.judge.unlooked import unlooked
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import Told
from rollback_drill.report.next_steps import next_steps
from tests.judge.record_support import also, good, without

CHOSEN = ProcedureChosen(1, "", 0, 0, "operator")
NO_SET = GoldenAsked("", "no golden set was recorded here", owed=False)
NO_DOCUMENT = ContractAsked("the file names no document", owed=False)
ROWS = RowsSeen("at the start", {"people": {"rows": "1"}})
AS_BEFORE, DOCUMENT, OTHERS = (
    "whether it answers as it did before",
    "whether it keeps to its document",
    "whether other rows than those of clients are as they were",
)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ((NO_SET, NO_DOCUMENT), [AS_BEFORE, DOCUMENT, OTHERS]),
        ((NO_SET, NO_DOCUMENT, ROWS), [AS_BEFORE, DOCUMENT]),
        ((NO_DOCUMENT,), [DOCUMENT]),  # an older record, which tells of no rows
        ((replace(NO_SET, compared=9), ROWS), []),
        ((replace(NO_SET, by_rows=9), ROWS), []),
        ((replace(NO_SET, owed=True), ROWS), []),  # which is a finding of its own
        ((replace(NO_DOCUMENT, why=""), ROWS), []),
        ((replace(NO_DOCUMENT, owed=True), ROWS), []),
    ],
)
def test_what_was_not_looked_at_is_named(told: tuple[Told, ...], wanted: list[str]) -> None:
    events = [Event(float(at), one) for at, one in enumerate((CHOSEN, *told))]
    assert [one.what for one in unlooked(Book(events))] == wanted
    assert unlooked(Book(events[1:])) == ()  # nothing was rolled back


def test_the_verdict_and_the_next_steps_of_a_passed_drill_say_it() -> None:
    record = also(NO_SET)(without(GoldenAsked)(good()))
    book = Book(record)
    found = book.ask(judge)
    assert found.verdict is Verdict.PASSED
    assert f"nobody looked {AS_BEFORE}" in found.reason
    assert any("make golden" in one.text for one in book.ask(next_steps))
