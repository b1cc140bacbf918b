"""What lists in pages by cursor need: ranks to order by, where bookings came from, an audit."""

from alembic import op

revision = "0002_pagination"
down_revision = "0001_base"


def upgrade():
    """Add schema, and fill it from the data that is there."""
    # Defaults everywhere: the release before this one must still be able to insert.
    op.execute("ALTER TABLE listings ADD COLUMN search_rank integer NOT NULL DEFAULT 0")
    op.execute("""
        UPDATE listings SET search_rank = ranked.place FROM (
            SELECT id, rank() OVER (ORDER BY price_cents / greatest(bedrooms, 1), id) AS place
            FROM listings
        ) AS ranked WHERE ranked.id = listings.id""")
    op.execute("CREATE INDEX listings_search_rank ON listings (search_rank, id)")

    op.execute("ALTER TABLE reservations ADD COLUMN channel text NOT NULL DEFAULT 'direct'")
    op.execute("UPDATE reservations SET channel = 'import' WHERE reference LIKE 'SEED-%'")

    op.execute("""
        CREATE TABLE cursor_audit (
            collection text PRIMARY KEY,
            rows_at_start bigint NOT NULL,
            highest_id bigint NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now()
        )""")
    for table in ("listings", "reservations"):
        op.execute(f"""
            INSERT INTO cursor_audit (collection, rows_at_start, highest_id)
            SELECT '{table}', count(*), coalesce(max(id), 0) FROM {table}""")


def downgrade():
    """Take away all that `upgrade` added, schema and data."""
    op.execute("DROP TABLE cursor_audit")
    op.execute("ALTER TABLE reservations DROP COLUMN channel")
    op.execute("DROP INDEX listings_search_rank")
    op.execute("ALTER TABLE listings DROP COLUMN search_rank")
