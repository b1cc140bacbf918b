"""The answers of the three releases, as clients get them from a real process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.subject.service_process import CANDIDATE, HEADERS, NEW, OLD, Service, deployment, walk

LISTINGS = 250
LISTING_FIELDS = {"id", "name", "city", "price_cents", "bedrooms", "active", "updated_at"}
OPEN = ("/health", "/ready", "/maintenance", "/metrics")


WIDE = pytest.mark.wide


@pytest.fixture(
    scope="module",
    params=[pytest.param(OLD, marks=WIDE), pytest.param(CANDIDATE, marks=WIDE), NEW],
)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Service]]:
    tag: str = request.param
    with deployment(tmp_path_factory.mktemp("api"), tag, LISTINGS) as (_, running):
        yield tag, running


@pytest.fixture
def tag(service: tuple[str, Service]) -> str:
    return service[0]


@pytest.fixture
def client(service: tuple[str, Service]) -> Iterator[httpx.Client]:
    with service[1].client() as client:
        yield client


@pytest.fixture(scope="module")
def stranger(service: tuple[str, Service]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service[1].url, timeout=10) as client:
        yield client


def booking(reference: str, **changes: object) -> dict[str, Any]:
    return {
        "reference": reference,
        "listing_id": 1,
        "guest_name": "Ada",
        "check_in": "2026-03-01",
        "check_out": "2026-03-04",
        "total_cents": 30_000,
        **changes,
    }


@pytest.mark.parametrize("name", ["listings", "reservations"])
def test_a_list_has_the_format_of_its_release(client: httpx.Client, tag: str, name: str) -> None:
    page = client.get(f"/api/{name}", params={"limit": 3}).json()
    if tag == NEW:
        assert set(page) == {"items", "nextCursor", "meta"}
        assert page["meta"]["limit"] == 3
        rows = page["items"]
    else:
        assert set(page) == {name, "count", "limit", "offset"}
        assert (page["count"], page["limit"], page["offset"]) == (3, 3, 0)
        rows = page[name]
    assert [row["id"] for row in rows] == [1, 2, 3]


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_a_walk_meets_every_listing_exactly_once(client: httpx.Client, limit: int) -> None:
    assert [row["id"] for row in walk(client, "/api/listings", limit)] == list(
        range(1, LISTINGS + 1)
    )


def test_a_walk_with_a_filter_meets_its_rows_alone(client: httpx.Client) -> None:
    everything = walk(client, "/api/listings", 50)
    city = everything[0]["city"]
    found = walk(client, "/api/listings", 4, city=city)
    assert found == [row for row in everything if row["city"] == city]
    assert len(found) < len(everything)


def test_rows_written_during_a_walk_do_not_disturb_it(client: httpx.Client) -> None:
    before = [row["id"] for row in walk(client, "/api/reservations", 50)]
    made = client.post("/api/reservations", json=booking("DURING-A-WALK")).json()["id"]
    assert [row["id"] for row in walk(client, "/api/reservations", 50)] == [*before, made]


def test_the_last_page_offers_no_cursor_and_the_total_stays(client: httpx.Client, tag: str) -> None:
    if tag != NEW:
        pytest.skip("this release has no cursors")
    first = client.get("/api/listings", params={"limit": 100}).json()
    second = client.get("/api/listings", params={"cursor": first["nextCursor"]}).json()
    last = client.get("/api/listings", params={"cursor": second["nextCursor"]}).json()
    assert [len(page["items"]) for page in (first, second, last)] == [100, 100, 50]
    assert {page["meta"]["total"] for page in (first, second, last)} == {LISTINGS}
    assert last["nextCursor"] is None


def test_an_offset_without_a_cursor_still_gets_the_new_format(
    client: httpx.Client, tag: str
) -> None:
    if tag != NEW:
        pytest.skip("this release pages by offset")
    page = client.get("/api/listings", params={"limit": 2, "offset": 20}).json()
    assert [row["id"] for row in page["items"]] == [1, 2]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=-1", "limit=x", "offset=-1", "offset=99999999999"],
)
def test_a_page_that_cannot_be_is_refused(client: httpx.Client, query: str) -> None:
    refused = client.get(f"/api/listings?{query}")
    assert refused.status_code == 422
    assert refused.json()["error"] == "invalid_request"


def test_details(client: httpx.Client) -> None:
    listing = client.get("/api/listings/7").json()
    assert set(listing) == LISTING_FIELDS
    assert listing["id"] == 7
    assert client.get("/api/reservations/7").json()["reference"] == "SEED-0000007"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/listings/999999", 404),
        ("/api/reservations/999999", 404),
        ("/api/nothing", 404),
        ("/api/listings/x", 422),
        ("/api/listings/99999999999999999999", 422),
        ("/api/listings?city=%00", 422),
    ],
)
def test_what_is_not_there_is_said_in_one_form(
    client: httpx.Client, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "detail"}


def test_a_reservation_is_made_read_and_changed(client: httpx.Client) -> None:
    made = client.post("/api/reservations", json=booking("R-1"))
    assert made.status_code == 201
    row = made.json()
    assert booking("R-1").items() <= row.items()
    assert row["status"] == "confirmed"

    path = f"/api/reservations/{row['id']}"
    assert client.get(path).json() == row
    changed = client.patch(path, json={"guest_name": "Grace", "status": "cancelled"})
    assert changed.status_code == 200
    assert changed.json() == client.get(path).json()
    assert changed.json() | {"updated_at": ""} == row | {
        "guest_name": "Grace",
        "status": "cancelled",
        "updated_at": "",
    }


def test_a_channel_is_kept_by_the_release_that_knows_it_and_refused_by_others(
    client: httpx.Client, tag: str
) -> None:
    made = client.post("/api/reservations", json=booking("BY-PHONE", channel="phone"))
    plain = client.post("/api/reservations", json=booking("NO-CHANNEL")).json()
    path = f"/api/reservations/{plain['id']}"
    changed = client.patch(path, json={"channel": "partner"})
    if tag != NEW:
        assert (made.status_code, changed.status_code) == (422, 422)
        return
    assert (made.status_code, made.json()["channel"]) == (201, "phone")
    assert "channel" not in plain
    assert (changed.status_code, changed.json()["channel"]) == (200, "partner")


def test_a_reference_can_be_used_once(client: httpx.Client) -> None:
    assert client.post("/api/reservations", json=booking("TWICE")).status_code == 201
    again = client.post("/api/reservations", json=booking("TWICE", guest_name="Other"))
    assert again.status_code == 409
    assert again.json()["error"] == "duplicate_reference"
    rows = walk(client, "/api/reservations", 100)
    assert [row["guest_name"] for row in rows if row["reference"] == "TWICE"] == ["Ada"]


@pytest.mark.parametrize(
    "changes",
    [
        {"listing_id": 999_999},
        {"check_out": "2026-03-01"},
        {"total_cents": -1},
        {"total_cents": 2**31},
        {"guest_name": ""},
        {"guest_name": "a\x00b"},
        {"surprise": 1},
        {"check_in": "soon"},
    ],
    ids=str,
)
def test_a_reservation_that_cannot_be_is_refused(
    client: httpx.Client, changes: dict[str, object]
) -> None:
    refused = client.post("/api/reservations", json=booking("BAD", **changes))
    assert refused.status_code == 422
    assert set(refused.json()) == {"error", "detail"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"guest_name": "\\ud800"}'])
def test_a_body_that_is_none_is_refused(client: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    refused = client.post("/api/reservations", content=body, headers=headers)
    assert refused.status_code in {400, 422}
    assert set(refused.json()) == {"error", "detail"}


@pytest.mark.parametrize("change", [{}, {"status": "eaten"}, {"reference": "new"}], ids=str)
def test_a_change_that_cannot_be_is_refused(
    client: httpx.Client, change: dict[str, object]
) -> None:
    assert client.patch("/api/reservations/1", json=change).status_code == 422


def test_a_change_of_nothing_is_not_found(client: httpx.Client) -> None:
    missing = client.patch("/api/reservations/999999", json={"guest_name": "x"})
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "wrong"},
        {"X-API-Key": HEADERS["X-API-Key"] + "x"},
        {"X-API-Key": HEADERS["X-API-Key"][:-1]},
        {"X-API-Key": "schlüssel".encode()},
        {"Authorization": HEADERS["X-API-Key"]},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/listings"),
        ("GET", "/api/listings/1"),
        ("GET", "/api/reservations"),
        ("GET", "/api/reservations/1"),
        ("POST", "/api/reservations"),
        ("PATCH", "/api/reservations/1"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/nothing"),
        ("GET", "/health/../api/listings"),
        ("GET", "//health/api/listings"),
    ],
)
def test_nobody_gets_in_without_the_key(
    stranger: httpx.Client, headers: dict[str, Any], method: str, path: str
) -> None:
    answer = stranger.request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"] == "unauthorized"


def test_operators_need_no_key(stranger: httpx.Client) -> None:
    statuses = [stranger.get(path).status_code for path in OPEN]
    assert statuses == [200, 200, 503, 200]


def test_health_names_the_release(client: httpx.Client, tag: str) -> None:
    health = client.get("/health").json()
    assert (health["status"], health["database"]) == ("ok", "ok")
    assert f"v{health['version']}" == tag
    assert ("context_protection" in health) == (tag != OLD)


def test_oversized_answers_are_counted(client: httpx.Client, tag: str) -> None:
    if tag == OLD:
        pytest.skip("this release does not count")

    def oversized() -> int:
        return int(client.get("/health").json()["context_protection"]["oversized_events"])

    before = oversized()
    client.get("/api/listings", params={"limit": 5})
    assert oversized() == before
    client.get("/api/listings", params={"limit": 100})
    assert oversized() == before + 1


def test_metrics_count_requests_by_route(client: httpx.Client) -> None:
    client.get("/api/listings/1")
    client.get("/api/listings")
    client.get("/api/strange/words")
    metrics = client.get("/metrics").text
    assert (
        'hostaway_requests_total{method="GET",route="/api/listings/{listing_id}",status="200"}'
        in metrics
    )
    for edge in ("0.5", "1.0", "2.0"):
        assert f'hostaway_request_seconds_bucket{{le="{edge}",route="/api/listings"}}' in metrics
    assert "strange" not in metrics


def test_every_log_line_is_json_and_holds_no_secret(service: tuple[str, Service]) -> None:
    with service[1].client() as client:
        client.get("/api/listings")
    assert service[1].await_record("Request answered")["level"] == "INFO"
    assert service[1].records("ERROR") == []
    assert HEADERS["X-API-Key"] not in json.dumps(service[1].records())
