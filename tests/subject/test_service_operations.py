"""What operators rely on: health, maintenance, reload without a gap, a quick end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rollback_drill.ground.wait import wait_until
from tests.data.postgres_support import Postgres
from tests.subject.service_process import NEW, OLD, Service, deployment, running

Deployed = tuple[Postgres, Service]
KEPT = "Config not reloaded, the old configuration stays in force"


@pytest.fixture(scope="module", params=[pytest.param(OLD, marks=pytest.mark.wide), NEW])
def deployed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    with deployment(tmp_path_factory.mktemp("operations"), request.param, 50) as deployed:
        yield deployed


@pytest.fixture
def service(deployed: Deployed) -> Iterator[Service]:
    service = deployed[1]
    before = service.config.read_text()
    yield service
    service.maintenance_file.unlink(missing_ok=True)
    service.config.write_text(before)
    service.signal_and_await("Config reloaded")


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


def pid(client: httpx.Client) -> int:
    return int(client.get("/health").json()["pid"])


def test_maintenance_takes_the_host_out_and_leaves_it_working(
    service: Service, client: httpx.Client
) -> None:
    assert client.get("/ready").status_code == 200
    service.maintenance_file.write_text("maintenance\n")
    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200
    assert client.get("/api/listings").status_code == 200
    service.maintenance_file.unlink()
    assert client.get("/ready").status_code == 200


def test_a_reload_takes_effect_in_the_same_process(service: Service, client: httpx.Client) -> None:
    before = pid(client)
    text = service.config.read_text()
    service.config.write_text(text.replace("default_limit: 50", "default_limit: 3"))
    record = service.signal_and_await("Config reloaded")
    assert record["pid"] == before == pid(client)
    page = client.get("/api/listings").json()
    assert len(page.get("items", page.get("listings"))) == 3


@pytest.mark.parametrize(
    "text",
    [
        "pages: [",
        "pages:\n\tdefault_limit: 3\n",
        "just words",
        "pages:\n  default_limit: many\n",
        "pages:\n  default_limit: 0\n",
        "pages:\n",
        "log_requests: 3\n",
        "when: 2025-99-99\n",
        "[" * 5000,
        "\x00",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_bad_file_keeps_the_old_configuration_and_says_so(
    service: Service, client: httpx.Client, text: str
) -> None:
    before = client.get("/api/listings").json()
    old_pid = pid(client)
    service.config.write_text(text)
    record = service.signal_and_await(KEPT)
    assert record["level"] == "ERROR"
    assert record["error"]
    now = client.get("/api/listings").json()
    assert now.keys() == before.keys()
    assert now.get("limit", now.get("meta")) == before.get("limit", before.get("meta"))
    assert pid(client) == old_pid


def test_a_missing_file_keeps_the_old_configuration(service: Service, client: httpx.Client) -> None:
    service.config.unlink()
    assert service.signal_and_await(KEPT)["level"] == "ERROR"
    assert client.get("/api/listings").is_success


def test_keys_that_mean_nothing_are_named(service: Service, client: httpx.Client) -> None:
    # What a heredoc leaves that has lost its indentation.
    service.config.write_text("pagination_enabled: false\npages:\n  limit: 3\n")
    record = service.signal_and_await("Config has keys that mean nothing to this release")
    assert record["level"] == "WARNING"
    assert record["keys"] == "pagination_enabled, pages.limit"


def test_no_request_is_dropped_by_reloads(service: Service, client: httpx.Client) -> None:
    process = service.process
    assert process
    outcomes: Counter[object] = Counter()
    stop = threading.Event()

    def hammer() -> None:
        with service.client() as own:
            while not stop.is_set():
                try:
                    outcomes[own.get("/api/listings", params={"limit": 5}).status_code] += 1
                except httpx.HTTPError as error:
                    outcomes[repr(error)] += 1

    threads = [threading.Thread(target=hammer) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for reload in range(1, 21):
            sent = outcomes.total()
            service.signal_and_await("Config reloaded")
            for _ in wait_until(f"requests after reload {reload}", 60, every_s=0.01):
                if outcomes.total() > sent + 4:
                    break
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert set(outcomes) == {200}
    assert pid(client) == process.pid


def test_health_says_no_while_the_database_is_down_and_recovers(
    deployed: Deployed, service: Service, client: httpx.Client
) -> None:
    server = deployed[0]
    server.stop()
    try:
        # Two seconds of patience in the service; more would make a load balancer give up first.
        health = client.get("/health", timeout=4)
        assert health.status_code == 503
        assert health.json()["status"] == "unavailable"
        assert client.get("/ready", timeout=4).status_code == 503
        refused = client.get("/api/listings")
        assert refused.status_code == 500
        assert refused.json()["error"] == "database"
        record = service.await_record("Request failed")
        assert record["level"] == "ERROR"
        assert record["error"] == refused.json()["detail"]
        assert service.records("ERROR")
    finally:
        server.start()
    for _ in wait_until("the service recovers", 60):
        if client.get("/health").status_code == 200:
            break
    assert client.get("/api/listings").status_code == 200


def test_health_says_no_when_the_database_hangs(
    deployed: Deployed, service: Service, client: httpx.Client
) -> None:
    backends = [
        row[0]
        for row in deployed[0].fetch(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'hostaway-mcp'"
        )
    ]
    assert backends
    postmaster = deployed[0].pid
    for stopped in (postmaster, *backends):
        os.kill(stopped, signal.SIGSTOP)
    try:
        assert client.get("/health", timeout=4).status_code == 503
    finally:
        for stopped in (*backends, postmaster):
            os.kill(stopped, signal.SIGCONT)
    for _ in wait_until("the service recovers", 60):
        if client.get("/health").status_code == 200:
            break


def test_it_starts_without_a_database_and_serves_once_there_is_one(
    deployed: Deployed, service: Service
) -> None:
    service.stop()
    deployed[0].stop()
    try:
        service.start()
        with service.client() as client:
            assert client.get("/health", timeout=4).status_code == 503
    finally:
        deployed[0].start()
    with service.client() as client:
        for _ in wait_until("the service finds its database", 60):
            if client.get("/health").status_code == 200:
                break


def test_open_connections_do_not_delay_its_end(service: Service) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            idle = stack.enter_context(service.client())
            assert idle.get("/api/listings").is_success
        service.stop()  # raises when the process is still there after ten seconds
    assert service.records()[-1]["message"] == "Stopped"
    with pytest.raises(httpx.ConnectError), service.client() as client:
        client.get("/health")
    service.start()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"HOSTAWAY_API_KEY": ""}, "HOSTAWAY_API_KEY"),
        ({"HOSTAWAY_CONFIG": "/nowhere/config.yaml"}, "usable config"),
    ],
    ids=str,
)
def test_it_does_not_start_half_configured(
    service: Service, change: dict[str, str], said: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [service.python, "-m", "hostaway_mcp"],
        cwd=service.app,
        env=service.environment() | {"HOSTAWAY_LOG_FILE": str(tmp_path / "log")} | change,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_flag_gives_the_old_format_back_and_forth(tmp_path: Path) -> None:
    with deployment(tmp_path, NEW, 30) as (_, service), service.client() as client:
        old_format = {"listings", "count", "limit", "offset"}
        cursor = client.get("/api/listings", params={"limit": 5}).json()["nextCursor"]
        before = service.config.read_text()
        service.config.write_text("context_protection:\n  pagination_enabled: false\n")
        service.signal_and_await("Config reloaded")
        page = client.get("/api/listings", params={"limit": 5, "offset": 10}).json()
        assert set(page) == old_format
        assert [row["id"] for row in page["listings"]] == [11, 12, 13, 14, 15]
        # Clients in the middle of a walk are served too.
        late = client.get("/api/listings", params={"limit": 5, "cursor": cursor})
        assert set(late.json()) == old_format
        new = client.get("/api/reservations").json()

        service.stop()
        service.checkout(OLD)
        with running(service), service.client() as old_client:
            old = old_client.get("/api/listings", params={"limit": 5, "offset": 10}).json()
            assert old == page
            assert old_client.get("/api/reservations").json() == new

        service.checkout(NEW)
        service.config.write_text(before)
        with running(service), service.client() as new_client:
            # A restart does not invalidate cursors: secret and lifetime are the same.
            assert new_client.get("/api/listings", params={"cursor": cursor}).is_success
