"""A safety backup and a schema are proven as a whole: what a sample would not show is planted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rollback_drill.data.accounting import Accounting
from rollback_drill.data.structure import alterations
from rollback_drill.data.told import ENDED, STARTED, CatalogueSeen, ReleaseSeen
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.check import bind
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.told import CommandStarted
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import open_stage
from rollback_drill.subject.hostaway.recipe import FAILING, STABLE
from rollback_drill.traffic.live import Traffic

pytestmark = pytest.mark.drill
RUNBOOK = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
SAFETY, STORE = (
    block.alternatives[0].script for block in RUNBOOK.procedure(2).steps[2].blocks[1:3]
)
CREATED = "The safety backup was created and restores into a scratch database"
STORED = "The backup is in secure storage, its checksum verified"
EXISTS = "A database backup exists and can be read in full"
SCHEMA = "The database schema is that of the stable release"
PG = 'export PGHOST="$DB_HOST" PGPORT="$DB_PORT" PGUSER="$DB_USER"\ncd "$BACKUP_DIR"\n'
STOP = 'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp || true'
START = 'supervisorctl -c "$SUPERVISOR_CONF" start hostaway-mcp || true'
# What an administrator has added beside all releases.
ADDED = """psql -X -q -v ON_ERROR_STOP=1 -d "$DB_NAME" <<'SQL'
CREATE SCHEMA audit; CREATE TABLE audit.lines (id serial PRIMARY KEY, what text);
INSERT INTO audit.lines (what) VALUES ('x'), ('y'); GRANT SELECT ON listings TO PUBLIC;
COMMENT ON TABLE listings IS 'homes'; CREATE INDEX by_guest ON reservations (guest_name);
SELECT lo_from_bytea(0, 'a contract');
SQL
"""


@pytest.fixture(scope="module")
def opened() -> Iterator[Stage]:
    with open_stage("processes", StageOptions(listings=200), lambda _: None) as one:
        yield one


@pytest.fixture(scope="module")
def stage(opened: Stage) -> Stage:
    run(opened, f"{STOP}\n{PG}{ADDED}")
    return opened


@pytest.fixture
def moment(stage: Stage, tmp_path: Path) -> Iterator[Moment]:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    (tmp_path / "traffic").mkdir()
    traffic = Traffic(stage.base_url, stage.api_key, 60, 1, tmp_path / "traffic", timeline)
    began = time.time()
    yield Moment(
        stage=stage, runbook=RUNBOOK, traffic=traffic, timeline=timeline, tail=None,  # type: ignore[arg-type]
        samples=(), failing=FAILING, stable=STABLE, pace=60, began_at=began, window_from=began,
        title="Stop the application and take a safety backup",
    )  # fmt: skip
    timeline.close()
    run(stage, 'rm -rf "$BACKUP_DIR"/* "$SECURE_STORAGE"/*')


def run(stage: Stage, script: str) -> None:
    done = stage.hosts[0].run(script, limit_s=120)
    assert done.ok, done.stderr or done.stdout


WIDE = pytest.mark.wide  # differs from its neighbour in the object only; see test_catalogue


def verdict(moment: Moment, text: str) -> tuple[Verdict, str]:
    binding = bind(text)
    assert binding is not None, text
    found = binding.verify(moment)
    return found.verdict, found.evidence


def test_a_whole_backup_is_proven_with_all_that_was_added(moment: Moment) -> None:
    run(moment.stage, f"mkdir -p $BACKUP_DIR\n{SAFETY}")
    run(moment.stage, STORE)
    found, evidence = verdict(moment, CREATED)
    assert found is Verdict.PASSED, evidence
    assert "audit.lines 2 rows" in evidence
    assert "large objects 1 rows" in evidence
    assert verdict(moment, STORED)[0] is Verdict.PASSED
    assert verdict(moment, EXISTS)[0] is Verdict.PASSED


DUMP = 'dump="$(ls *.dump)"; pg_dump -Fc -d "$DB_NAME" -f "$dump" '


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        (f"{DUMP} --section=pre-data --section=data", "constraint cursor_audit_pkey of cursor_audit is missing"),
        (f"{DUMP} --exclude-schema=audit", "constraint lines_pkey of audit.lines is missing"),
        pytest.param(f"{DUMP} --exclude-table-data=audit.lines", "audit.lines had 0 rows and has 2", marks=WIDE),
        (f"{DUMP} --no-large-objects", "large objects had 0 rows and has 1"),
        pytest.param(f"{DUMP} --exclude-table-data=reservations_id_seq", "sequence reservations_id_seq stands", marks=WIDE),
        pytest.param(f"{DUMP} --no-comments", "comment on table listings is missing", marks=WIDE),
        pytest.param(f"{DUMP} -x", "grants on listings is", marks=WIDE),
        pytest.param(f"{DUMP} -s", "listings had 0 rows and has 200", marks=WIDE),
        ('pg_dump -Fc -d postgres -f "$(ls *.dump)"', "it is one of the database postgres"),
        (
            'psql -X -q -d "$DB_NAME" -c "UPDATE audit.lines SET what = \'z\' WHERE id = 2"',
            "audit.lines.what has other values",
        ),
        (
            'psql -X -q -d "$DB_NAME" -c "CREATE INDEX late ON listings (name)"',
            "index late is missing",
        ),
        (f"{START}; sleep 1", "while the application runs"),
    ],
)  # fmt: skip
def test_a_backup_that_lacks_something_fails(moment: Moment, defect: str, said: str) -> None:
    run(moment.stage, f"mkdir -p $BACKUP_DIR\n{SAFETY}")
    try:
        run(moment.stage, PG + defect)
        found, evidence = verdict(moment, CREATED)
    finally:
        run(
            moment.stage,
            f"{STOP}\n{PG}"
            'psql -X -q -d "$DB_NAME" -c "DROP INDEX IF EXISTS late" '
            "-c \"UPDATE audit.lines SET what = 'y' WHERE id = 2\"",
        )
    assert found is Verdict.FAILED, evidence
    assert said in evidence.partition(", expected ")[0]


def test_an_old_backup_under_a_new_name_and_time_is_found_out(moment: Moment) -> None:
    run(moment.stage, f"mkdir -p $BACKUP_DIR\n{SAFETY}")
    run(moment.stage, STORE)
    old = 'for one in "$BACKUP_DIR" "$SECURE_STORAGE"; do touch "$one"/*.dump; done; sleep 2'
    run(moment.stage, old)
    late = replace(moment, began_at=time.time())
    run(moment.stage, 'touch "$BACKUP_DIR"/*.dump')
    found, evidence = verdict(late, CREATED)
    assert (found, "whatever its file's time says" in evidence) == (Verdict.FAILED, True), evidence


@pytest.mark.parametrize(
    ("box", "defect", "said"),
    [
        (STORED, "sed -i 's/^[0-9a-f]*/{0}/' *.sha256", "its checksum there is 0000"),
        (STORED, "rm *.sha256", "No such file"),
        (EXISTS, "sed -i 's/^[0-9a-f]*/{0}/' *.sha256", "its checksum does not match"),
        (EXISTS, 'echo x > other; sha256sum other > "$(ls *.sha256)"', "its checksum does not"),
        (
            EXISTS,
            'pg_dump -Fc -d postgres -f "$(ls *.dump)"; for one in *.dump; do '
            'sha256sum "$one" > "$one.sha256"; done',
            "it is one of the database postgres",
        ),
    ],
)
def test_what_is_in_secure_storage_is_looked_at_there(
    moment: Moment, box: str, defect: str, said: str
) -> None:
    run(moment.stage, f"mkdir -p $BACKUP_DIR\n{SAFETY}")
    run(moment.stage, STORE)
    run(moment.stage, f'{PG}cd "$SECURE_STORAGE"\n{defect.format("0" * 64)}')
    found, evidence = verdict(moment, box)
    assert (found, said in evidence) == (Verdict.FAILED, True), evidence


# Last: the migrations are reverted for good.


def looked(moment: Moment, change: str) -> tuple[tuple[Verdict, str], Book]:
    accounts = Accounting(moment.stage, moment.timeline, moment.timeline.path.parent / "traffic")
    accounts.look(STARTED)
    down = ".venv/bin/alembic downgrade 0001_base"
    moment.timeline.record(CommandStarted(1, "Procedure 2", 4, "host-1", "", down, 9, 60.0))
    run(moment.stage, down)
    try:
        run(moment.stage, f"{PG}{change}")
        found = verdict(moment, SCHEMA)
        accounts.begin(RUNBOOK.procedure(2))
        accounts.look(ENDED)
    finally:
        run(moment.stage, ".venv/bin/alembic upgrade head")
    return found, Book(read(moment.timeline.path))


def test_a_schema_keeps_what_was_added_and_is_else_that_of_the_stable_release(
    moment: Moment,
) -> None:
    (found, evidence), book = looked(moment, "true")
    assert found is Verdict.PASSED, evidence
    assert "that no release made are kept" in evidence
    releases = {one.release for one in book.every(ReleaseSeen)}
    assert (releases, len(book.every(CatalogueSeen))) == ({FAILING, STABLE}, 2)
    assert alterations(book) == ()


@pytest.mark.parametrize(
    ("change", "undo", "said"),
    [
        ("DROP INDEX by_guest", "CREATE INDEX by_guest ON reservations (guest_name)", "by_guest"),
        pytest.param(
            "ALTER TABLE reservations DISABLE TRIGGER USER; DROP INDEX listings_city",
            "CREATE INDEX listings_city ON listings (city, id)",
            "index listings_city is missing",
            marks=WIDE,
        ),
        pytest.param(
            "CREATE TABLE left_over (id int)",
            "DROP TABLE left_over",
            "table left_over is there, and is not its own",
            marks=WIDE,
        ),
        pytest.param(
            "ALTER TABLE reservations ALTER status DROP DEFAULT",
            "ALTER TABLE reservations ALTER status SET DEFAULT 'confirmed'",
            "column reservations.status is “text; not null”",
            marks=WIDE,
        ),
    ],
)
def test_a_schema_with_a_defect_fails(moment: Moment, change: str, undo: str, said: str) -> None:
    try:
        (found, evidence), _ = looked(moment, f'psql -X -q -d "$DB_NAME" -c "{change}"')
    finally:
        run(moment.stage, f'{PG}psql -X -q -d "$DB_NAME" -c "{undo}"')
    assert (found, said in evidence) == (Verdict.FAILED, True), evidence
