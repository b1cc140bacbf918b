"""What is a difference between two answers, and what was declared to be none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollback_drill.golden.comparison import (
    NOTHING_DECLARED,
    MayDiffer,
    Unlike,
    unlike_golden,
    unlike_rows,
)
from rollback_drill.subject.questions import GoldenAnswer, GoldenQuestion

LIST = GoldenQuestion("GET /notes", "/notes?limit=3")
WRITTEN = GoldenQuestion("GET /notes", "/notes?limit=3", written=True)
DRILL = MayDiffer(ours=lambda row: "drill-" in str(row), written=4)
ROWS: list[dict[str, Any]] = [
    {"id": 1, "text": "one", "price": 10},
    {"id": 2, "text": "two", "price": 20},
    {"id": 3, "text": "three", "price": 30},
]


def answer(body: object, status: int = 200, **more: str) -> GoldenAnswer:
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    told = {"content-type": "application/json"} | headers
    text = body if isinstance(body, str) else json.dumps(body)
    return GoldenAnswer(status, told, text, 0.001)


def page(*rows: dict[str, Any], **more: object) -> dict[str, object]:
    return {"notes": list(rows), "count": len(rows), **more}


def mine(number: int) -> dict[str, Any]:
    return {"id": number, "text": f"drill-{number}", "price": 1}


@pytest.mark.parametrize(
    ("seen", "place"),
    [
        (page(), "notes"),
        (page(*ROWS[:2]), "notes"),
        (page(*ROWS, ROWS[2]), "notes"),
        (page(*ROWS[::-1]), "notes"),
        (page(ROWS[0], ROWS[1], ROWS[1]), "notes[2].id"),
        (page(*ROWS, count=4), "count"),
        (page(ROWS[0] | {"price": 10.0}, *ROWS[1:]), "notes[0].price"),
        (page(ROWS[0] | {"price": "10"}, *ROWS[1:]), "notes[0].price"),
        (page(ROWS[0] | {"price": True}, *ROWS[1:]), "notes[0].price"),
        (page(*ROWS[:2], {"id": 3, "text": "three"}), "notes[2].price"),
        (page(*ROWS[:2], ROWS[2] | {"new": None}), "notes[2].new"),
        (page(*ROWS, more=1), "more"),
        ({"notes": ROWS}, "count"),
        ([], "body"),
        ("<html>", "body"),
    ],
)
def test_every_difference_is_one(seen: object, place: str) -> None:
    found = unlike_golden(LIST, answer(page(*ROWS)), answer(seen), NOTHING_DECLARED)
    assert found is not None
    assert found.place == place
    assert unlike_rows((200, page(*ROWS)), answer(seen)) is not None


def test_the_same_is_the_same_in_whichever_order_its_fields_come() -> None:
    other = {"count": 3, "notes": [dict(reversed(row.items())) for row in ROWS]}
    assert unlike_golden(LIST, answer(page(*ROWS)), answer(other), NOTHING_DECLARED) is None
    assert unlike_rows((200, page(*ROWS)), answer(other)) is None


@pytest.mark.parametrize(("blanks", "place"), [(700, ""), (2_000, "body")])
def test_a_body_that_is_filled_up_is_another(blanks: int, place: str) -> None:
    text = json.dumps(page(*ROWS))
    found = unlike_golden(LIST, answer(text), answer(text + " " * blanks), NOTHING_DECLARED)
    assert (found.place if found else "") == place


def test_more_rows_of_ones_own_fill_nothing_up() -> None:
    seen = page(*ROWS, *map(mine, range(4, 80)), count=3)
    found = unlike_golden(WRITTEN, answer(page(*ROWS)), answer(seen), DRILL)
    assert found is None or found.place != "body"


@pytest.mark.parametrize("status", [201, 404, 500])
def test_a_status_is_compared(status: int) -> None:
    found = unlike_golden(LIST, answer(page()), answer(page(), status), NOTHING_DECLARED)
    assert found == Unlike("status", "200", f"{status}, {json.dumps(page())}")
    assert unlike_rows((200, ...), answer(page(), status)) is not None


def test_what_is_no_json_is_compared_as_text() -> None:
    assert unlike_golden(LIST, answer("a"), answer("b"), NOTHING_DECLARED) == Unlike(
        "body", "a", "b"
    )


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ({"content_type": "text/html"}, "header content-type"),
        ({"cache_control": "no-store"}, "header cache-control"),
    ],
)
def test_headers_are_compared(headers: dict[str, str], place: str) -> None:
    usual, other = answer(page()), answer(page(), 200, **headers)
    for one, two in ((usual, other), (other, usual)):
        found = unlike_golden(LIST, one, two, NOTHING_DECLARED)
        assert found is not None
        assert found.place == place


def test_a_front_door_may_add_a_header_and_take_none_away() -> None:
    usual, more = answer(page()), answer(page(), x_served_by="1")
    front = MayDiffer(behind_others=True)
    assert unlike_golden(LIST, usual, more, front) is None
    assert unlike_golden(LIST, more, usual, front) == Unlike("header x-served-by", "1", "none")


def test_an_answer_by_rows_is_json() -> None:
    told = answer(page(), content_type="text/plain")
    assert unlike_rows((200, page()), told) == Unlike(
        "header content-type", "application/json", "text/plain"
    )


# What was declared.


@pytest.mark.parametrize("field", ["price", "notes[].price"])
def test_a_field_that_differs_each_time_is_left_out(field: str) -> None:
    may = MayDiffer(fields=frozenset({field}))
    other = page(*(row | {"price": 99} for row in ROWS))
    assert unlike_golden(LIST, answer(page(*ROWS)), answer(other), may) is None
    worse = page(*(row | {"price": 99, "text": "?"} for row in ROWS))
    found = unlike_golden(LIST, answer(page(*ROWS)), answer(worse), may)
    assert found == Unlike("notes[0].text", "one", "?")


@pytest.mark.parametrize(
    "seen",
    [
        page(*ROWS, mine(4)),
        page(mine(4), *ROWS),
        page(mine(4), *ROWS[:2]),  # the drill's own took the place of the last
        page(mine(6), mine(5), mine(4)),
        page(*ROWS, total=2),
    ],
)
def test_rows_that_the_drill_wrote_are_no_difference(seen: dict[str, object]) -> None:
    more = {"total": 1} if "total" in seen else {}
    before = answer(page(*ROWS, **more), etag='"1"', total="3")
    after = answer(seen, etag='"2"', total="5")
    assert unlike_golden(WRITTEN, before, after, DRILL) is None
    assert unlike_golden(LIST, before, after, DRILL) is not None


@pytest.mark.parametrize(
    ("seen", "place"),
    [
        (page(mine(4), ROWS[0]), "notes"),  # two are gone for one of the drill's
        (page(*ROWS[:2]), "notes"),
        (page(*ROWS, {"id": 4, "text": "who?", "price": 1}), "notes"),
        (page(mine(4), ROWS[1], ROWS[0]), "notes"),
        (page(mine(4), *ROWS[:2], count=9), "count"),
        (page(mine(4), ROWS[0] | {"price": 11}, *ROWS[1:]), "notes"),
        (page(*ROWS, count=2), "count"),
    ],
)
def test_beside_the_rows_of_the_drill_all_is_compared(seen: dict[str, object], place: str) -> None:
    found = unlike_golden(WRITTEN, answer(page(*ROWS)), answer(seen), DRILL)
    assert found is not None
    assert found.place == place


def test_numbers_in_headers_grow_by_what_was_written_and_no_more() -> None:
    before = answer(page(), total="3")
    assert unlike_golden(WRITTEN, before, answer(page(), total="7"), DRILL) is None
    for wrong in ("8", "2", "x"):
        assert unlike_golden(WRITTEN, before, answer(page(), total=wrong), DRILL) is not None


def test_a_row_that_the_drill_changed_is_its_own() -> None:
    question = GoldenQuestion("GET /notes/…", "/notes/1", written=True)
    changed = answer({"id": 1, "text": "drill-9", "price": 10})
    assert unlike_golden(question, answer(ROWS[0]), changed, DRILL) is None


@pytest.mark.parametrize(
    ("expected", "seen"),
    [
        ("[" * 600 + "1" + "]" * 600, "[" * 600 + "2" + "]" * 600),
        ('{"a":' * 600 + "1" + "}" * 600, '{"a":' * 600 + "2" + "}" * 600),
        ('{"price": 1}', '{"price": 2, "price": 1}'),
        ('{"price": 1e999}', '{"price": Infinity}'),
        ("9" * 5000, "9" * 4999 + "8"),
    ],
)
def test_what_cannot_be_gone_through_is_compared_as_it_stands(expected: str, seen: str) -> None:
    assert unlike_golden(LIST, answer(expected), answer(seen), NOTHING_DECLARED)
    assert unlike_rows((200, {"price": 1}), answer(seen))


def test_a_count_in_a_header_may_have_any_length() -> None:
    one, other = answer([], x_count="9" * 5000), answer([], x_count="9" * 5001)
    difference = unlike_golden(WRITTEN, one, other, DRILL)
    assert difference is not None
    assert difference.place == "header x-count"
