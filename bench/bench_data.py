"""How backup, proof, downgrade and restore grow: `python -m bench.bench_data 10000 1000000`.

For each number of listings it prints what the runbook's own blocks take beside the plain commands
on the same data in the same run, what the suite's own looks cost, and the worst time that a writer
was kept waiting by the downgrade. Ratios are to the plain commands that do the same.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from rollback_drill.data.fingerprint import fingerprint
from rollback_drill.ground.machine import keep_out
from rollback_drill.ground.signals import told_to_end
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.backup import prove
from rollback_drill.perform.performer import choose
from rollback_drill.runbook.model import CodeBlock
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.subject.hostaway.hazards.under_fire import UnderFire
from rollback_drill.subject.hostaway.recipe import FAILING

RUNBOOK = parse(Path(__file__).resolve().parent.parent / "runbook" / "rollback.md")
SIZES = (10_000, 1_000_000)
_LIMIT_S = 3_600.0
_PG = 'export PGHOST="$DB_HOST" PGPORT="$DB_PORT" PGUSER="$DB_USER"\n'
_DUMP = _PG + 'pg_dump -Fc -Z1 -d "$DB_NAME" -f "$BACKUP_DIR/plain.dump"'
_RESTORE = (
    _PG + "psql -X -q -d postgres -c 'DROP DATABASE IF EXISTS plain' -c 'CREATE DATABASE plain'\n"
    'pg_restore --exit-on-error --no-owner -d plain "$BACKUP_DIR/plain.dump"'
)
_DOWNGRADE = 'DATABASE_URL="${DATABASE_URL%/*}/plain" .venv/bin/alembic downgrade 0001_base'

out = sys.stdout.write


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _run(stage: Stage, script: str) -> float:
    def work() -> None:
        done = stage.hosts[0].run(script, limit_s=_LIMIT_S)
        if not done.ok:
            raise SystemExit(f"{script.splitlines()[-1]}: {done.stderr[-500:]}")

    return _timed(work)


def _block(stage: Stage, block: CodeBlock) -> float:
    return _run(stage, choose(block, stage.alternatives).script)


def _proof(stage: Stage) -> float:
    """Return how long the check of the newest backup takes."""
    folder = Path(stage.environment["BACKUP_DIR"])
    newest = max(folder.glob("backup_pre_rollback_*.dump"))

    def work() -> None:
        found = prove(stage.database, stage.hosts[0], str(newest), stage.environment["DB_USER"])
        if found.verdict is not Verdict.PASSED:
            raise SystemExit(found.evidence)

    return _timed(work)


def _measure(listings: int) -> None:
    procedure = RUNBOOK.procedure(2)
    stop, backup, _to_storage, archive, _kept_to_storage = procedure.steps[2].blocks
    downgrade, fallback = procedure.steps[3].blocks
    options = StageOptions(listings=listings)
    with open_stage("processes", options, lambda _: None) as stage:
        ((size,),) = stage.database.fetch("SELECT pg_database_size(current_database())")
        out(f"\n{listings:,} listings, {size / 2**20:,.0f} MB\n")
        out(f"{'what':46} {'seconds':>8} {'plain':>8} {'ratio':>6}\n")
        looked = _timed(lambda: fingerprint(stage.database))
        _block(stage, stop)
        dump, restore = _run(stage, _DUMP), _run(stage, _RESTORE)
        plain_downgrade = _run(stage, _DOWNGRADE)
        rows = [
            ("backup, read in full, restored, compared", _block(stage, backup), dump + restore),
            ("archive of what is dropped", _block(stage, archive), None),
        ]
        rows.append(("the suite's own proof of the backup", _proof(stage), restore))
        rows.append(("the suite's look at all data, twice", 2 * looked, dump + restore))
        restored = _block(stage, fallback)
        rows.append(("alternative: restore, downgrade, swap", restored, restore + plain_downgrade))
        stage.deploy(FAILING)
        _block(stage, stop)
        rows.append(("downgrade", _block(stage, downgrade), plain_downgrade))
        for name, took, plain in rows:
            ratio = f"{plain:8.2f} {took / plain:6.2f}" if plain else f"{'':8} {'':6}"
            out(f"{name:46} {took:8.2f} {ratio}\n")
        stage.deploy(FAILING)
        _block(stage, stop)
        fire = UnderFire()
        fire.arm(stage)
        took = _block(stage, downgrade)
        out(f"downgrade under fire: {took:.2f} s; {fire.disarm(stage)}\n")


def main() -> None:
    """Print a table for each size that was asked for."""
    for listings in [int(word) for word in sys.argv[1:]] or SIZES:
        _measure(listings)


if __name__ == "__main__":
    keep_out()
    with told_to_end():
        main()
