"""What simulated clients ask and how they judge answers, without any network."""

import json
from collections import Counter
from pathlib import Path

import pytest

from rollback_drill.subject.hostaway.crowds import (
    LIMIT,
    MIX,
    Customer,
    ListsAsk,
    ListsCrowd,
    Own,
    Walk,
    learn,
)
from rollback_drill.subject.hostaway.pages import page
from rollback_drill.traffic.interface import Interface
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.orders import Orders, begin_anew, give, read_orders


def body(content: object) -> bytes:
    return json.dumps(content).encode()


def rows(start: int, count: int) -> list[dict[str, int]]:
    return [{"id": n} for n in range(start, start + count)]


def new(start: int, count: int, cursor: str | None) -> bytes:
    return body({"items": rows(start, count), "nextCursor": cursor, "meta": {"limit": LIMIT}})


def old(kind: str, offset: int, count: int) -> bytes:
    return body({kind: rows(offset + 1, count), "count": count, "limit": LIMIT, "offset": offset})


def list_ask(client: Customer) -> ListsAsk:
    return ListsAsk(client, "list_page", "GET", client.listings.path, walk=client.listings)


def test_the_mix_is_the_one_that_was_asked_for() -> None:
    crowd = ListsCrowd(["c000"], 1, "run", Interface())
    client = crowd.clients[0]
    client.seen.append(1)
    made = ListsAsk(client, "create", "POST", "/api/reservations", "{}", "run-0", "run-0")
    crowd.learn(made, 201, body({"id": 1, "reference": "run-0"}), {})
    counts: Counter[str] = Counter()
    for i in range(20_000):
        ask = crowd.ask(i)
        kind = {"list_first": "listings", "list_page": "listings"}.get(ask.operation, ask.operation)
        looked_for = ask.listed == "reservations" or ask.path == "/api/reservations/1"
        counts["own" if looked_for and ask.method == "GET" else kind] += 1
        if ask.own:
            ask.own.busy = False
    assert sum(MIX.values()) == 100
    for kind, percent in MIX.items():
        assert counts[kind] / 200 == pytest.approx(percent, abs=1.5)


def test_the_same_seed_asks_the_same() -> None:
    def asked(seed: int) -> list[tuple[str, str, str]]:
        crowd = ListsCrowd(["c000", "c001"], seed, "run", Interface())
        for client in crowd.clients:
            client.seen.extend([1, 2, 3])
        return [(a.client.name, a.path, a.body) for a in map(crowd.ask, range(200))]

    assert asked(1) == asked(1) != asked(2)


def test_a_walk_follows_the_format_of_each_answer() -> None:
    client = Customer("c000")
    paths = []
    for answer, form in (
        (new(1, 20, "a+b/="), "new"),
        (old("listings", 0, 20), "old"),  # rolled back: the cursor is ignored there
        (old("listings", 20, 20), "old"),
        (new(1, 20, "next"), "new"),  # and forward again
        (new(21, 5, None), "new"),
    ):
        assert learn(list_ask(client), 200, answer) == (Outcome.OK, form)
        paths.append(client.listings.path)
    first = f"/api/listings?limit={LIMIT}"
    assert paths == [
        f"{first}&cursor=a%2Bb%2F%3D", f"{first}&offset=20", f"{first}&offset=40",
        f"{first}&cursor=next", first,
    ]  # fmt: skip


def test_the_last_page_by_offset_ends_the_walk() -> None:
    client = Customer("c000")
    learn(list_ask(client), 200, old("listings", 40, LIMIT - 1))
    assert client.listings.position == ""


def test_an_invalid_cursor_sends_the_client_back_to_page_one() -> None:
    client = Customer("c000", listings=Walk("listings", "&cursor=stale"))
    answer = body({"error": "invalid_cursor", "detail": "expired"})
    assert learn(list_ask(client), 400, answer) == (Outcome.INVALID_CURSOR, "")
    assert client.listings.position == ""


