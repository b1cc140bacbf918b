"""How the tests of the stages ask whether a URL serves."""

from __future__ import annotations

import time

import httpx

from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.model import Stage


def status(url: str, path: str = "/health") -> int:
    """Return the status that `url` + `path` answers, 0 when no answer comes."""
    try:
        return httpx.get(url + path, timeout=5).status_code
    except httpx.TransportError:
        return 0


def await_status(url: str, wanted: int, path: str = "/health", limit_s: float = 10) -> None:
    for _ in wait_until(f"{url}{path} answers {wanted}", limit_s):
        if status(url, path) == wanted:
            return


def assert_slowed_and_taken_back(stage: Stage, delay_s: float = 0.3) -> None:
    """Slow the way to the hosts down and take it back, each twice; the hosts stay as they are."""
    for _ in range(2):
        stage.network.slow_network(delay_s)
        for _ in wait_until("the front door is slow", 60):
            if _took_s(stage.base_url) >= delay_s:
                break
    bodies = [_items(stage, url) for url in (stage.base_url, *stage.direct_urls.values())]
    assert len(bodies[0]) == 100
    assert all(body == bodies[0] for body in bodies)
    for _ in range(2):
        stage.network.slow_network(0)
        for _ in wait_until("the front door is as before", 60):
            if _took_s(stage.base_url) < delay_s:
                break
    assert status(stage.base_url) == 200


def assert_the_server_is_set_up(stage: Stage, connections: int) -> None:
    """Its settings are those of a short life; what the upgrade left behind is cleaned up."""
    names = {
        "max_connections": str(connections), "superuser_reserved_connections": "0", "fsync": "off",
        "full_page_writes": "off", "max_wal_size": "4GB", "shared_buffers": "128MB",
    }  # fmt: skip
    asked = "SELECT current_setting(unnest(%s::text[]))"
    assert [row[0] for row in stage.database.fetch(asked, (list(names),))] == [*names.values()]
    vacuumed = "SELECT count(*) FROM pg_class WHERE relname = %s AND relallvisible = relpages"
    for table in ("listings", "reservations"):
        assert stage.database.fetch(vacuumed, (table,)) == [(1,)]


def _took_s(url: str) -> float:
    with httpx.Client(timeout=5) as client:
        began = time.perf_counter()
        client.get(f"{url}/health")
        return time.perf_counter() - began


def _items(stage: Stage, url: str) -> list[object]:
    headers = {"X-API-Key": stage.api_key}
    answer = httpx.get(f"{url}/api/listings?limit=100", headers=headers, timeout=5)
    items: list[object] = answer.json()["items"]
    return items
