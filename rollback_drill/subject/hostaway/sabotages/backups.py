"""Backups that are none, or not whole."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import UP, PlantedIn, Rewrite, Sabotage, Sql

_SAFE = 'pg_dump -Fc -Z1 -d "$DB_NAME" -f "$dump"\npg_restore -f /dev/null'
_NIGHTLY = 'pg_dump -Fc -Z1 -d "$DB_NAME" -f "$dump"\nsha256sum "$dump" > "$dump.sha256"\npsql'
_PROVEN = '"$dump.restored-rows"\nsha256sum "$dump" > "$dump.sha256"\n'
_CHECKED = 'cd "$SECURE_STORAGE"\nsha256sum --check "$dump.sha256"\n'
_STOP = 'supervisorctl -c "$SUPERVISOR_CONF" stop hostaway-mcp'
_ADDED = (
    "CREATE SCHEMA audit",
    "CREATE TABLE audit.lines (id int PRIMARY KEY, what text)",
    "INSERT INTO audit.lines SELECT n, 'line ' || n FROM generate_series(1, 40) n",
    "ALTER SCHEMA audit OWNER TO hostaway",
    "ALTER TABLE audit.lines OWNER TO hostaway",
    "COMMENT ON TABLE listings IS 'homes'",
    "GRANT SELECT ON listings TO PUBLIC",
    "SELECT lo_from_bytea(903, 'a contract')",
    "ALTER LARGE OBJECT 903 OWNER TO hostaway",
)


def _backup(
    name: str, breaks: str, caught_by: str, *rewrites: tuple[str, str], added: bool = False
) -> Sabotage:
    plants = (*(Rewrite(old, new) for old, new in rewrites), *((Sql(UP, _ADDED),) if added else ()))
    return Sabotage(f"backup-{name}", breaks, PlantedIn.BACKUP, caught_by, plants, procedure=2)


def _safe(options: str) -> tuple[str, str]:
    return _SAFE, _SAFE.replace('-f "$dump"', f'-f "$dump" {options}', 1)


SABOTAGES = (
    _backup(
        "without-indexes",
        "the safety backup has neither indexes nor constraints",
        "backup_created",
        _safe("--section=pre-data --section=data"),
    ),
    _backup(
        "without-a-small-table",
        "the safety backup has no row of the smallest table",
        "backup_created",
        _safe("--exclude-table-data=cursor_audit"),
    ),
    _backup(
        "without-positions",
        "the safety backup does not know where the sequence stands",
        "backup_created",
        _safe("--exclude-table-data=reservations_id_seq"),
    ),
    _backup(
        "without-another-schema",
        "the safety backup lacks the schema of somebody else",
        "backup_created",
        _safe("--schema=public"),
        added=True,
    ),
    _backup(
        "without-rows-of-another-schema",
        "the safety backup lacks the rows of somebody else",
        "backup_created",
        _safe("--exclude-table-data='audit.*'"),
        added=True,
    ),
    _backup(
        "without-large-objects",
        "the safety backup lacks large objects",
        "backup_created",
        _safe("--no-large-objects"),
        added=True,
    ),
    _backup(
        "without-comments",
        "the safety backup lacks comments",
        "backup_created",
        _safe("--no-comments"),
        added=True,
    ),
    _backup(
        "without-grants",
        "the safety backup lacks grants",
        "backup_created",
        _safe("--no-privileges"),
        added=True,
    ),
    _backup(
        "of-a-running-application",
        "the application is never stopped before the safety backup",
        "backup_created",
        (_STOP, _STOP.replace("stop", "status")),
    ),
    _backup(
        "checksum-of-zeros",
        "the checksum in secure storage is one of zeros",
        "backup_stored",
        (_PROVEN, f'{_PROVEN}sed -i -E "s/^[0-9a-f]+/$(printf "%064d" 0)/" "$dump.sha256"\n'),
        (_CHECKED, 'cd "$SECURE_STORAGE"\nls "$dump.sha256"\n'),
    ),
    _backup(
        "checksum-of-another-file",
        "the nightly backup's checksum is that of another file, and is right for that one",
        "backup_exists",
        (
            _NIGHTLY,
            _NIGHTLY.replace(
                'sha256sum "$dump" > "$dump.sha256"',
                'echo x > other; sha256sum other > "$dump.sha256"',
            ),
        ),
    ),
    _backup(
        "nightly-without-reservations",
        "the nightly backup has no reservation",
        "of_backups",
        (
            _NIGHTLY,
            _NIGHTLY.replace(
                '-f "$dump"', '-f "$dump" --exclude-table-data=reservations', 1
            ),
        ),
    ),
    _backup(
        "nightly-without-indexes",
        "the nightly backup has neither indexes nor constraints",
        "of_backups",
        (
            _NIGHTLY,
            _NIGHTLY.replace(
                '-f "$dump"', '-f "$dump" --section=pre-data --section=data', 1
            ),
        ),
    ),
)  # fmt: skip
