"""Steps of Procedure 2 that are not done, or done by halves; what backups hold stands elsewhere."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Edit, PlantedIn, Rewrite, Sabotage

_REVISION = "migrations/versions/0002_pagination.py"
_DOWN = "if PGOPTIONS='-c lock_timeout=500ms' .venv/bin/alembic downgrade 0001_base; then break; fi"
_STANDS = (
    ".venv/bin/alembic current | grep -c 0001_base\n```\n\n**Alternative: restore from the safety"
)
_AGREES = """[ "$(psql -X -At -d "$DB_NAME" -c "$rows")" = "$(psql -X -At -d "$scratch" -c "$rows")" ]\n"""
_COPIED = 'cp "$dump" "$dump.sha256" "$dump.restored-rows" "$SECURE_STORAGE/"'
_CHECKED = 'cd "$SECURE_STORAGE"\nsha256sum --check "$dump.sha256"\n'
_KEPT = (
    '  -c "\\copy (SELECT id, search_rank FROM listings ORDER BY id) TO '
    'listings.search_rank.csv CSV HEADER"'
)


def _step(name: str, breaks: str, caught_by: str, *rewrites: tuple[str, str]) -> Sabotage:
    plants = tuple(Rewrite(old, new) for old, new in rewrites)
    return Sabotage(f"p2-{name}", breaks, PlantedIn.RUNBOOK, caught_by, plants, procedure=2)


def _downgrade(name: str, breaks: str, caught_by: str, old: str, new: str) -> Sabotage:
    edit = Edit(_REVISION, old, new, failing=True)
    return Sabotage(f"p2-{name}", breaks, PlantedIn.FAILING, caught_by, (edit,), procedure=2)


_DROPS = '    op.execute("DROP TABLE cursor_audit")\n    op.execute("ALTER TABLE reservations DROP'

SABOTAGES = (
    _step(
        "stamped",
        "the database is said to stand at the old revision, and nothing is taken back",
        "schema_of_stable",
        (_DOWN, ".venv/bin/alembic stamp 0001_base && break"),
    ),
    _step(
        "never-downgraded",
        "the migrations are not reverted, and nobody looks whether they are",
        "migration_reverted",
        (_DOWN, ".venv/bin/alembic current && break"),
        (_STANDS, _STANDS.replace("grep -c 0001_base", "grep -c 000")),
    ),
    _step(
        "code-stays",
        "the migrations are reverted, and the code is not",
        "compiles",
        (
            "#### Step 5: As in Procedure 1\n\nFollow Step 3 of Procedure 1.",
            "#### Step 5: As in Procedure 1\n\nFollow Step 2 of Procedure 1.",
        ),
    ),
    _step(
        "not-stored",
        "the safety backup stays on the host alone",
        "backup_stored",
        (_COPIED, 'ls "$dump"'),
        (_CHECKED, 'sha256sum --check "$dump.sha256"\n'),
    ),
    _step(
        "stored-by-half",
        "half of the safety backup is in secure storage",
        "backup_stored",
        (
            _COPIED,
            f'{_COPIED}\ntruncate -s "$(( $(stat -c %s "$dump") / 2 ))" "$SECURE_STORAGE/$dump"',
        ),
        (_CHECKED, 'sha256sum --check "$dump.sha256"\n'),
    ),
    _step(
        "another-stored",
        "another dump lies in secure storage under the name of the safety backup",
        "backup_stored",
        (
            _COPIED,
            'cp "$(ls "$SECURE_STORAGE"/nightly-*.dump | tail -n 1)" "$SECURE_STORAGE/$dump"',
        ),
        (_CHECKED, 'sha256sum --check "$dump.sha256"\n'),
    ),
    _step(
        "backup-of-postgres",
        "the safety backup is of another database",
        "command: Stop the application and take a safety backup",
        (
            'dump="backup_pre_rollback_$(date +%Y%m%d_%H%M%S).dump"\n',
            'dump="backup_pre_rollback_$(date +%Y%m%d_%H%M%S).dump"; '
            'pg_dump() { command pg_dump -Fc -Z1 -d postgres -f "$dump"; }\n',
        ),
    ),
    _step(
        "archive-not-stored",
        "what only the new release knew is not in secure storage",
        "archive_kept",
        ('cp -r "$kept" "$SECURE_STORAGE/"', 'ls "$kept"'),
    ),
    _step(
        "archive-of-some",
        "ten rows are missing in the archive",
        "archive_kept",
        (_KEPT, _KEPT.replace("ORDER BY id", "ORDER BY id OFFSET 10")),
    ),
    _step(
        "archive-of-zeros",
        "the archive holds zeros instead of ranks",
        "archive_kept",
        (_KEPT, _KEPT.replace("SELECT id, search_rank", "SELECT id, 0 AS search_rank")),
    ),
    _step(
        "archive-one-wrong",
        "one value of the archive is another one",
        "archive_kept",
        (
            _KEPT,
            _KEPT.replace(
                "SELECT id, search_rank",
                "SELECT id, search_rank + (id = 77)::int AS search_rank",
            ),
        ),
    ),
    _step(
        "archive-without-a-table",
        "the audit is not archived",
        "archive_kept",
        ('  -c "\\copy cursor_audit TO cursor_audit.csv CSV HEADER" \\\n', ""),
    ),
    _step(
        "archive-without-channels",
        "channels are not archived",
        "archive_kept",
        (
            ' \\\n    -c "\\copy (SELECT id, channel FROM reservations ORDER BY id) TO '
            'reservations.channel.csv CSV HEADER"',
            "",
        ),
    ),
    _step(
        "undeclared-drop",
        "the runbook does not say that channels are dropped",
        "of_contents",
        ("`listings.search_rank`, `reservations.channel`.", "`listings.search_rank`."),
    ),
    _step(
        "size-only",
        "the backup must be larger than it ever is",
        "backup_size",
        ("reasonable size (>1KB)", "reasonable size (>900MB)"),
    ),
    _step(
        "old-backup",
        "the nightly backup may not be older than nothing",
        "backup_recent",
        ("The backup is recent: <24 hours old", "The backup is recent: <0 hours old"),
    ),
    _step(
        "downgrades-too-far",
        "everything is taken back, and the alternative restores it",
        "of_ways",
        (_DOWN, _DOWN.replace("downgrade 0001_base", "downgrade base")),
    ),
    _step(
        "downgrades-to-nothing-known",
        "a revision is named that there is not, and the alternative saves the day",
        "of_ways",
        (_DOWN, _DOWN.replace("downgrade 0001_base", "downgrade 0000_base")),
    ),
    _step(
        "not-stopped",
        "the application goes on while the safety backup is taken",
        "stopped",
        (
            'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp',
            'supervisorctl -c "$SUPERVISOR_CONF" status hostaway-mcp',
        ),
    ),
    _step(
        "started-again",
        "the application is started again before the safety backup is taken",
        "stopped",
        (
            'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp',
            'supervisorctl -c "$SUPERVISOR_CONF" restart hostaway-mcp',
        ),
    ),
    _step(
        "wrong-revision",
        "the box names another revision than the step reverts to",
        "migration_reverted",
        ("reverted to revision `0001_base`", "reverted to revision `0000_none`"),
    ),
    _downgrade(
        "column-left",
        "the downgrade leaves a column",
        "schema_of_stable",
        '    op.execute("ALTER TABLE reservations DROP COLUMN channel")\n',
        "",
    ),
    _downgrade(
        "index-lost",
        "the downgrade drops an index that the stable release needs",
        "schema_of_stable",
        _DROPS,
        f'    op.execute("DROP INDEX listings_city")\n{_DROPS}',
    ),
    _downgrade(
        "default-lost",
        "the downgrade takes a default away",
        "schema_of_stable",
        _DROPS,
        f'    op.execute("ALTER TABLE reservations ALTER status DROP DEFAULT")\n{_DROPS}',
    ),
    _downgrade(
        "constraint-lost",
        "the downgrade drops a constraint",
        "schema_of_stable",
        _DROPS,
        '    op.execute("ALTER TABLE reservations DROP CONSTRAINT reservations_reference_key")\n'
        f"{_DROPS}",
    ),
    _downgrade(
        "type-changed",
        "the downgrade narrows a column",
        "schema_of_stable",
        _DROPS,
        f'    op.execute("ALTER TABLE listings ALTER city TYPE varchar(40)")\n{_DROPS}',
    ),
    _downgrade(
        "trigger-left",
        "the downgrade leaves a trigger that changes what is written",
        "schema_of_stable",
        _DROPS,
        '    op.execute("CREATE FUNCTION left_over() RETURNS trigger LANGUAGE plpgsql AS '
        "'BEGIN RETURN NEW; END'\")\n"
        '    op.execute("CREATE TRIGGER left_over BEFORE INSERT ON reservations '
        'FOR EACH ROW EXECUTE FUNCTION left_over()")\n'
        f"{_DROPS}",
    ),
    _downgrade(
        "row-deleted",
        "the downgrade deletes one old row",
        "of_contents",
        _DROPS,
        f'    op.execute("DELETE FROM reservations WHERE id = 12")\n{_DROPS}',
    ),
    _downgrade(
        "rows-changed",
        "the downgrade rounds prices",
        "of_contents",
        _DROPS,
        '    op.execute("UPDATE listings SET price_cents = price_cents / 100 * 100")\n' + _DROPS,
    ),
    _downgrade(
        "one-value-changed",
        "the downgrade changes one value of one row",
        "of_contents",
        _DROPS,
        "    op.execute(\"UPDATE listings SET city = 'Rome' WHERE id = 4321\")\n" + _DROPS,
    ),
    _downgrade(
        "times-shifted",
        "the downgrade shifts times by an hour",
        "of_contents",
        _DROPS,
        "    op.execute(\"UPDATE reservations SET created_at = created_at + interval '1 hour' "
        'WHERE id < 500")\n' + _DROPS,
    ),
    _downgrade(
        "writes-lost",
        "the downgrade deletes what came last",
        "of_writes",
        _DROPS,
        '    op.execute("DELETE FROM reservations WHERE id > '
        '(SELECT max(id) - 5 FROM reservations)")\n' + _DROPS,
    ),
    _downgrade(
        "fails",
        "the downgrade fails each time, and the alternative fails with it",
        "command: Revert the migrations",
        _DROPS,
        '    raise RuntimeError("not today")\n' + _DROPS,
    ),
    _downgrade(
        "warns-of-error",
        "the downgrade says that something failed, and goes on",
        "migration_log",
        _DROPS,
        '    print("ERROR: could not clean up")\n' + _DROPS,
    ),
)
