"""The container stage: what it promises, asked of the real engine."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from docker.models.containers import Container

from rollback_drill.breaks.hazards.disk import DiskFull
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.wait import wait_until
from rollback_drill.perform.performer import choose
from rollback_drill.runbook.model import CodeBlock
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.container_sweep import made
from rollback_drill.stage.containers import ContainerStage
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.subject.hostaway.recipe import FAILING, RECIPE, STABLE
from tests.stage.stage_support import (
    assert_slowed_and_taken_back,
    assert_the_server_is_set_up,
    await_status,
    status,
)

pytestmark = pytest.mark.containers
ROOT = Path(__file__).resolve().parents[2]
FRESH = "fresh"
OPTIONS = DiskFull().foresee(
    StageOptions(listings=200, hosts=2, memory_limit_bytes=160 * 2**20, connection_limit=30)
)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    opened = open_stage("containers", OPTIONS, lambda _: None)
    with opened:
        yield opened
    assert opened.leftovers() == []


@pytest.fixture
def put_back(stage: Stage) -> Iterator[None]:
    yield
    stage.deploy(FAILING)


def pages(stage: Stage, url: str) -> list[int]:
    path = "/api/listings?limit=5"
    headers = {"X-API-Key": stage.api_key}
    statuses = []
    for _ in range(10):
        try:
            statuses.append(httpx.get(url + path, headers=headers, timeout=5).status_code)
        except httpx.TransportError:
            statuses.append(0)
    return statuses


def block(step: int, way: str) -> str:
    """Return the code of Procedure 1's step that switches maintenance by `way`."""
    first = parse(ROOT / "runbook" / "rollback.md").procedure(1).steps[step - 1].blocks[0]
    chosen = choose(first, [way])
    assert way in chosen.label
    return chosen.script


def test_containers_may_no_more_than_they_need(stage: Stage) -> None:
    assert isinstance(stage, ContainerStage)
    found = [one for one in made(stage._labels) if isinstance(one, Container)]
    assert len(found) == 5  # two hosts, Postgres, the load balancer, Prometheus
    for one in found:
        may = one.attrs["HostConfig"]
        is_host = one.attrs["Config"]["Hostname"] in stage.direct_urls
        who = bytes(one.exec_run(["id", "-un"]).output).decode().strip()  # type: ignore[arg-type]
        assert not may["Privileged"]
        assert not may["CapAdd"]
        assert may["SecurityOpt"] == ["no-new-privileges"]
        assert 0 < may["PidsLimit"] <= 1024
        assert 0 < may["Memory"] <= 2**30
        assert "NET_RAW" in may["CapDrop"] if is_host else may["CapDrop"] == ["ALL"]
        assert is_host or who in ("nobody", "postgres")
    ready = f"{stage.prometheus_url}/-/ready"
    assert httpx.get(ready, timeout=5).status_code == 200


def test_both_hosts_serve_behind_the_load_balancer(stage: Stage) -> None:
    assert {status(url) for url in stage.direct_urls.values()} == {200}
    assert pages(stage, stage.base_url) == [200] * 10
    assert list(stage.process.pids()) == list(stage.process.rss_bytes()) == ["host-1", "host-2"]


def test_the_stable_release_was_asked_before_the_upgrade(stage: Stage) -> None:
    golden = stage.golden
    assert golden is not None
    assert golden.release == STABLE
    (told,) = {
        a.body for q, a in zip(golden.questions, golden.answers, strict=True) if q.path == "/health"
    }
    assert '"version":"0.0.9"' in told
    assert {answer.status for answer in golden.answers} == {200, 307, 401, 404, 405, 422, 503}
    # Nothing of it is left for the drill to find.
    assert all("0.0.9" not in text for text in stage.application_log().values())


def test_the_server_is_set_up_for_a_short_life(stage: Stage) -> None:
    stage.deploy(FAILING)
    assert_the_server_is_set_up(stage, 30)


def test_a_kept_database_holds_what_filling_makes(stage: Stage) -> None:
    stage.deploy(FAILING)
    owner = f"postgresql://$DB_USER:$PGPASSWORD@$DB_HOST:$DB_PORT/{FRESH}"
    environment = f'export DB_NAME={FRESH} DATABASE_URL="{owner}"\n'
    dump = 'pg_dump -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" -d "$DB_NAME" --inserts --rows-per-insert=500'
    stage.database.fetch(f"CREATE DATABASE {FRESH} OWNER hostaway")
    try:
        filled = OPTIONS.filling(RECIPE.fill + RECIPE.upgrade)
        fresh = stage.hosts[0].run(environment + filled + dump, limit_s=60)
    finally:
        stage.database.fetch(f"DROP DATABASE {FRESH}")
    kept = stage.hosts[0].run(dump, limit_s=30)
    assert kept.ok, kept.stderr
    assert fresh.ok, fresh.stderr
    assert "'SEED-0000100'" in kept.stdout
    assert told(kept.stdout) == told(fresh.stdout[fresh.stdout.index("--") :])