@pytest.mark.parametrize(
    ("status", "content", "outcome"),
    [
        (400, b'{"error": "bad_limit"}', Outcome.REJECTED),
        (400, b"<html>invalid_cursor</html>", Outcome.REJECTED),
        (401, b"{}", Outcome.REJECTED),
        (404, b"", Outcome.REJECTED),
        (500, b'{"error": "database"}', Outcome.SERVER_ERROR),
        (501, b"", Outcome.SERVER_ERROR),
        (502, b"", Outcome.UNAVAILABLE),
        (503, b"\xff\xfe", Outcome.UNAVAILABLE),
        (504, b"", Outcome.UNAVAILABLE),
        (302, b"", Outcome.BAD_BODY),
        (200, b"", Outcome.BAD_BODY),
        (200, b"\xff", Outcome.BAD_BODY),
        (200, b"[]", Outcome.BAD_BODY),
        (200, b'{"things": []}', Outcome.BAD_BODY),
        (200, b'{"items": [], "meta": {}}', Outcome.BAD_BODY),
        (200, b'{"items": [], "nextCursor": null}', Outcome.BAD_BODY),
        (200, b'{"items": [], "nextCursor": 5, "meta": {}}', Outcome.BAD_BODY),
        (200, b'{"items": [{"name": "x"}], "nextCursor": null, "meta": {}}', Outcome.BAD_BODY),
        (200, b'{"listings": [], "count": 0, "limit": 20}', Outcome.BAD_BODY),
        (200, b'{"listings": [], "limit": 20, "offset": 0}', Outcome.BAD_BODY),
        (200, b'{"reservations": [], "count": 0, "limit": 20, "offset": 0}', Outcome.BAD_BODY),
        (200, b'{"listings": [], "count": 0, "limit": 20, "offset": 0}', Outcome.OK),
        (200, b'{"items": [], "nextCursor": null, "meta": {}}', Outcome.OK),
    ],
)  # fmt: skip
def test_each_answer_to_a_list_has_its_outcome(
    status: int, content: bytes, outcome: Outcome
) -> None:
    assert learn(list_ask(Customer("c000")), status, content)[0] is outcome


@pytest.mark.parametrize("content", [{"id": 8}, {"name": "x"}, [], None])
def test_details_of_something_else_are_no_good_answer(content: object) -> None:
    ask = ListsAsk(Customer("c000"), "details", "GET", "/api/listings/7", expected_id=7)
    assert learn(ask, 200, body(content))[0] is Outcome.BAD_BODY
    assert learn(ask, 200, body({"id": 7}))[0] is Outcome.OK


def test_an_update_that_answers_with_another_reservation_is_no_good_answer() -> None:
    own = Own(7, "run-1")
    ask = ListsAsk(
        Customer("c000"), "update", "PATCH", "/api/reservations/7", "{}", "run-2", "run-1",
        expected_id=7, own=own,
    )  # fmt: skip
    assert learn(ask, 200, body({"id": 7, "reference": "other"}))[0] is Outcome.BAD_BODY
    assert learn(ask, 200, body({"id": 7, "reference": "run-1"}))[0] is Outcome.OK


@pytest.mark.parametrize(
    ("status", "busy"), [(200, False), (404, False), (503, False), (500, True), (502, True)]
)
def test_a_reservation_in_doubt_is_not_changed_again(status: int, busy: bool) -> None:
    own = Own(7, "run-1", busy=True)
    ask = ListsAsk(
        Customer("c000"), "update", "PATCH", "/api/reservations/7", "{}", "run-2", "run-1",
        expected_id=7, own=own,
    )  # fmt: skip
    learn(ask, status, body({"id": 7, "reference": "run-1"}))
    assert own.busy is busy


