"""The way out when a downgrade fails: the runbook's own restore, into a new database."""

from __future__ import annotations

from pathlib import Path

from drill.procedure import choose
from drill.runbook.parse import parse
from drill.stage import FAILING, StageOptions
from drill.stages import open_stage

RUNBOOK = parse(Path(__file__).resolve().parent.parent / "runbook" / "rollback.md")


def test_the_safety_backup_is_restored_downgraded_and_swapped_in() -> None:
    procedure = RUNBOOK.procedure(2)
    safety, revert = procedure.steps[2].blocks, procedure.steps[3].blocks
    (fallback,) = [block for block in revert if block.fallback]
    with open_stage("processes", StageOptions(listings=200), lambda _: None) as stage:
        host, database = stage.hosts[0], stage.database
        rows = "SELECT (SELECT count(*) FROM listings), (SELECT count(*) FROM reservations)"
        before = database.fetch(rows)
        assert database.fetch("SELECT version_num FROM alembic_version") == [("0002_pagination",)]
        for block in (*safety, fallback):
            done = host.run(choose(block, stage.alternatives).script, limit_s=120)
            assert done.ok, done.stderr
        assert database.fetch("SELECT version_num FROM alembic_version") == [("0001_base",)]
        assert database.fetch(rows) == before
        kept = database.fetch("SELECT count(*) FROM pg_database WHERE datname LIKE '%replaced%'")
        assert kept == [(1,)]
        stage.deploy(FAILING)  # a stage kept up can be put back after it
        assert database.fetch(rows) == before