def told(dump: str) -> list[str]:
    """Return the lines of a dump without the moment at which rows were made, and its own key."""
    same = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+00", "then", dump)
    return [line for line in same.splitlines() if "restrict " not in line]


def test_the_origin_can_be_cloned_as_any_other(stage: Stage) -> None:
    asked = "git -C /srv/origin.git tag; git clone -q /srv/origin.git again; rm -rf again; cat .venv/pyvenv.cfg"
    done = stage.hosts[0].run(asked, limit_s=20)
    assert done.ok, done.stderr
    assert STABLE in done.stdout
    assert "home = /usr" in done.stdout


def test_a_kept_database_takes_the_passwords_of_its_stage(stage: Stage) -> None:
    asked = "SELECT count(*) FROM pg_authid WHERE rolname IN ('postgres', 'hostaway')"
    assert stage.database.fetch(asked) == [(2,)]
    wrong = 'PGPASSWORD=wrong psql -X -h "$DB_HOST" -U "$DB_USER" -d "$DB_NAME" -c "SELECT 1"'
    refused = stage.hosts[0].run(wrong, limit_s=10)
    assert "password authentication failed" in refused.stderr
    assert stage.hosts[0].run(wrong.replace("PGPASSWORD=wrong", ""), limit_s=10).ok


def test_the_way_to_the_hosts_is_slowed_down_and_taken_back(stage: Stage) -> None:
    def made() -> list[str]:
        return sorted(stage.leftovers())

    before = made()
    assert_slowed_and_taken_back(stage)
    assert made() == before


def test_the_runbooks_haproxy_blocks_drain_and_bring_back(stage: Stage) -> None:
    host = stage.hosts[0]
    off = host.run(block(1, "HAProxy"), limit_s=10)
    assert off.ok, off.stderr
    await_status(stage.base_url, 503)
    assert {status(url) for url in stage.direct_urls.values()} == {200}
    assert {status(stage.base_url) for _ in range(50)} == {503}
    assert host.run(block(6, "HAProxy"), limit_s=10).ok
    await_status(stage.base_url, 200)


def test_the_maintenance_file_takes_out_the_host_that_has_it(stage: Stage) -> None:
    for host in stage.hosts:
        assert host.run('echo x > "$MAINTENANCE_FILE"', limit_s=5).ok
    await_status(stage.base_url, 503)
    assert stage.hosts[1].run('rm "$MAINTENANCE_FILE"', limit_s=5).ok
    await_status(stage.base_url, 200)
    assert stage.hosts[0].run('rm "$MAINTENANCE_FILE"', limit_s=5).ok


def test_a_disk_that_was_foreseen_is_soon_full(stage: Stage) -> None:
    hazard = DiskFull()
    assert "16 KB" in hazard.arm(stage)
    for host in stage.hosts:
        full = host.run('head -c 64K /dev/zero > "$BACKUP_DIR/dump"', limit_s=5)
        assert "No space left" in full.stderr
        assert host.run('rm "$BACKUP_DIR/dump"', limit_s=5).ok
    assert hazard.disarm(stage) == ""


@pytest.mark.usefixtures("put_back")
def test_the_kernel_kills_beyond_the_memory_limit_and_counts_it(stage: Stage) -> None:
    before = stage.oom_kills()
    assert set(before) == {"host-1", "host-2"}
    stage.defects.set_defects({"cursor_cache_leak_kb": 4096})
    for _ in wait_until("a kill for memory on the first host", 60):
        pages(stage, stage.direct_urls["host-1"])
        if stage.oom_kills()["host-1"] > before["host-1"]:
            break
    assert stage.oom_kills()["host-2"] == before["host-2"]
    for _ in wait_until("supervisord started it again", 60):
        if "host-1" in stage.process.pids() and status(stage.direct_urls["host-1"]) == 200:
            break


@pytest.mark.usefixtures("put_back")
def test_leaked_connections_end_in_a_refusal_and_the_administrator_still_gets_in(
    stage: Stage,
) -> None:
    stage.defects.set_defects({"connection_leak": True})
    for _ in wait_until("Postgres refuses", 60):
        pages(stage, stage.base_url)
        if "too many clients already" in stage.database.log():
            break
    assert stage.database.fetch("SELECT count(*) FROM listings") == [(200,)]
    assert stage.database.connections()[1] == 30