def test_a_client_changes_only_what_it_made_itself() -> None:
    crowd = ListsCrowd(["c000", "c001"], 3, "run", Interface())
    for client in crowd.clients:
        client.seen.append(1)
    made: dict[int, str] = {}
    for i in range(2_000):
        ask = crowd.ask(i)
        if ask.operation == "create":
            made[i] = ask.client.name
            learn(ask, 201, body({"id": i, "reference": ask.reference}))
        elif ask.operation == "update":
            assert made[ask.expected_id] == ask.client.name
            learn(ask, 200, body({"id": ask.expected_id, "reference": ask.subject}))
    assert len(made) > 50


def test_references_are_unique() -> None:
    crowd = ListsCrowd(["c000"], 1, "run", Interface())
    crowd.clients[0].seen.append(1)
    references = [ask.reference for ask in map(crowd.ask, range(2_000)) if ask.reference]
    assert len(references) == len(set(references)) > 100


def test_a_channel_is_only_sent_to_a_service_that_was_seen_to_know_it() -> None:
    crowd = ListsCrowd(["c000"], 1, "run", Interface())
    client = crowd.clients[0]
    client.seen.append(1)

    def carried() -> int:
        asks = [crowd.ask(i) for i in range(1_000)]
        return sum('"channel":' in ask.body for ask in asks)

    assert carried() == 0  # nobody has told yet
    crowd.learn(list_ask(client), 200, new(1, 20, "next"), {})
    assert carried() > 10
    crowd.learn(list_ask(client), 200, old("listings", 0, 20), {})
    assert carried() == 0
    crowd.learn(list_ask(client), 200, new(1, 20, "next"), {})
    crowd.learn(list_ask(client), 503, b"", {})  # who comes back may be another release
    assert carried() == 0


def test_a_page_of_no_object_is_none() -> None:
    assert page("text", "listings") is None


def test_a_rogue_sends_its_share_and_nobody_else_changes() -> None:
    crowd = ListsCrowd(["c000", "c001"], 1, "run", Interface())
    crowd.orders = Orders(rogue="c001", rogue_share=0.3)
    asks = [crowd.ask(i) for i in range(5_000)]
    rogue = [ask for ask in asks if "cursor=garbage" in ask.path]
    assert 1_350 < len(rogue) < 1_650
    assert {ask.client.name for ask in rogue} == {"c001"}
    assert not any(ask.bad_key for ask in asks)


def test_a_rogue_may_have_a_bad_key_instead() -> None:
    crowd = ListsCrowd(["c000"], 1, "run", Interface())
    crowd.orders = Orders(rogue="c000", rogue_kind="key", rogue_share=1.0)
    ask = crowd.ask(0)
    assert ask.bad_key
    assert "cursor" not in ask.path


@pytest.mark.parametrize(("share", "low", "high"), [(1.0, 99, 100), (0.0, 0, 0), (0.5, 35, 65)])
def test_cursors_are_followed_as_often_as_ordered(share: float, low: int, high: int) -> None:
    crowd = ListsCrowd(["c000"], 1, "run", Interface())
    crowd.orders = Orders(cursor_share=share)
    followed = 0
    for i in range(100):
        crowd.clients[0].listings.position = "&cursor=abc"
        crowd.clients[0].reservations.position = "&cursor=abc"
        ask = crowd.ask(i)
        while ask.walk is None:
            ask = crowd.ask(i)
        followed += "cursor=abc" in ask.path
    assert low <= followed <= high


def test_orders_are_left_in_a_folder_and_read_from_it(tmp_path: Path) -> None:
    assert read_orders(tmp_path) == Orders()
    give(tmp_path, Orders(rogue="c007", rogue_share=0.5))
    assert read_orders(tmp_path) == Orders(rogue="c007", rogue_share=0.5)
    begin_anew(tmp_path)
    again = read_orders(tmp_path)
    assert again == Orders(rogue="c007", rogue_share=0.5, anew=again.anew)
    assert again.anew > 0.0
    assert [path.name for path in tmp_path.iterdir()] == ["orders.json"]
