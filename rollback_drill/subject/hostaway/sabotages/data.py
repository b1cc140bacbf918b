"""Rows that stood before there were clients go or change; there are rows that nobody made."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import (
    STEADY,
    UP,
    PlantedIn,
    Rewrite,
    Sabotage,
    Sql,
    When,
    after,
    before,
)

_RESTARTED = after("Restart the application")
_LATE = after("Restart the application", 8)
_BACK = after("Leave maintenance", 1)
_PSQL = 'psql -X -q -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" -d "$DB_NAME" -c '
_EVIDENCE = 'tail -n 500 "$LOG_FILE" > "$EVIDENCE_DIR/application.log"\n'
_AUDIT = (
    "CREATE SCHEMA audit",
    "CREATE TABLE audit.lines (id int PRIMARY KEY, what text)",
    "INSERT INTO audit.lines SELECT n, 'line ' || n FROM generate_series(1, 40) n",
    "GRANT USAGE ON SCHEMA audit TO PUBLIC",
    "GRANT SELECT ON audit.lines TO PUBLIC",
)
_CLIENTS = "SELECT id FROM reservations WHERE reference LIKE 'd%' ORDER BY id DESC LIMIT "


def _rows(name: str, breaks: str, *plants: Sql | Rewrite, caught: str = "rows_that_stood",
          alone: bool = False) -> Sabotage:  # fmt: skip
    where = PlantedIn.RUNBOOK if any(isinstance(p, Rewrite) for p in plants) else PlantedIn.DATABASE
    return Sabotage(f"rows-{name}", breaks, where, f"of_{caught}", plants, alone=alone)


def _sql(when: When, *statements: str) -> Sql:
    return Sql(when, statements)


def _prepared(statement: str) -> Rewrite:
    return Rewrite(_EVIDENCE, f'{_EVIDENCE}{_PSQL}"{statement}"\n')


SABOTAGES = (
    _rows(
        "prepared-away",
        "the preparation's own block deletes an old reservation",
        _prepared("DELETE FROM reservations WHERE id = 12"),
    ),
    _rows(
        "prepared-otherwise",
        "the preparation's own block changes the price of one listing",
        _prepared("UPDATE listings SET price_cents = price_cents + 1 WHERE id = 4711"),
    ),
    _rows(
        "gone-while-healthy",
        "an old reservation is gone before anything is broken, and no fault damages data",
        _sql(STEADY, "DELETE FROM reservations WHERE id = 2024"),
    ),
    _rows(
        "gone-before-the-procedure",
        "the oldest reservation goes before the procedure begins",
        _sql(before("Preparation"), "DELETE FROM reservations WHERE id = 1"),
    ),
    _rows(
        "gone-at-the-restart",
        "the newest of the old reservations is gone after the restart",
        _sql(
            _RESTARTED,
            "DELETE FROM reservations WHERE id = "
            "(SELECT max(id) FROM reservations WHERE reference LIKE 'SEED-%')",
        ),
    ),
    _rows(
        "gone-late",
        "eight seconds after the restart an old reservation is gone",
        _sql(_LATE, "DELETE FROM reservations WHERE id = 77"),
    ),
    _rows(
        "changed-late",
        "eight seconds after the restart one letter of one name is another one",
        _sql(_LATE, "UPDATE reservations SET guest_name = 'ada' WHERE id = "
             "(SELECT min(id) FROM reservations WHERE guest_name = 'Ada')"),
    ),
    _rows(
        "times-late",
        "a time of one listing is a microsecond later",
        _sql(_LATE, "UPDATE listings SET updated_at = updated_at + interval '1 microsecond' "
             "WHERE id = 5000"),
    ),
    _rows(
        "changed-places",
        "two old reservations have changed their guests",
        _sql(
            _RESTARTED,
            "UPDATE reservations r SET guest_name = o.guest_name FROM reservations o "
            "WHERE (r.id, o.id) IN (SELECT a.id, b.id FROM reservations a, reservations b "
            "WHERE least(a.id, b.id) = 5 AND greatest(a.id, b.id) = (SELECT min(id) FROM "
            "reservations WHERE guest_name <> (SELECT guest_name FROM reservations WHERE id = 5) "
            "AND id > 5))",
        ),
    ),
    _rows(
        "doubled-listing",
        "there is a listing more",
        _sql(_RESTARTED, "INSERT INTO listings SELECT 900001, name, city, price_cents, bedrooms, "
             "active, updated_at FROM listings WHERE id = 1"),
    ),
    _rows(
        "of-another-schema",
        "a row in a schema of somebody else is gone",
        _sql(UP, *_AUDIT),
        _sql(_RESTARTED, "DELETE FROM audit.lines WHERE id = 40"),
    ),
    _rows(
        "changed-in-another-schema",
        "a row in a schema of somebody else is changed after clients came back",
        _sql(UP, *_AUDIT),
        _sql(_BACK, "UPDATE audit.lines SET what = 'line' WHERE id = 3"),
        alone=True,
    ),
    _rows(
        "large-object-gone",
        "a large object is gone",
        _sql(UP, "SELECT lo_from_bytea(901, 'a contract')"),
        _sql(_RESTARTED, "SELECT lo_unlink(901)"),
    ),
    _rows(
        "large-object-changed",
        "one byte of a large object is another one",
        _sql(UP, "SELECT lo_from_bytea(902, 'another contract')"),
        _sql(_RESTARTED, "SELECT lo_put(902, 3, 'x')"),
    ),
    _rows(
        "closed-away",
        "the closing steps delete an old reservation, when all clients are gone",
        Rewrite(
            'echo "The API works again since $END UTC.',
            f'{_PSQL}"DELETE FROM reservations WHERE id = 1234"\n'
            'echo "The API works again since $END UTC.',
        ),
    ),
    Sabotage(
        "rows-routine-away",
        "the nightly job deletes an old reservation once it has its copy",
        PlantedIn.RUNBOOK,
        "of_rows_that_stood",
        (
            Rewrite(
                'sha256sum "$dump" > "$dump.sha256"\npsql',
                f'sha256sum "$dump" > "$dump.sha256"\n{_PSQL}'
                '"DELETE FROM reservations WHERE id = 99"\npsql',
            ),
        ),
        procedure=2,
    ),
    _rows(
        "of-nobody",
        "there is a reservation that nobody made",
        _sql(_BACK, "INSERT INTO reservations (reference, listing_id, guest_name, check_in, "
             "check_out, total_cents) VALUES ('x-1', 1, 'Nobody', '2030-01-01', '2030-01-02', 1)"),
        caught="rows_of_clients",
    ),
    _rows(
        "twice",
        "a reservation of a client is there twice",
        _sql(
            _BACK,
            "ALTER TABLE reservations DROP CONSTRAINT reservations_reference_key",
            "INSERT INTO reservations (reference, listing_id, guest_name, check_in, check_out, "
            "total_cents) SELECT reference, listing_id, guest_name, check_in, check_out, "
            f"total_cents FROM reservations WHERE id IN ({_CLIENTS}1)",
        ),
        caught="rows_of_clients",
        alone=True,
    ),
    _rows(
        "damaged-without-a-fault",
        "what clients wrote is changed before the rollback, and the fault damages no data",
        _sql(
            When("steady", later_s=1),
            f"UPDATE reservations SET guest_name = 'cut' WHERE id IN ({_CLIENTS}3)",
        ),
        caught="damage",
        alone=True,
    ),
)  # fmt: skip