@pytest.mark.usefixtures("put_back")
def test_a_deployment_puts_every_host_and_the_database_back(stage: Stage) -> None:
    assert stage.database.fetch("DELETE FROM reservations RETURNING 1")
    for host in stage.hosts:
        assert host.run('echo x > stray.txt; echo x > "$MAINTENANCE_FILE"', limit_s=5).ok
    stage.deploy(STABLE)
    for host in stage.hosts:
        seen = host.run("git status --porcelain; git describe --exact-match HEAD", limit_s=10)
        assert seen.stdout.split() == [STABLE]
    assert stage.database.fetch("SELECT count(*) FROM reservations") == [(100,)]
    assert stage.database.fetch("SELECT version_num FROM alembic_version") == [("0001_base",)]


def test_output_arrives_line_by_line_with_its_stream_and_status(stage: Stage) -> None:
    seen: list[tuple[str, str]] = []
    done = stage.hosts[0].run(
        "echo one; echo two >&2; printf three; exit 7",
        limit_s=5,
        on_line=lambda stream, line: seen.append((stream, line)),
    )
    assert done.exit_status == 7
    assert sorted(seen) == [("stderr", "two"), ("stdout", "one"), ("stdout", "three")]


def test_a_failing_pipe_fails_the_script(stage: Stage) -> None:
    assert not stage.hosts[0].run("false | cat", limit_s=5).ok


def test_a_script_and_its_children_end_at_the_limit(stage: Stage) -> None:
    done = stage.hosts[0].run("timeout 300 sleep 321.5 & sleep 321.5", limit_s=0.5)
    assert done.exit_status is None
    assert stage.hosts[0].run("pgrep -f '[3]21.5'", limit_s=5).exit_status == 1


def test_secrets_reach_scripts_but_no_arguments(stage: Stage) -> None:
    done = stage.hosts[0].run(
        # A process may end while it is looked at.
        'test -n "$API_KEY"; { cat /proc/[0-9]*/cmdline 2>/dev/null || true; } | tr "\\0" " "',
        limit_s=5,
    )
    assert done.ok
    assert "supervisord" in done.stdout
    assert not [secret for secret in stage.secrets if secret in done.stdout]


CHILD = """
import sys
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
stage = open_stage("containers", StageOptions(listings=50), lambda _: None)
with stage:
    print(",".join(stage.leftovers()), flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_drill_left_is_swept_and_what_lives_is_kept(stage: Stage) -> None:
    from rollback_drill.stage.container_sweep import sweep_engine

    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    made = set(child.stdout.readline().strip().split(","))
    assert len(made) == 5
    assert not made & set(sweep_engine())
    child.kill()
    child.wait()
    assert made <= set(sweep_engine())
    assert status(stage.base_url) == 200


def test_a_real_systemd_restarts_and_hangs_up_by_the_runbooks_own_blocks() -> None:
    runbook = parse(ROOT / "runbook" / "rollback.md")
    restart = runbook.procedure(1).steps[3].blocks
    switch_off = runbook.procedure(3).steps[0].blocks
    options = StageOptions(listings=200, supervisor="systemd")
    with open_stage("containers", options, lambda _: None) as systemd:
        host = systemd.hosts[0]

        def performed(blocks: tuple[CodeBlock, ...]) -> None:
            for block in blocks:
                chosen = choose(block, systemd.alternatives)
                assert chosen.label in ("", "systemd")
                assert host.run(chosen.script, limit_s=60).ok

        before = systemd.process.pids()
        performed(restart)
        after = systemd.process.pids()
        assert after[host.name] != before[host.name]
        performed(switch_off)  # waits until lists come in the old format
        assert systemd.process.pids() == after
        # What the kernel kills comes back by itself, as under the other supervisor.
        host.run('kill -KILL "$(systemctl show -P MainPID hostaway-mcp)"', limit_s=10)
        await_status(systemd.direct_urls[host.name], 200, limit_s=20)
        assert systemd.process.pids()[host.name] != after[host.name]


def test_a_supervisor_that_does_not_exist_is_used_wrongly() -> None:
    with pytest.raises(UsageError, match="SUPERVISOR"):
        open_stage("containers", StageOptions(supervisor="upstart"), lambda _: None)
    with pytest.raises(UsageError, match="SUPERVISOR"):
        open_stage("processes", StageOptions(supervisor="systemd"), lambda _: None)
