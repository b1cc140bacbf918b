"""Every fault on the live service: its symptom is absent before, seen after, and heals."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rollback_drill.breaks.fault import FAULTS, Scene
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.timeline import Timeline
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.subject.hostaway.recipe import FAILING
from rollback_drill.subject.hostaway.told import Walked
from rollback_drill.subject.hostaway.walkers import Walkers
from rollback_drill.traffic.orders import Orders, read_orders
from rollback_drill.traffic.recordings import OBSERVATIONS, WRITES
from rollback_drill.watch.sentinel import all_sentinels
from rollback_drill.watch.webhook import Webhook
from tests.stage.stage_support import await_status

# What no later look can take back: kills, log lines and damaged rows stay counted.
LASTING = {"connection-exhaustion", "cursor-cache-leak", "data-corruption"}
SEEN_BY = {
    "auth-bypass": "security",
    "data-exposure": "security",
    "repeated-pages": "pages",
    "skipped-pages": "pages",
    "endless-pages": "pages",
    "p0-incident": "pages",
    "invalid-cursors": "pages",
    "blind-monitoring": "metrics",
    "frozen-service": "metrics",
    "postgres-down": "database",
    "neighbour-connections": "database",
    "slow-database": "database",
    "lost-load-balancer": "front door",
    "slow-network": "front door",
}
BREAKING = sorted(set(FAULTS.names()) - {"none"})
# One of each kind: errors, slowness, memory, what is leaked or told by people, a process that hangs;
# outside of the release a database, a neighbour and a client.
KINDS = {
    "error-rate-critical",
    "slow-pages-2x",
    "cursor-cache-leak",
    "auth-bypass",
    "p0-incident",
    "blind-monitoring",
    "postgres-down",
    "neighbour-connections",
    "keyless-client",
}
WIDE = pytest.mark.wide


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    options = StageOptions(listings=1_000, memory_limit_bytes=200 * 2**20)
    with open_stage("processes", options, lambda _: None) as opened:
        yield opened


@pytest.fixture
def scene(stage: Stage, tmp_path: Path) -> Iterator[Scene]:
    stage.deploy(FAILING)
    timeline = Timeline(tmp_path / "timeline.jsonl")
    with Webhook(timeline) as webhook:
        yield Scene(stage, 0.02, webhook.url, tmp_path, webhook.token)


@contextlib.contextmanager
def clients(scene: Scene) -> Iterator[None]:
    """Two customers who read pages and write, as far as they are let."""
    over = threading.Event()
    numbers = itertools.count()

    def use() -> None:
        headers = {"X-API-Key": scene.stage.api_key}
        with httpx.Client(base_url=scene.stage.base_url, headers=headers, timeout=5) as client:
            while not over.wait(0.005):
                with contextlib.suppress(httpx.HTTPError):
                    client.get("/api/listings", params={"limit": 5})
                    number = next(numbers)
                    if number % 5 == 0:
                        body = {
                            "reference": f"d-test-{number}",
                            "listing_id": 1,
                            "guest_name": "A rather long name",
                            "check_in": "2030-01-01",
                            "check_out": "2030-01-05",
                            "total_cents": 100,
                        }
                        client.post("/api/reservations", json=body)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one in KINDS else WIDE) for one in BREAKING]
)
def test_the_symptom_is_absent_then_seen_then_gone(scene: Scene, name: str) -> None:
    fault = FAULTS.members()[name]()
    by_name = {one.name: one for one in all_sentinels(scene.stage, scene.traffic)}
    sentinel = by_name.get(SEEN_BY.get(name, ""))
    if name != "keyless-client" and name != "garbage-cursors":
        assert fault.attest(scene)[0] is False
    if sentinel:
        assert sentinel.look().verdict is Verdict.PASSED
    with clients(scene):
        assert fault.inject(scene)
        evidence = ""
        for _ in wait_until(f"{name}: {fault.symptom}", 60):
            with contextlib.suppress(httpx.HTTPError):
                bites, evidence = fault.attest(scene)
                if bites:
                    break
        assert evidence
        if sentinel:
            for _ in wait_until(f"the sentinel {sentinel.name} sees {name}", 60):
                if sentinel.look().verdict is Verdict.FAILED:
                    break
    if name == "frozen-service":
        scene.stage.deploy(FAILING)  # a frozen process cannot be told anything
    fault.heal(scene)
    fault.heal(scene)
    await_status(scene.stage.base_url, 200, limit_s=30)
    if name not in LASTING and read_orders(scene.traffic) == Orders():
        for _ in wait_until(f"{name} is healed", 60):
            if name in ("keyless-client", "garbage-cursors", "low-adoption"):
                break  # the orders are gone: there is nothing left to see
            if not fault.attest(scene)[0]:
                break


def test_a_host_that_does_not_tell_its_kills_is_no_host_without_kills(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = FAULTS.members()["cursor-cache-leak"]()
    assert fault.attest(scene)[1].startswith("0 kills for memory")
    monkeypatch.setattr(scene.stage, "oom_kills", dict)  # as when its control group is gone
    assert fault.attest(scene) == (False, "no host tells how often the kernel killed for memory")


def test_a_healthy_release_passes_every_sentinel(scene: Scene) -> None:
    for sentinel in all_sentinels(scene.stage, scene.traffic):
        if sentinel.name != "integrity":  # nobody wrote anything
            assert sentinel.look().verdict is Verdict.PASSED, sentinel.name
    assert FAULTS.members()["none"]().attest(scene)[0]


def write_records(directory: Path, reference: str, name: str) -> None:
    body = f'{{"reference":"{reference}","guest_name":"{name}"}}'
    with (directory / f"{WRITES}-0.csv").open("a") as file:
        file.write(f"{reference},create,{reference},{body}\n")
    with (directory / f"{OBSERVATIONS}-0.csv").open("a") as file:
        file.write(f"1.0,1.0,1.1,c000,create,201,ok,,{reference}\n")


@pytest.mark.parametrize(
    ("sabotage", "verdict"),
    [
        ("", Verdict.PASSED),
        ("UPDATE reservations SET guest_name = left(guest_name, 3)", Verdict.FAILED),
        ("DELETE FROM reservations", Verdict.FAILED),
    ],
)
def test_the_integrity_sentinel_reads_acknowledged_writes_back(
    scene: Scene, sabotage: str, verdict: Verdict
) -> None:
    (sentinel,) = (
        one for one in all_sentinels(scene.stage, scene.traffic) if one.name == "integrity"
    )
    ((reference, name),) = scene.stage.database.fetch(
        "SELECT reference, guest_name FROM reservations ORDER BY id LIMIT 1"
    )
    assert sentinel.look().verdict is Verdict.UNKNOWN
    write_records(scene.traffic, reference, name)
    assert sentinel.look().verdict is Verdict.PASSED
    if sabotage:
        scene.stage.database.fetch(f"{sabotage} WHERE reference = %s", (reference,))
    assert sentinel.look().verdict is verdict


def test_a_changed_reservation_is_not_taken_for_a_damaged_one(scene: Scene) -> None:
    (sentinel,) = (
        one for one in all_sentinels(scene.stage, scene.traffic) if one.name == "integrity"
    )
    ((reference, name),) = scene.stage.database.fetch(
        "SELECT reference, guest_name FROM reservations ORDER BY id LIMIT 1"
    )
    write_records(scene.traffic, reference, name)
    with (scene.traffic / f"{WRITES}-0.csv").open("a") as file:
        file.write(f'other,update,{reference},{{"guest_name":"New"}}\n')
    scene.stage.database.fetch(
        "UPDATE reservations SET guest_name = 'New' WHERE reference = %s", (reference,)
    )
    assert sentinel.look().verdict is not Verdict.FAILED


def test_names_are_in_kebab_case_and_unknown_ones_are_refused() -> None:
    assert set(BREAKING) >= KINDS
    assert all(name == name.lower() and " " not in name for name in FAULTS.members())
    with pytest.raises(UsageError, match="connection-exhaustion"):
        FAULTS.find("bad-luck", "choose another")


def first_walk(scene: Scene, defects: dict[str, object]) -> Walked:
    """Return the first walk that ends on a release with `defects`."""
    scene.stage.defects.set_defects(defects)
    timeline = Timeline(scene.traffic / "walks.jsonl")
    met: list[Walked] = []
    timeline.subscribe(
        lambda event: met.append(event.what) if isinstance(event.what, Walked) else None,
        "test",
    )
    with Walkers(scene.stage, timeline, scene.traffic):
        for _ in wait_until("a walk ends", 90):
            if met:
                break
    scene.stage.defects.set_defects({})
    return met[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("defects", "counted"),
    [
        ({}, ""),
        ({"page_overlap": 5}, "repeated"),
        pytest.param({"page_gap": 5}, "skipped", marks=WIDE),
        ({"cursor_secret_rotation_s": 0.05}, "refused"),
        pytest.param({"page_error_share": 0.5}, "unanswered", marks=WIDE),
    ],
)
def test_walkers_count_what_they_meet(
    scene: Scene, defects: dict[str, object], counted: str
) -> None:
    walk = first_walk(scene, defects)
    if walk.ended:
        assert walk.rows - walk.repeated + walk.skipped == 1_000
    for name in ("repeated", "skipped", "refused", "unanswered"):
        if not counted or counted in ("repeated", "skipped"):
            assert (getattr(walk, name) > 0) == (name == counted), walk
    if counted:
        assert getattr(walk, counted) > 0


@pytest.mark.parametrize(
    ("defects", "missed"), [({}, False), ({"page_gap": 5}, True), ({"endless_walk": True}, False)]
)
def test_a_walk_that_is_cut_off_has_missed_only_what_it_went_past(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, defects: dict[str, object], missed: bool
) -> None:
    monkeypatch.setattr("rollback_drill.subject.hostaway.walkers._MOST_PAGES", 3)
    walk = first_walk(scene, defects)
    assert (walk.ended, walk.rows, walk.skipped > 0) == (False, 300, missed)
