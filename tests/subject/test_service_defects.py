"""Latent defects: asleep by default, they bite when switched on, and an old release has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from rollback_drill.ground.wait import wait_until
from tests.data.postgres_support import Postgres
from tests.subject.service_process import (
    CANDIDATE,
    NEW,
    OLD,
    SERVICE,
    Service,
    deployment,
    running,
)

Deployed = tuple[Postgres, Service]
ALL = {"cursor_secret_rotation_s": 0.05, "connection_leak": True, "cursor_cache_leak_kb": 512}
REFUSAL = "too many clients already"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployment(tmp_path_factory.mktemp("defects"), NEW, 100) as deployed:
        yield deployed


@pytest.fixture
def service(deployed: Deployed) -> Iterator[Service]:
    """Start each test with a young process of the pagination release without defects."""
    service = deployed[1]
    service.stop()
    service.defects_file.unlink(missing_ok=True)
    service.log_file.unlink(missing_ok=True)
    service.checkout(NEW)
    service.start()
    yield service
    service.stop()


def pages(client: httpx.Client, count: int) -> Counter[int]:
    """Ask for the first page `count` times; return the statuses."""
    return Counter(
        client.get("/api/listings", params={"limit": 5}).status_code for _ in range(count)
    )


def second_page_after(client: httpx.Client, seconds: float) -> httpx.Response:
    cursor = client.get("/api/listings", params={"limit": 5}).json()["nextCursor"]
    for waited in wait_until("a client's pause", seconds + 1, every_s=0.02):
        if waited >= seconds:
            break
    return client.get("/api/listings", params={"limit": 5, "cursor": cursor})


def connections(server: Postgres) -> int:
    rows = server.fetch("SELECT count(*) FROM pg_stat_activity WHERE datname = 'app'")
    return int(rows[0][0])


def test_a_rotating_secret_invalidates_the_cursors_of_clients(service: Service) -> None:
    with service.client() as client:
        assert second_page_after(client, 0.2).status_code == 200
        service.defects(cursor_secret_rotation_s=0.05)
        refused = second_page_after(client, 0.2)
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_cursor"
        assert client.get("/api/listings").is_success
        service.defects()
        assert second_page_after(client, 0.2).status_code == 200


def test_leaked_connections_use_the_database_up(deployed: Deployed, service: Service) -> None:
    with service.client() as client:
        assert pages(client, 60) == {200: 60}  # more than the database has slots
        service.defects(connection_leak=True)
        before = connections(deployed[0])
        assert pages(client, 5) == {200: 5}
        assert connections(deployed[0]) >= before + 5
        statuses = pages(client, 60)
        assert set(statuses) == {200, 500}
        answer = client.get("/api/listings")
        assert (answer.status_code, answer.json()["error"]) == (500, "database")
        assert REFUSAL in answer.json()["detail"]
        assert REFUSAL in service.records("ERROR")[-1]["error"]
        # The pool has connections of its own: what does not page goes on working.
        assert client.get("/api/listings/1").status_code == 200
        assert client.get("/health").status_code == 200


def test_a_new_process_gives_leaked_connections_back(deployed: Deployed, service: Service) -> None:
    service.defects(connection_leak=True)
    with service.client() as client:
        pages(client, 15)
    assert connections(deployed[0]) >= 15
    service.stop()
    for _ in wait_until("Postgres notices that the process is gone", 60):
        if connections(deployed[0]) <= 1:
            break


def test_the_cache_leak_grows_by_what_it_says(service: Service) -> None:
    with service.client() as client:
        pages(client, 100)
        before = service.rss()
        pages(client, 100)
        healthy = service.rss() - before
        service.defects(cursor_cache_leak_kb=512)
        before = service.rss()
        pages(client, 100)
        leaked = service.rss() - before
        assert leaked > 45 * 2**20
        assert healthy < 5 * 2**20
        service.defects()
        pages(client, 20)
        assert service.rss() >= before + leaked - 2**20  # what has leaked stays


def test_nothing_bites_with_pagination_switched_off(deployed: Deployed, service: Service) -> None:
    service.config.write_text("context_protection:\n  pagination_enabled: false\n")
    service.defects(**ALL)
    with service.client() as client:
        before, memory = connections(deployed[0]), service.rss()
        assert pages(client, 60) == {200: 60}
        assert connections(deployed[0]) <= before + 1
        assert service.rss() - memory < 10 * 2**20


@pytest.mark.parametrize("tag", [OLD, CANDIDATE])
def test_older_releases_do_not_have_them(deployed: Deployed, service: Service, tag: str) -> None:
    service.stop()
    service.checkout(tag)
    assert not list(service.app.rglob("defects.py"))
    service.defects_file.write_text("connection_leak: true\ncursor_cache_leak_kb: 512\n")
    with running(service), service.client() as client:
        before, memory = connections(deployed[0]), service.rss()
        assert pages(client, 60) == {200: 60}
        assert connections(deployed[0]) <= before + 1
        assert service.rss() - memory < 10 * 2**20


@pytest.mark.parametrize("tag", [OLD, CANDIDATE])
def test_no_file_of_an_older_release_mentions_a_defect(tag: str) -> None:
    sources = list((SERVICE / tag).rglob("*.py"))
    assert sources
    assert not [path for path in sources if "defect" in path.read_text().lower()]


WRONG = (
    "connection_leak: [",
    "conection_leak: true",
    "connection_leak: 3",
    "cursor_cache_leak_kb: -1",
    "cursor_secret_rotation_s: soon",
    "cursor_secret_rotation_s: .nan",
    "cursor_cache_leak_kb: true",
)


def test_a_bad_file_changes_nothing_and_is_said(service: Service) -> None:
    for text in WRONG:
        service.defects_file.write_text(text)
        assert service.signal_and_await("Defects not reloaded")["level"] == "ERROR", text
        with service.client() as client:
            assert second_page_after(client, 0.1).status_code == 200, text
