"""The process stage: what it promises, asked of the real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.stage.sweep import sweep
from rollback_drill.subject.hostaway.recipe import FAILING, STABLE
from tests.stage.stage_support import (
    assert_slowed_and_taken_back,
    assert_the_server_is_set_up,
    await_status,
    status,
)

OPTIONS = StageOptions(listings=200, memory_limit_bytes=160 * 2**20, connection_limit=20)
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    opened = open_stage("processes", OPTIONS, lambda _: None)
    with opened:
        yield opened
    assert opened.leftovers() == []


@pytest.fixture
def put_back(stage: Stage) -> Iterator[None]:
    yield
    stage.deploy(FAILING)


def pages(stage: Stage, count: int) -> list[int]:
    statuses = []
    with httpx.Client(base_url=stage.base_url, headers={"X-API-Key": stage.api_key}) as client:
        for _ in range(count):
            with contextlib.suppress(httpx.TransportError):
                statuses.append(client.get("/api/listings", params={"limit": 5}).status_code)
    return statuses


def direct(stage: Stage) -> str:
    (url,) = stage.direct_urls.values()
    return url


def test_clients_reach_the_failing_release_through_the_load_balancer(stage: Stage) -> None:
    answer = httpx.get(
        f"{stage.base_url}/api/listings?limit=5", headers={"X-API-Key": stage.api_key}
    )
    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 5


def test_a_runbooks_uv_reaches_the_services_own_environment(stage: Stage) -> None:
    (host,) = stage.hosts
    app = host.run("echo $APP_DIR", limit_s=20).stdout.strip()
    assert host.run("uv python find", limit_s=20).stdout.startswith(f"{app}/.venv/")
    assert not host.run("cd ..; uv pip install --dry-run pip", limit_s=20).ok
    assert not host.run("python3 -c 'import psutil'", limit_s=20).ok


def test_the_maintenance_file_drains_and_direct_requests_still_work(stage: Stage) -> None:
    assert stage.hosts[0].run('echo x > "$MAINTENANCE_FILE"', limit_s=5).ok
    await_status(stage.base_url, 503)
    assert status(direct(stage)) == 200
    assert stage.hosts[0].run('rm "$MAINTENANCE_FILE"', limit_s=5).ok
    await_status(stage.base_url, 200)


def test_the_stable_release_was_asked_before_the_upgrade(stage: Stage) -> None:
    golden = stage.golden
    assert golden is not None
    assert golden.release == STABLE
    (told,) = {
        a.body for q, a in zip(golden.questions, golden.answers, strict=True) if q.path == "/health"
    }
    assert '"version":"0.0.9"' in told
    assert {answer.status for answer in golden.answers} == {200, 307, 401, 404, 405, 422, 503}
    assert golden.contract is not None
    assert 201 in {case.status for case in golden.contract.cases}  # which made a row
    # Nothing of it is left for the drill to find.
    assert all("0.0.9" not in text for text in stage.application_log().values())
    made = "SELECT count(*) FROM reservations WHERE reference LIKE 'check-%%'"
    assert stage.database.fetch(made, ()) == [(0,)]


def test_the_server_is_set_up_for_a_short_life(stage: Stage) -> None:
    stage.deploy(FAILING)
    assert_the_server_is_set_up(stage, 20)


def test_the_way_to_the_host_is_slowed_down_and_taken_back(stage: Stage) -> None:
    assert_slowed_and_taken_back(stage)
    relays = [
        p for p in psutil.process_iter(["cmdline"]) if "slow_relay.py" in str(p.info["cmdline"])
    ]
    mine = [p for p in relays if p.ppid() == os.getpid() and p.status() != psutil.STATUS_ZOMBIE]
    assert mine == []


def test_a_new_deployment_takes_the_direct_way(stage: Stage) -> None:
    stage.network.slow_network(5.0)
    stage.deploy(FAILING)
    await_status(stage.base_url, 200)
    with httpx.Client(timeout=4) as client:  # would not wait for the slow one
        assert client.get(f"{stage.base_url}/health").status_code == 200


def test_the_health_path_drains_and_restores(stage: Stage) -> None:
    patch = (
        'curl -fsS --max-time 5 -X PATCH "$LB_ADMIN/id/health/uri" '
        "-H 'Content-Type: application/json' -d '\"{}\"'"
    )
    assert stage.hosts[0].run(patch.replace("{}", "/maintenance"), limit_s=6).ok
    await_status(stage.base_url, 503)
    stays = [status(stage.base_url) for _ in range(200)]
    assert set(stays) == {503}
    assert status(direct(stage)) == 200
    assert stage.hosts[0].run(patch.replace("{}", "/ready"), limit_s=6).ok
    await_status(stage.base_url, 200)


def test_a_killed_service_is_started_again(stage: Stage) -> None:
    (pid,) = stage.process.pids().values()
    os.kill(pid, signal.SIGKILL)
    for _ in wait_until("another process serves", 60):
        if (
            stage.process.pids()
            and pid not in stage.process.pids().values()
            and status(stage.base_url) == 200
        ):
            break


@pytest.mark.usefixtures("put_back")
def test_memory_beyond_the_limit_is_a_counted_kill(stage: Stage) -> None:
    before = sum(stage.oom_kills().values())
    stage.defects.set_defects({"cursor_cache_leak_kb": 4096})
    for _ in wait_until("a kill for memory", 60):
        pages(stage, 10)
        if sum(stage.oom_kills().values()) > before:
            break


@pytest.mark.usefixtures("put_back")
def test_leaked_connections_end_in_a_refusal_and_the_administrator_still_gets_in(
    stage: Stage,
) -> None:
    stage.defects.set_defects({"connection_leak": True})
    for _ in wait_until("Postgres refuses", 60):
        pages(stage, 10)
        if "too many clients already" in stage.database.log():
            break
    assert stage.database.fetch("SELECT count(*) FROM listings") == [(200,)]
    used, limit = stage.database.connections()
    assert limit == 20
    assert used > 15


@pytest.mark.usefixtures("put_back")
def test_a_deployment_puts_everything_back(stage: Stage) -> None:
    host = stage.hosts[0]
    plant = (
        "git branch rollback-x && git tag -a before-rollback-x -m x "
        '&& echo x > "$MAINTENANCE_FILE" && echo x > "$STATUS_PAGE" && echo x > "$OUTBOX/a" '
        '&& echo x > "$EVIDENCE_DIR/a" && echo x > "$BACKUP_DIR/a" && echo x > "$SECURE_STORAGE/a" '
        '&& echo "# x" >> "$CONFIG_FILE" && echo x > stray.txt'
    )
    environment = {
        f"GIT_{who}_{what}": "a@example.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    assert host.run(plant, limit_s=10, environment=environment).ok
    assert stage.database.fetch("DELETE FROM reservations RETURNING 1")
    stage.deploy(STABLE)
    look = (
        'git status --porcelain; git branch --list "rollback-*"; git tag -l "before-*"; '
        'ls -A "$OUTBOX" "$EVIDENCE_DIR" "$BACKUP_DIR" "$SECURE_STORAGE" | grep -v : | grep . ; '
        'ls "$MAINTENANCE_FILE" "$STATUS_PAGE" 2>/dev/null; git describe --exact-match HEAD'
    )
    seen = host.run("set +e\n" + look, limit_s=10)
    assert seen.stdout.split() == [STABLE]
    assert stage.database.fetch("SELECT count(*) FROM reservations") == [(100,)]
    assert stage.database.fetch("SELECT version_num FROM alembic_version") == [("0001_base",)]
    assert status(stage.base_url) == 200


def test_a_script_and_its_children_end_at_the_limit(stage: Stage) -> None:
    done = stage.hosts[0].run("sleep 321.5 & sleep 321.5", limit_s=0.5)
    assert done.exit_status is None
    assert not [p for p in psutil.process_iter(["cmdline"]) if "321.5" in (p.info["cmdline"] or [])]


@pytest.mark.usefixtures("put_back")
def test_the_database_can_be_renamed_while_the_drill_looks_at_it(stage: Stage) -> None:
    assert stage.database.fetch("SELECT 1") == [(1,)]
    done = stage.hosts[0].run(
        'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp\n'
        'export PGHOST="$DB_HOST" PGPORT="$DB_PORT" PGUSER="$DB_USER"\n'
        'psql -X -q -v ON_ERROR_STOP=1 -d postgres -c "ALTER DATABASE $DB_NAME RENAME TO r1"'
        ' -c "ALTER DATABASE r1 RENAME TO $DB_NAME"',
        limit_s=30,
    )
    assert done.ok, done.stderr
    assert stage.database.fetch("SELECT count(*) FROM listings") == [(200,)]


def test_the_database_asks_for_the_password(stage: Stage) -> None:
    done = stage.hosts[0].run(
        'for user in postgres "$DB_USER"; do '
        'if PGPASSWORD=wrong psql -X -h "$DB_HOST" -p "$DB_PORT" -U "$user" -d "$DB_NAME" '
        '-c "SELECT 1"; then exit 7; fi; done; exit 3',
        limit_s=10,
    )
    assert done.exit_status == 3
    assert done.stderr.count("password authentication failed") == 2


CHILD = """
import sys, threading
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
stage = open_stage("processes", StageOptions(listings=50), lambda _: None)
with stage:
    print(stage._folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_of_a_drill_killed_before_it_started_anything_is_swept() -> None:
    make = (
        "import tempfile; from pathlib import Path; from rollback_drill.stage.sweep import PREFIX, note_owner\n"
        "f = tempfile.mkdtemp(prefix=PREFIX); note_owner(Path(f)); print(f)"
    )
    code = [sys.executable, "-c", make]
    folder = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert folder.strip() in sweep()
    assert not Path(folder.strip()).exists()


def living_in(folder: str) -> list[psutil.Process]:
    return [
        p
        for p in psutil.process_iter(["cmdline"])
        if any(folder in word for word in p.info["cmdline"] or [])
    ]


def test_what_a_killed_drill_left_is_swept_at_the_next_start() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    folder = child.stdout.readline().strip()
    child.kill()
    child.wait()
    assert len(living_in(folder)) >= 4
    assert folder in sweep()
    assert not Path(folder).exists()
    for _ in wait_until("its processes are gone", 60):
        if not living_in(folder):
            break


@pytest.mark.parametrize("hung", [False, True])
def test_leaving_leaves_nothing_even_when_the_service_hangs(hung: bool) -> None:
    opened = open_stage("processes", StageOptions(listings=50), lambda _: None)
    with opened:
        folder = str(opened._folder)  # type: ignore[attr-defined]
        if hung:
            (pid,) = opened.process.pids().values()
            os.kill(pid, signal.SIGSTOP)
    left = [f"{p.pid} {p.info['cmdline'][:3]}" for p in living_in(folder)]
    reported = opened.leftovers()
    for p in living_in(folder):
        p.kill()
    assert not left, reported
    assert not Path(folder).exists()
