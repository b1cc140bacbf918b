"""What a drill is said to be that held a service against its document, and what its page shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollback_drill.contract.judges import of_contract
from rollback_drill.contract.sections import as_documented
from rollback_drill.contract.told import ContractAsked, ContractBroken
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import Told
from tests.report.page_support import text_of

ASKED = ContractAsked(
    why="",
    owed=True,
    recorded=True,
    cases=10,
    before=("GET /notes: Undocumented status code (404)",),
    untyped=("GET /notes",),
    unasked=("well-formed writes",),
    places={"host-1": 10, "front door": 2},
    operations={"GET /notes": 12},
)
BROKEN = ContractBroken(
    operation="POST /notes",
    check="Wrong input is accepted",
    asked="POST /notes (no date)",
    expected="to be refused, as before",
    seen="201",
    times=2,
    hosts=("host-1", "host-2"),
    compared=True,
)


def book(*told: Told) -> Book:
    return Book(Event(float(at), one) for at, one in enumerate(told))


def test_nothing_new_is_no_cause() -> None:
    assert of_contract(book(ASKED)) == []
    assert of_contract(book()) == []  # an older record: it promised none


def test_what_is_new_fails_and_names_what_was_asked_expected_and_seen() -> None:
    (cause,) = of_contract(book(BROKEN, ASKED))
    assert cause.verdict is Verdict.FAILED
    assert cause.where == "As documented, POST /notes"
    assert cause.what == (
        "Wrong input is accepted: POST /notes (no date) on host-1, host-2: 201, expected to be"
        " refused, as before, and 1 more like it"
    )


def test_what_was_compared_with_nothing_is_shown_and_no_cause() -> None:
    told = book(replace(BROKEN, compared=False), replace(ASKED, recorded=False, owed=False))
    assert of_contract(told) == []
    page = as_documented.markup(told)
    assert "no verdict" in page
    assert "POST /notes (no date)" in page


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (ContractAsked("the stable release did not start", owed=True), "did not start"),
        (replace(ASKED, recorded=False), "not on record"),
        (replace(ASKED, operations={}), "nothing was asked"),
        (replace(ASKED, unheard=("POST /notes",)), "no time for POST /notes"),
    ],
)
def test_what_was_owed_and_not_compared_is_unknown(told: ContractAsked, words: str) -> None:
    (cause,) = of_contract(book(told))
    assert cause.verdict is Verdict.UNKNOWN
    assert words in cause.what


def test_where_nothing_was_owed_it_is_only_said() -> None:
    told = ContractAsked("the stage's file names no document of the API", owed=False)
    assert of_contract(book(told)) == []
    assert "names no document" in as_documented.markup(book(told))
    assert "Unknown" in as_documented.markup(book(told))


def test_the_page_shows_what_is_new_what_was_so_before_and_what_nobody_asked() -> None:
    page = as_documented.markup(book(BROKEN, ASKED))
    for word in (
        "host-1 (10)",
        "in 1 ways",
        "1 way in which it was not exact before either: allowed",
        "the document says nothing of what good answers hold",
        "Not asked: well-formed writes",
    ):
        assert word in page
    row = text_of(page[page.index('<th scope="row">GET /notes</th>') :].partition("</tr>")[0])
    assert row.startswith("GET /notes 12 "), row
    assert "Undocumented status code (404) the document says nothing" in row
    assert "in no way in which it did not before" in as_documented.markup(book(ASKED))
    assert as_documented.markup(book()) == ""
