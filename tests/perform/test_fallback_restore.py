"""The way out when a downgrade fails: the runbook's own restore, into a new database."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from load.recorder import Recorder
from rollback_drill.breaks.hazard import Mishap, hazard_called
from rollback_drill.breaks.told import WritesUnderFire
from rollback_drill.data.accounting import Accounting
from rollback_drill.data.told import PathRead
from rollback_drill.ground.clock import now
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.performer import choose
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.subject.hostaway.crowds import Customer, ListsAsk, compact
from rollback_drill.subject.hostaway.recipe import FAILING
from rollback_drill.traffic.observation import Observation, Outcome
from tests.stage.stage_support import await_status

PROCEDURE = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md").procedure(2)
REVISION = "SELECT version_num FROM alembic_version"
START = 'supervisorctl -c "$SUPERVISOR_CONF" start hostaway-mcp'

pytestmark = pytest.mark.drill


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage("processes", StageOptions(listings=200), lambda _: None) as opened:
        yield opened


def book(stage: Stage, recorder: Recorder, reference: str) -> None:
    """Make a reservation on the host, and write down what became of it as the generator does."""
    fields: dict[str, object] = {
        "reference": reference, "listing_id": 1, "guest_name": "Ada", "check_in": "2031-01-01",
        "check_out": "2031-01-02", "total_cents": 100, "channel": "phone",
    }  # fmt: skip
    ask = ListsAsk(Customer("c000"), "create", "POST", "/", compact(fields), reference, reference)
    recorder.announce(ask)
    sent = now()
    answer = httpx.post(
        f"{stage.direct_urls[stage.hosts[0].name]}/api/reservations",
        content=ask.body,
        headers={"X-API-Key": stage.api_key, "Content-Type": "application/json"},
    )
    assert answer.status_code == 201, answer.text
    recorder.observe(
        Observation(sent, sent, now(), "c000", "create", 201, Outcome.OK, "", reference)
    )
    recorder.flush()


@pytest.mark.parametrize("somebody_writes", [False, True])
def test_the_restore_keeps_what_was_in_the_backup_and_the_ledger_names_what_was_not(
    stage: Stage, tmp_path: Path, somebody_writes: bool
) -> None:
    stage.deploy(FAILING)  # a stage kept up can be put back after it
    host, database = stage.hosts[0], stage.database
    rows = "SELECT (SELECT count(*) FROM listings), (SELECT count(*) FROM reservations)"
    recorder = Recorder(tmp_path, 0)
    book(stage, recorder, "before-the-backup")
    before = database.fetch(rows)
    timeline = Timeline(tmp_path / "timeline.jsonl")
    timeline.record(ProcedureChosen(2, PROCEDURE.title, 0, 0, "operator"))
    accounts = Accounting(stage, timeline, tmp_path)
    accounts.begin(PROCEDURE)
    accounts.note_damage()
    assert database.fetch(REVISION) == [("0002_pagination",)]

    def run(script: str) -> None:
        done = host.run(script, limit_s=120)
        assert done.ok, done.stderr

    for block in PROCEDURE.steps[2].blocks:
        run(choose(block, stage.alternatives).script)
    if somebody_writes:
        run(START)  # whoever thought that it should run
        await_status(stage.direct_urls[host.name], 200)
        book(stage, recorder, "after-the-backup")
    (fallback,) = [block for block in PROCEDURE.steps[3].blocks if block.fallback]
    run(choose(fallback, stage.alternatives).script)
    accounts.end()
    timeline.close()

    assert database.fetch(REVISION) == [("0001_base",)]
    assert database.fetch(rows) == before
    kept = database.fetch("SELECT count(*) FROM pg_database WHERE datname LIKE '%replaced%'")
    assert kept == [(1,)]
    record = list(read(timeline.path))
    (found,) = [event.what for event in record if isinstance(event.what, PathRead)]
    assert (found.acknowledged, found.dropped) == (1 + somebody_writes, 1)
    assert found.lost == somebody_writes
    assert (found.recovery_point_s > 0) == somebody_writes
    causes = [cause for cause in judge(Book(record)).causes if "writes are lost" in cause.what]
    assert [("after-the-backup" in cause.evidence) for cause in causes] == [True] * somebody_writes


# A worker that is at a table for as long as it takes: a page's cost, then a pause.
SLOW_AUTOVACUUM = {
    "autovacuum_naptime": "1s",
    "autovacuum_vacuum_cost_limit": "1",
    "autovacuum_vacuum_cost_delay": "100ms",
}
PSQL = 'psql -X -q -v ON_ERROR_STOP=1 -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" '
LEFT_BEHIND = f"""{PSQL} -d postgres -c 'CREATE DATABASE hostaway_fresh'
{PSQL} -d hostaway_fresh -c 'CREATE TABLE half AS SELECT generate_series(1, 300000) AS n'
"""
WORKER = """SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'autovacuum worker' AND datname = 'hostaway_fresh'"""


def test_what_an_earlier_attempt_left_is_dropped_beside_its_session_and_an_autovacuum_worker(
    stage: Stage,
) -> None:
    stage.deploy(FAILING)
    host, database = stage.hosts[0], stage.database
    (fallback,) = [block for block in PROCEDURE.steps[3].blocks if block.fallback]
    backup = PROCEDURE.steps[2].blocks[1]
    with contextlib.ExitStack() as undo:
        for setting, value in SLOW_AUTOVACUUM.items():
            undo.callback(database.fetch, f"ALTER SYSTEM RESET {setting}")
            database.fetch(f"ALTER SYSTEM SET {setting} = '{value}'")
        database.fetch("SELECT pg_reload_conf()")
        assert host.run(LEFT_BEHIND, limit_s=60).ok
        url = stage.environment["DATABASE_URL"].rpartition("/")[0]
        undo.enter_context(psycopg.connect(f"{url}/hostaway_fresh"))
        for _ in wait_until("an autovacuum worker in the database that was left", 60):
            if database.fetch(WORKER) != [(0,)]:
                break
        for words, force in (("accessed by other users", ""), ("denied", "WITH (FORCE)")):
            drop = f"{PSQL} -d postgres -c 'DROP DATABASE hostaway_fresh {force}'"
            refused = host.run(drop, limit_s=60)
            assert (refused.ok, words in refused.stderr) == (False, True), refused.stderr
        for block in (backup, fallback):
            done = host.run(choose(block, stage.alternatives).script, limit_s=120)
            assert done.ok, done.stderr
    database.fetch("SELECT pg_reload_conf()")
    assert database.fetch(REVISION) == [("0001_base",)]
    scratch = "SELECT datname FROM pg_database WHERE datname ~ 'scratch|fresh'"
    assert database.fetch(scratch) == []


def test_a_write_that_is_lost_under_fire_fails_the_drill(stage: Stage, tmp_path: Path) -> None:
    stage.deploy(FAILING)
    timeline = Timeline(tmp_path / "timeline.jsonl")
    mishap = Mishap(hazard_called("under-fire"), timeline)
    mishap.before_step(stage, "Revert the migrations")
    rows = "SELECT min(reference) FROM reservations WHERE reference LIKE 'under-fire-%'"
    for _ in wait_until("a write under fire", 60):
        ((victim,),) = stage.database.fetch(rows)
        if victim:
            break
    stage.database.fetch("DELETE FROM reservations WHERE reference = %s", (victim,))
    mishap.after_step(stage)
    timeline.close()
    record = list(read(timeline.path))
    (seen,) = [one.what for one in record if isinstance(one.what, WritesUnderFire)]
    assert (seen.lost, seen.examples) == (1, (victim,))
    assert seen.worst_stall_s > 0
    (cause,) = [one for one in judge(Book(record)).causes if one.where == "Data, under fire"]
    assert (cause.verdict, victim in cause.evidence) == (Verdict.FAILED, True)
