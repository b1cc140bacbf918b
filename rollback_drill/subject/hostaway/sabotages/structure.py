"""What the database is made of is not what it was, or not what the stable release has."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import UP, Edit, PlantedIn, Sabotage, Sql, after

_RESTARTED = after("Restart the application")
_LATE = after("Restart the application", 8)
_REVISION = "migrations/versions/0002_pagination.py"
_DROPS = '    op.execute("DROP TABLE cursor_audit")\n    op.execute("ALTER TABLE reservations DROP'


def _altered(
    name: str,
    breaks: str,
    *statements: str,
    before: tuple[str, ...] = (),
    undo: tuple[str, ...] = (),
    late: bool = False,
) -> Sabotage:
    altered = Sql(_LATE if late else _RESTARTED, statements, undo)
    plants = (Sql(UP, before), altered) if before else (altered,)
    return Sabotage(f"made-{name}", breaks, PlantedIn.DATABASE, "of_structure", plants)


def _reverted(name: str, breaks: str, added: tuple[str, ...], drops: str) -> Sabotage:
    """An administrator has `added` something, and the downgrade takes it away."""
    edit = Edit(_REVISION, _DROPS, f'    op.execute("{drops}")\n{_DROPS}', failing=True)
    plants = (Sql(UP, added), edit) if added else (edit,)
    return Sabotage(
        f"made-{name}", breaks, PlantedIn.FAILING, "schema_of_stable", plants, procedure=2
    )


SABOTAGES = (
    _altered("index-gone", "an index is gone", "DROP INDEX reservations_listing"),
    _altered("index-gone-late", "an index goes later", "DROP INDEX listings_city", late=True),
    _altered(
        "index-invalid",
        "an index is there, and not used",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'listings_search_rank'::regclass",
    ),
    _altered(
        "constraint-gone",
        "a check is gone",
        "ALTER TABLE reservations DROP CONSTRAINT reservations_check",
    ),
    _altered(
        "checks-off",
        "foreign keys are not checked any more",
        "ALTER TABLE reservations DISABLE TRIGGER ALL",
    ),
    _altered(
        "default-gone",
        "a default is another one",
        "ALTER TABLE listings ALTER active SET DEFAULT false",
    ),
    _altered("column-more", "a column is new", "ALTER TABLE listings ADD note text"),
    _altered("table-more", "a table is new", "CREATE TABLE left_over (id int)"),
    _altered(
        "trigger-more",
        "a trigger is new that does nothing yet",
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER nothing BEFORE UPDATE ON listings FOR EACH ROW EXECUTE FUNCTION nothing()",
    ),
    _altered(
        "trigger-off",
        "an administrator's trigger is switched off",
        "ALTER TABLE listings DISABLE TRIGGER watched",
        before=(
            "CREATE FUNCTION watched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER watched BEFORE UPDATE ON listings FOR EACH ROW "
            "EXECUTE FUNCTION watched()",
        ),
    ),
    _altered(
        "view-gone",
        "an administrator's view is gone",
        "DROP VIEW cheap",
        before=("CREATE VIEW cheap AS SELECT id FROM listings WHERE price_cents < 5000",),
    ),
    _altered(
        "grant-gone",
        "a reader's grant is gone",
        "REVOKE SELECT ON listings FROM PUBLIC",
        before=("GRANT SELECT ON listings TO PUBLIC",),
    ),
    _altered("grant-more", "everybody may write", "GRANT UPDATE ON listings TO PUBLIC", late=True),
    _altered(
        "comment-gone",
        "a comment is gone",
        "COMMENT ON TABLE reservations IS NULL",
        before=("COMMENT ON TABLE reservations IS 'bookings'",),
    ),
    _altered(
        "owner-changed",
        "a table belongs to somebody else, who lets the service in",
        "ALTER TABLE listings OWNER TO postgres",
        "GRANT ALL ON listings TO hostaway",
    ),
    _altered(
        "setting-of-database",
        "a setting of the database is another one",
        "ALTER DATABASE hostaway SET work_mem = '5MB'",
    ),
    _altered(
        "setting-of-role",
        "a setting of the service's user is another one",
        "ALTER ROLE hostaway SET work_mem = '5MB'",
        undo=("ALTER ROLE hostaway RESET work_mem",),
    ),
    _altered(
        "setting-of-server",
        "a setting of the whole server is another one",
        "ALTER SYSTEM SET max_standby_archive_delay = '7min'",
        "SELECT pg_reload_conf()",
        undo=("ALTER SYSTEM RESET max_standby_archive_delay", "SELECT pg_reload_conf()"),
    ),
    _altered(
        "setting-of-server-to-come",
        "the server takes another setting at its next start",
        "ALTER SYSTEM SET max_connections = '17'",
        undo=("ALTER SYSTEM RESET max_connections",),
    ),
    _altered(
        "role-more",
        "there is another superuser",
        "CREATE ROLE intruder SUPERUSER LOGIN",
        undo=("DROP ROLE IF EXISTS intruder",),
    ),
    _altered(
        "sequence-steps",
        "numbers are given out in twos",
        "ALTER SEQUENCE reservations_id_seq INCREMENT 2",
    ),
    _altered(
        "storage",
        "a table does not outlive a crash any more",
        "ALTER TABLE cursor_audit SET UNLOGGED",
    ),
    _altered(
        "row-security",
        "rows of a table are hidden from all but its owner",
        "ALTER TABLE cursor_audit ENABLE ROW LEVEL SECURITY",
    ),
    _altered(
        "published-otherwise",
        "other rows are published than an administrator has said",
        "ALTER PUBLICATION some_listings SET TABLE listings (id) WHERE (id > 4)",
        before=("CREATE PUBLICATION some_listings FOR TABLE listings (id) WHERE (id > 3)",),
    ),
    _altered(
        "slot-gone",
        "whoever copies the server has lost his place",
        "SELECT pg_drop_replication_slot('standby')",
        before=("SELECT pg_create_physical_replication_slot('standby')",),
        undo=("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots",),
    ),
    _reverted(
        "added-index-lost",
        "the downgrade drops an index that an administrator has added",
        ("CREATE INDEX by_guest ON reservations (guest_name)",),
        "DROP INDEX IF EXISTS by_guest",
    ),
    _reverted(
        "added-comment-lost",
        "the downgrade takes a comment away that an administrator has added",
        ("COMMENT ON TABLE listings IS 'homes'",),
        "COMMENT ON TABLE listings IS NULL",
    ),
    _reverted(
        "added-grant-lost",
        "the downgrade takes a grant away that an administrator has given",
        ("GRANT SELECT ON listings TO PUBLIC",),
        "REVOKE SELECT ON listings FROM PUBLIC",
    ),
    _reverted(
        "left-over-table",
        "the downgrade leaves a table of its own",
        (),
        "CREATE TABLE before_downgrade AS SELECT 1 AS one",
    ),
)
