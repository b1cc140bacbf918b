"""Cursors of the pagination release: what is refused, and with which words."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_drill.ground.wait import wait_until
from tests.subject.service_process import NEW, SERVICE, Service, deployment

SECRET = b"a secret"


def _load() -> ModuleType:
    # The module needs the standard library alone, so the suite can read it without its release.
    path = SERVICE / NEW / "hostaway_mcp" / "cursors.py"
    spec = importlib.util.spec_from_file_location("service_cursors", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


cursors: Any = _load()
FILTERS = st.dictionaries(st.sampled_from(["city", "status"]), st.text(max_size=20))


@given(after=st.integers(0, 2**63 - 1), limit=st.integers(1, 100), filters=FILTERS)
def test_a_cursor_brings_back_what_it_was_issued_for(
    after: int, limit: int, filters: dict[str, str]
) -> None:
    walk = cursors.Walk("listings", limit, filters)
    cursor = cursors.issue(SECRET, walk, after, 60)
    assert cursors.read(SECRET, cursor, "listings", filters) == (walk, after)


@given(place=st.integers(0, 10_000), other=st.characters(codec="utf-8"))
def test_a_cursor_with_any_other_character_is_refused(place: int, other: str) -> None:
    cursor = cursors.issue(SECRET, cursors.Walk("listings", 5, {}), 10, 60)
    place %= len(cursor)
    changed = cursor[:place] + other + cursor[place + 1 :]
    if changed == cursor:
        return
    with pytest.raises(cursors.BadCursor):
        cursors.read(SECRET, changed, "listings", {})


@given(st.text(max_size=300))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(cursors.BadCursor):
        cursors.read(SECRET, text, "listings", {})


def test_a_cursor_expires() -> None:
    cursor = cursors.issue(SECRET, cursors.Walk("listings", 5, {}), 10, -0.01)
    with pytest.raises(cursors.BadCursor, match="expired"):
        cursors.read(SECRET, cursor, "listings", {})


def test_a_cursor_of_another_secret_is_refused() -> None:
    cursor = cursors.issue(b"another", cursors.Walk("listings", 5, {}), 10, 60)
    with pytest.raises(cursors.BadCursor, match="signature"):
        cursors.read(SECRET, cursor, "listings", {})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with deployment(tmp_path_factory.mktemp("cursors"), NEW, 50) as (_, running):
        yield running


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


def first_cursor(client: httpx.Client, **query: Any) -> str:
    return str(client.get("/api/listings", params={"limit": 5, **query}).json()["nextCursor"])


def refusal(client: httpx.Client, path: str = "/api/listings", **query: Any) -> str:
    answer = client.get(path, params=query)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "invalid_cursor"
    return str(answer.json()["detail"])


def test_malformed(client: httpx.Client) -> None:
    for cursor in ("", "x", "not a cursor", "é", "A" * 5000, "null"):
        assert "malformed" in refusal(client, cursor=cursor)


def test_tampered(client: httpx.Client) -> None:
    cursor = first_cursor(client)
    assert "signature" in refusal(client, cursor=("B" if cursor[0] == "A" else "A") + cursor[1:])


def test_of_another_collection_filter_or_limit(client: httpx.Client) -> None:
    cursor = first_cursor(client)
    assert "another" in refusal(client, "/api/reservations", cursor=cursor)
    assert "another" in refusal(client, cursor=cursor, city="Oslo")
    assert "limit 5" in refusal(client, cursor=cursor, limit=6)
    assert client.get("/api/listings", params={"cursor": cursor, "limit": 5}).is_success


def test_expired(service: Service, client: httpx.Client) -> None:
    before = service.config.read_text()
    service.config.write_text(before.replace("cursor_ttl_seconds: 900", "cursor_ttl_seconds: 1"))
    service.signal_and_await("Config reloaded")
    cursor = first_cursor(client)
    issued = time.time()
    for _ in wait_until("the cursor to expire", 60):
        if not client.get("/api/listings", params={"cursor": cursor}).is_success:
            break
    assert time.time() > issued + 0.9  # not refused for another reason at once
    assert "expired" in refusal(client, cursor=cursor)
    service.config.write_text(before)
    service.signal_and_await("Config reloaded")


def test_a_cursor_outlives_the_flag_being_switched_off_and_on_again(
    service: Service, client: httpx.Client
) -> None:
    def shown() -> tuple[set[str], list[int]]:
        answer = client.get("/api/listings", params={"cursor": cursor, "limit": 5}).json()
        rows = answer.get("items") or answer["listings"]
        return set(answer), [row["id"] for row in rows]

    before = service.config.read_text()
    cursor = first_cursor(client)
    assert shown() == ({"items", "nextCursor", "meta"}, [6, 7, 8, 9, 10])
    off = before.replace("pagination_enabled: true", "pagination_enabled: false")
    assert off != before
    service.config.write_text(off)
    service.signal_and_await("Config reloaded")
    # Without a word the customer is served from the beginning.
    assert shown() == ({"listings", "count", "limit", "offset"}, [1, 2, 3, 4, 5])
    service.config.write_text(before)
    service.signal_and_await("Config reloaded")
    assert shown() == ({"items", "nextCursor", "meta"}, [6, 7, 8, 9, 10])


def test_refusals_and_adoption_are_counted_and_logged(
    service: Service, client: httpx.Client
) -> None:
    def state() -> dict[str, Any]:
        found: dict[str, Any] = client.get("/health").json()["context_protection"]
        return found

    before = state()
    cursor = first_cursor(client)
    assert client.get("/api/listings", params={"cursor": cursor}).is_success
    refusal(client, cursor="nonsense")
    after = state()
    assert after["cursor_errors"] == before["cursor_errors"] + 1
    assert after["list_requests"] == before["list_requests"] + 2
    assert 0 < after["pagination_adoption"] < 1
    assert after["cursor_cache_entries"] >= 1
    assert service.records("WARNING")[-1]["reason"] == "malformed"
    assert 'hostaway_cursor_errors_total{reason="malformed"}' in client.get("/metrics").text


def test_a_total_is_counted_once_in_a_while_and_one_that_could_not_be_is_not_kept(
    tmp_path: Path,
) -> None:
    with (
        deployment(tmp_path, NEW, 20) as (postgres, running),
        running.client() as client,
        psycopg.connect(postgres.url("app"), autocommit=True) as administrator,
    ):

        def total() -> int:
            answer = client.get("/api/listings", params={"limit": 5})
            return answer.json()["meta"]["total"] if answer.is_success else -answer.status_code

        administrator.execute("ALTER TABLE listings RENAME TO hidden")
        assert total() <= -500
        administrator.execute("ALTER TABLE hidden RENAME TO listings")
        assert total() == 20
        administrator.execute("TRUNCATE listings CASCADE")
        assert total() == 20
        for _ in wait_until("the total is counted again", 60):
            if total() == 0:
                break
