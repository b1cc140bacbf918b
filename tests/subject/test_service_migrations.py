"""The migration of the pagination release adds schema and data, and takes both back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.data.postgres_support import Postgres, postgres
from tests.subject.service_process import NEW, OLD, Service, make_origin, running, walk


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postgres, Service]]:
    directory = tmp_path_factory.mktemp("migrations")
    with postgres() as server:
        yield server, Service(directory / "host", make_origin(directory), server.create("app"))


@pytest.fixture
def server(fresh: tuple[Postgres, Service]) -> Postgres:
    fresh[0].create("app")
    return fresh[0]


@pytest.fixture
def service(fresh: tuple[Postgres, Service]) -> Service:
    return fresh[1]


def grow(server: Postgres, service: Service, revision: str, listings: int) -> None:
    """Have the database migrated to `revision` with this many listings, as it grew in real life."""
    grown = f"{revision}_with_{listings}"
    if server.fetch(f"SELECT 1 FROM pg_database WHERE datname = 'grown_{grown}'", "postgres"):
        server.create("app", f"grown_{grown}")
        return
    service.checkout(NEW)
    service.alembic("upgrade", "0001_base")
    if listings:
        service.seed(listings)
    if revision != "0001_base":
        service.alembic("upgrade", revision)
    server.create(f"grown_{grown}", "app")


def booking(reference: str) -> dict[str, object]:
    return {
        "reference": reference,
        "listing_id": 1,
        "guest_name": "Ada",
        "check_in": "2026-03-01",
        "check_out": "2026-03-04",
        "total_cents": 30_000,
    }


def test_a_downgrade_leaves_the_schema_and_data_of_the_old_release(
    server: Postgres, service: Service
) -> None:
    service.checkout(OLD)
    service.alembic("upgrade", "head")
    service.seed(300)
    schema, data = server.dump("app", "--schema-only"), server.dump("app", "--data-only")
    assert "0001_base (head)" in service.alembic("current")

    service.checkout(NEW)
    service.alembic("upgrade", "head")
    assert "0002_pagination (head)" in service.alembic("current")
    upgraded = server.dump("app", "--schema-only")
    for added in ("cursor_audit", "search_rank", "listings_search_rank", "channel"):
        assert added in upgraded
        assert added not in schema

    service.alembic("downgrade", "-1")
    assert server.dump("app", "--schema-only") == schema
    assert sorted(server.dump("app", "--data-only").splitlines()) == sorted(data.splitlines())

    service.alembic("upgrade", "head")
    assert server.dump("app", "--schema-only") == upgraded
    service.alembic("downgrade", "0001_base")
    assert server.dump("app", "--schema-only") == schema


@pytest.mark.parametrize(
    ("tag", "defect", "said"),
    [
        (OLD, "", ""),
        (NEW, "", ""),
        (OLD, "ALTER TABLE reservations ADD COLUMN channel text", "remove_column"),
        (OLD, "ALTER TABLE reservations ALTER COLUMN guest_name DROP NOT NULL", "modify_nullable"),
        (OLD, "ALTER TABLE listings ALTER COLUMN price_cents TYPE bigint", "modify_type"),
        (OLD, "DROP INDEX listings_city", "add_index"),
        (OLD, "CREATE TABLE cursor_audit (n int)", "remove_table"),
        (NEW, "ALTER TABLE listings DROP COLUMN search_rank", "add_column"),
        (OLD, "UPDATE alembic_version SET version_num = '0002_pagination'", "Can't locate revision"),
        (NEW, "UPDATE alembic_version SET version_num = '0001_base'", "not up to date"),
    ],
)  # fmt: skip
def test_alembic_holds_the_database_against_the_tables_of_the_release(
    server: Postgres, service: Service, tag: str, defect: str, said: str
) -> None:
    grow(server, service, {OLD: "0001_base", NEW: "0002_pagination"}[tag], 0)
    service.checkout(tag)
    if not defect:
        assert "No new upgrade operations" in service.alembic("check")
        return
    with psycopg.connect(server.url("app"), autocommit=True) as connection:
        connection.execute(defect.encode())
    with pytest.raises(AssertionError, match=said):
        service.alembic("check")


def test_the_upgrade_fills_what_it_adds_from_the_data(server: Postgres, service: Service) -> None:
    service.deploy(NEW, 300)
    ranks = [row[0] for row in server.fetch("SELECT search_rank FROM listings ORDER BY 1")]
    assert ranks == list(range(1, 301))
    assert server.fetch("SELECT channel, count(*) FROM reservations GROUP BY 1") == [
        ("import", 150)
    ]
    assert server.fetch(
        "SELECT collection, rows_at_start, highest_id FROM cursor_audit ORDER BY 1"
    ) == [("listings", 300, 300), ("reservations", 150, 150)]


@pytest.mark.parametrize(
    ("tag", "revision", "config"),
    [
        (OLD, "0002_pagination", None),  # what an application rollback leaves
        (NEW, "0002_pagination", None),
        (NEW, "0002_pagination", "context_protection:\n  pagination_enabled: false\n"),
        (NEW, "0001_base", None),  # what it runs on between a downgrade and the checkout
    ],
)
def test_releases_read_and_write_on_each_schema_that_they_meet(
    server: Postgres, service: Service, tag: str, revision: str, config: str | None
) -> None:
    grow(server, service, revision, 120)
    service.checkout(tag)
    with contextlib.ExitStack() as stack:
        if config:
            stack.callback(service.config.write_text, service.config.read_text())
            service.config.write_text(config)
        stack.enter_context(running(service))
        client: httpx.Client = stack.enter_context(service.client())
        made = client.post("/api/reservations", json=booking("ON-ANY-SCHEMA"))
        assert made.status_code == 201
        path = f"/api/reservations/{made.json()['id']}"
        assert client.patch(path, json={"status": "cancelled"}).status_code == 200
        assert client.get(path).json()["status"] == "cancelled"
        assert len(walk(client, "/api/listings", 25)) == 120
        assert len(walk(client, "/api/reservations", 25)) == 61


def test_a_write_survives_the_downgrade(server: Postgres, service: Service) -> None:
    grow(server, service, "0002_pagination", 120)
    service.checkout(NEW)
    with running(service), service.client() as client:
        made = client.post("/api/reservations", json=booking("KEEP-ME")).json()
    service.alembic("downgrade", "-1")
    service.checkout(OLD)
    with running(service), service.client() as client:
        assert client.get(f"/api/reservations/{made['id']}").json() == made


def test_a_downgrade_fails_rather_than_wait_for_a_lock_for_long(
    server: Postgres, service: Service
) -> None:
    grow(server, service, "0002_pagination", 120)
    service.checkout(NEW)
    with psycopg.connect(server.url("app")) as reader:
        reader.execute("SELECT count(*) FROM cursor_audit")
        with pytest.raises(AssertionError, match="lock timeout"):
            service.alembic("downgrade", "-1")
    assert "0002_pagination" in service.alembic("current")
    service.alembic("downgrade", "-1")


def test_the_old_tree_cannot_take_the_migration_back(server: Postgres, service: Service) -> None:
    # Why a runbook must downgrade before it checks the old release out.
    grow(server, service, "0002_pagination", 120)
    service.checkout(NEW)
    service.checkout(OLD)
    with pytest.raises(AssertionError, match="Can't locate revision"):
        service.alembic("downgrade", "-1")


def test_the_same_seed_gives_the_same_data_and_another_seed_does_not(
    server: Postgres, service: Service, tmp_path: Path
) -> None:
    service.deploy(OLD, 200)

    def dump() -> str:
        return server.dump("app", "--data-only")

    first = dump()
    assert "200 listings and 100 reservations" in service.seed(200)
    assert dump() == first
    service.seed(200, seed=2)
    assert dump() != first
    service.seed(0)
    assert server.fetch("SELECT count(*) FROM listings") == [(0,)]
    service.seed(200)
    assert dump() == first


def test_the_seed_works_on_the_new_schema_too(server: Postgres, service: Service) -> None:
    grow(server, service, "0002_pagination", 120)
    service.checkout(NEW)
    service.seed(40)
    assert server.fetch("SELECT count(*) FROM listings") == [(40,)]
