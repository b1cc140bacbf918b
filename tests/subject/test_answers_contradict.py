"""Clients find whatever answer cannot be true, and nothing where all are."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from load.recorder import Recorder
from rollback_drill.ground.errors import UsageError
from rollback_drill.subject.described.crowds import DescribedCrowd
from rollback_drill.subject.hostaway.crowds import ListsAsk, ListsCrowd
from rollback_drill.subject.hostaway.knowledge import Knowledge
from rollback_drill.subject.hostaway.pages import page_of
from rollback_drill.traffic.contradictions import (
    Compared,
    Contradiction,
    Contradictions,
    Invariant,
    read_contradictions,
)
from rollback_drill.traffic.interface import Interface, Operation
from rollback_drill.traffic.orders import Orders

ASKED = 2_500
Row = dict[str, Any]
Change = Callable[["Listings", ListsAsk, int, Any], tuple[int, Any]]


class Listings:
    """Answers as the stable release does. `change` gets each answer and gives what is sent."""

    def __init__(self, change: Change | None = None) -> None:
        cities = ("Lisbon", "Graz", "Oslo")
        self.listings = {
            i: {"id": i, "city": cities[i % 3], "price_cents": 100 * i} for i in range(1, 131)
        }
        self.reservations: dict[int, Row] = {
            i: self.reservation(i, {"reference": f"SEED-{i}"}) for i in range(1, 301)
        }
        self.moment = itertools.count(1)
        self.change = change
        self.random = random.Random(1)
        self.kept: dict[str, Any] = {}

    @staticmethod
    def reservation(id_: int, fields: Row) -> Row:
        made = {"status": "confirmed", "created_at": "0", "updated_at": "0"}
        return {"id": id_, **made, **fields}

    def answer(self, ask: ListsAsk) -> tuple[int, Any]:
        status, body = self._answer(ask)
        body = json.loads(json.dumps(body))
        return self.change(self, ask, status, body) if self.change else (status, body)

    def _answer(self, ask: ListsAsk) -> tuple[int, Any]:
        where, _, query = ask.path.partition("?")
        _, _, kind, *id_ = where.split("/")
        rows: dict[int, Row] = self.listings if kind == "listings" else self.reservations
        if ask.method == "POST":
            fields = json.loads(ask.body)
            row = self.reservation(len(rows) + 1, fields | {"created_at": f"{next(self.moment)}"})
            rows[row["id"]] = row | {"updated_at": row["created_at"]}
            return 201, rows[row["id"]]
        if id_ and int(id_[0]) not in rows:
            return 404, {"error": "not_found"}
        if ask.method == "PATCH":
            rows[int(id_[0])] |= json.loads(ask.body) | {"updated_at": f"{next(self.moment)}"}
        if id_:
            return 200, rows[int(id_[0])]
        asked = {name: value[0] for name, value in parse_qs(query).items()}
        limit, offset = int(asked["limit"]), int(asked.get("offset", 0))
        chosen = [
            row
            for row in rows.values()
            if row.get("status") == asked.get("status", row.get("status"))
            and row.get("city") == asked.get("city", row.get("city"))
        ][offset : offset + limit]
        return 200, {kind: chosen, "count": len(chosen), "limit": limit, "offset": offset}


def heard(change: Change | None = None) -> tuple[set[Invariant], dict[str, int]]:
    """Return which rules clients found broken after thousands of answers, and what they compared.
    Answers come in another order than questions, as they do.
    """
    crowd = ListsCrowd([f"c{n:03d}" for n in range(10)], 1, "run", Interface())
    service, order = Listings(change), random.Random(2)
    under_way: list[tuple[ListsAsk, int, Any]] = []
    lines: list[str] = []
    for i in range(ASKED):
        ask = crowd.ask(i)
        under_way.append((ask, *service.answer(ask)))
        while len(under_way) > order.randrange(8):
            asked, status, body = under_way.pop(order.randrange(len(under_way)))
            crowd.learn(asked, status, json.dumps(body).encode(), {})
            lines += crowd.contradictions.take(1.0)
    return {Invariant(json.loads(line)["rule"]) for line in lines}, dict(
        crowd.contradictions.compared
    )


def test_a_service_that_answers_rightly_contradicts_nothing() -> None:
    found, compared = heard()
    assert found == set()
    assert {rule for rule in Invariant if compared.get(rule, 0) > 20} == set(Invariant)


def now_and_then(change: Callable[[Row], Any], method: str, path: str, one_in: int = 10) -> Change:
    """Return what makes `change` to every so manieth good answer to such a request."""
    count = itertools.count(1)

    def changed(_: Listings, ask: ListsAsk, status: int, body: Any) -> tuple[int, Any]:
        if ask.method == method and path in ask.path and not next(count) % one_in:
            change(body)
        return status, body

    return changed


def kept_details(service: Listings, ask: ListsAsk, status: int, body: Any) -> tuple[int, Any]:
    """Details of a reservation are those that were asked first."""
    if ask.method == "GET" and "/reservations/" in ask.path:
        body = service.kept.setdefault(ask.path, body)
    return status, body


def gone(_: Listings, ask: ListsAsk, status: int, body: Any) -> tuple[int, Any]:
    """Every fifth row cannot be read any more."""
    if ask.method == "GET" and "/reservations/" in ask.path and not ask.expected_id % 5:
        return 404, {"error": "not_found"}
    return status, body


def without_the_newest(service: Listings, ask: ListsAsk, status: int, body: Any) -> tuple[int, Any]:
    """The newest row of all is in no list."""
    rows = body.get("reservations", []) if ask.method == "GET" else []
    if rows and rows[-1]["id"] == len(service.reservations):
        body |= {"reservations": rows[:-1], "count": len(rows) - 1}
    return status, body


def without_the_changed(_: Listings, ask: ListsAsk, status: int, body: Any) -> tuple[int, Any]:
    """What was changed is not found by its status."""
    if "status=" in ask.path:
        rows = [row for row in body["reservations"] if row["updated_at"] == row["created_at"]]
        body |= {"reservations": rows, "count": len(rows)}
    return status, body


def of_no_city(_: Listings, ask: ListsAsk, status: int, body: Any) -> tuple[int, Any]:
    """A list of a city lacks a row of it."""
    if "city=" in ask.path:
        body["listings"].pop(3)
        body["count"] -= 1
    return status, body


def change_of(row: Row, name: str, value: object) -> None:
    row[name] = value


PATCHED = ("PATCH", "/reservations/")
LISTED = ("GET", "/listings?")
BROKEN: dict[str, tuple[Change, Invariant]] = {
    "a new row with other dates": (
        now_and_then(lambda row: change_of(row, "check_in", "2000-01-01"), "POST", "/"),
        Invariant.ACKNOWLEDGED,
    ),
    "a new row without its guest": (
        now_and_then(lambda row: row.pop("guest_name"), "POST", "/"),
        Invariant.ACKNOWLEDGED,
    ),
    "a change with another total": (
        now_and_then(lambda row: change_of(row, "total_cents", 1), *PATCHED),
        Invariant.CHANGED,
    ),
    "a change that changes more": (
        now_and_then(lambda row: change_of(row, "created_at", "9"), *PATCHED),
        Invariant.CHANGED,
    ),
    "a change that loses a field": (
        now_and_then(lambda row: row.pop("listing_id"), *PATCHED),
        Invariant.CHANGED,
    ),
    "a change without a time": (
        now_and_then(lambda row: change_of(row, "updated_at", row["created_at"]), *PATCHED, 1),
        Invariant.CHANGED,
    ),
    "details that are kept too long": (kept_details, Invariant.WRITTEN),
    "details with one field more": (
        now_and_then(lambda row: change_of(row, "owner", "Ada"), "GET", "/reservations/"),
        Invariant.WRITTEN,
    ),
    "rows that are gone": (gone, Invariant.WRITTEN),
    "lists without the newest": (without_the_newest, Invariant.LISTED),
    "a filter without what was changed": (without_the_changed, Invariant.LISTED),
    "a filter with another row": (
        now_and_then(
            lambda body: (
                change_of(body["reservations"][0], "status", "lost")
                if body["reservations"]
                else None
            ),
            "GET",
            "status=",
        ),
        Invariant.LISTED,
    ),
    "a city without one of its rows": (of_no_city, Invariant.LISTED),
    "details that differ from lists": (
        now_and_then(lambda row: change_of(row, "price_cents", 1), "GET", "/listings/"),
        Invariant.AGREE,
    ),
    "an old reservation that differs": (
        now_and_then(
            lambda body: change_of(body["reservations"][0], "guest_name", "x"),
            "GET",
            "/reservations?limit=20",
            3,
        ),
        Invariant.AGREE,
    ),
    "a row twice": (
        now_and_then(lambda body: body["listings"].__setitem__(1, body["listings"][0]), *LISTED),
        Invariant.ORDER,
    ),
    "a row left out": (
        now_and_then(lambda body: body["listings"].__delitem__(1), *LISTED),
        Invariant.ORDER,
    ),
    "the last row left out": (
        now_and_then(lambda body: body["listings"].pop(), "GET", "/listings?limit=20&offset=2", 2),
        Invariant.ORDER,
    ),
    "rows backwards": (
        now_and_then(lambda body: body["reservations"].reverse(), "GET", "/reservations?"),
        Invariant.ORDER,
    ),
    "one too many counted": (
        now_and_then(lambda body: change_of(body, "count", body["count"] + 1), "GET", "offset=20"),
        Invariant.ASKED,
    ),
    "another offset": (
        now_and_then(lambda body: change_of(body, "offset", 0), "GET", "offset=20"),
        Invariant.ASKED,
    ),
    "another limit": (
        now_and_then(lambda body: change_of(body, "limit", 50), *LISTED),
        Invariant.ASKED,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_rule_is_found(name: str) -> None:
    change, rule = BROKEN[name]
    assert rule in heard(change)[0]


def of_another_release(service: Listings) -> Listings:
    for row in (*service.listings.values(), *service.reservations.values()):
        row["price_cents"] = row["guest_name"] = "of another release"
    return service


def test_nothing_that_was_known_before_an_outage_contradicts_what_comes_after() -> None:
    crowd = ListsCrowd(["c000"], 1, "run", Interface())
    found = []
    for service in (Listings(), of_another_release(Listings())):
        for i in range(600):
            ask = crowd.ask(i)
            status, body = service.answer(ask)
            crowd.learn(ask, status, json.dumps(body).encode(), {})
            found += crowd.contradictions.take(1.0)
        crowd.learn(crowd.ask(0), 503, b"", {})
    assert [one for one in found if "rule" in json.loads(one)] == []


def test_nothing_that_was_known_before_it_was_ordered_contradicts_what_comes_after() -> None:
    for ordered in (True, False):
        crowd = ListsCrowd(["c000"], 1, "run", Interface())
        found = []
        for n, service in enumerate((Listings(), of_another_release(Listings()))):
            crowd.orders = Orders(anew=float(n * ordered))
            for i in range(600):
                ask = crowd.ask(i)
                status, body = service.answer(ask)
                crowd.learn(ask, status, json.dumps(body).encode(), {})
                found += crowd.contradictions.take(1.0)
        assert any("rule" in json.loads(one) for one in found) != ordered


def test_a_page_that_was_asked_for_before_an_outage_begins_no_walk_after_it() -> None:
    crowd, service = ListsCrowd(["c000"], 1, "run", Interface()), Listings()

    def page_of_all() -> ListsAsk:
        asks = (crowd.ask(i) for i in range(1_000))
        return next(one for one in asks if one.walk and one.walk.kind == "listings")

    def answered(ask: ListsAsk) -> None:
        status, body = service.answer(ask)
        crowd.learn(ask, status, json.dumps(body).encode(), {})

    before = page_of_all()
    crowd.learn(page_of_all(), 503, b"", {})
    answered(before)
    second = page_of_all()
    assert ("offset=20" in second.path, second.after) == (True, None)
    answered(second)
    assert page_of_all().after == 40


def test_a_city_that_lacks_a_row_is_found_once_the_row_is_known() -> None:
    told = Contradictions()
    known = Knowledge(told)
    path = "/api/listings?city=Graz&limit=20"
    row, other = ({"id": id_, "city": "Graz"} for id_ in (1, 2))
    content = json.dumps({"listings": [row], "count": 1, "limit": 20, "offset": 0}).encode()
    page = page_of(content, "listings")
    assert page
    for times in (0, 1):
        known.page("list_first", path, page, content, known.tick(), None)
        assert len(told.take(1.0)) == times
        known.listing("details", other, known.tick())


def test_a_reservation_that_bears_the_id_of_a_lost_one_is_another() -> None:
    known = Knowledge(Contradictions())
    lost = {"id": 7, "reference": "ours", "status": "confirmed", "updated_at": "1"}
    known.made(lost, lost, known.tick())
    known.begin_anew()
    for name in ("Ada", "Grace"):
        row = lost | {"reference": "another's", "guest_name": name, "updated_at": name}
        known.read("details", 7, row, known.tick())
    assert known.pick(random.Random(1)) is None


def test_a_change_that_nobody_knows_the_end_of_may_be_shown_or_not() -> None:
    for done in (False, True):
        crowd = ListsCrowd(["c000"], 1, "run", Interface())
        service = Listings()
        found = []
        for i in range(1_500):
            ask = crowd.ask(i)
            lost = ask.operation == "update" and i > 300
            if lost and not done:
                continue  # neither done nor answered
            status, body = service.answer(ask)
            if not lost:
                crowd.learn(ask, status, json.dumps(body).encode(), {})
            found += crowd.contradictions.take(1.0)
        assert found == []
        assert crowd.contradictions.compared[Invariant.WRITTEN] > 20


NOTES = Operation("note", "PUT", "/notes/{reference}", body="{}", read_back="/notes/{reference}")
READ = Operation("notes", "GET", "/notes", weight=9)


@pytest.mark.parametrize(
    ("status", "content", "broken"),
    [(200, b'{"id": "REFERENCE"}', False), (200, b"{}", True), (404, b"", True), (500, b"", False)],
)
def test_what_is_described_is_read_again_as_far_as_it_is_said_how(
    status: int, content: bytes, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollback_drill.subject.described.crowds._SETTLES_S", 0.0)
    crowd = DescribedCrowd(["c000"], 1, "run", Interface(operations=(NOTES, READ)))
    found = []
    for i in range(400):
        ask = crowd.ask(i)
        again = ask.operation == "note again"
        answered = content.replace(b"REFERENCE", ask.subject.encode()) if again else b"{}"
        crowd.learn(ask, status if again else 200, answered, {})
        found += crowd.contradictions.take(1.0)
    assert bool(found) == broken
    assert bool(crowd.contradictions.compared[Invariant.WRITTEN]) == (status != 500)


def test_what_a_service_only_promised_to_do_is_not_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rollback_drill.subject.described.crowds._SETTLES_S", 0.0)
    crowd = DescribedCrowd(["c000"], 1, "run", Interface(operations=(NOTES, READ)))
    asked = set()
    for i in range(400):
        ask = crowd.ask(i)
        asked.add(ask.operation)
        crowd.learn(ask, 202, b"{}", {})
    assert asked == {"note", "notes"}


def test_what_a_generator_writes_is_read_and_what_is_damaged_is_refused(tmp_path: Path) -> None:
    crowd = ListsCrowd(["c000"], 1, "run", Interface())
    known = crowd.contradictions
    known.compared[Invariant.ORDER] = 3
    known.add(
        Contradiction(Invariant.ORDER, "list_page", "GET /", "row 1", "row \ud800" + "9" * 999)
    )
    recorder = Recorder(tmp_path, 0)
    recorder.contradict([*known.take(5.0), known.count()])
    one, other = read_contradictions(tmp_path)
    assert isinstance(one, Contradiction)
    assert (one.rule, one.sent, one.since) == (Invariant.ORDER, 5.0, known.since)
    assert len(one.seen) < 999
    assert other == Compared(known.since, {Invariant.ORDER.value: 3})
    recorder.contradict(['{"since": 1}'])
    with pytest.raises(UsageError, match=r"line 3 of .*contradictions-0\.csv"):
        list(read_contradictions(tmp_path))
