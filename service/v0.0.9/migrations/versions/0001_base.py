"""Listings and their reservations."""

from alembic import op

revision = "0001_base"
down_revision = None


def upgrade():
    """Make both tables."""
    op.execute("""
        CREATE TABLE listings (
            id integer PRIMARY KEY,
            name text NOT NULL,
            city text NOT NULL,
            price_cents integer NOT NULL,
            bedrooms integer NOT NULL,
            active boolean NOT NULL DEFAULT true,
            updated_at timestamptz NOT NULL DEFAULT now()
        )""")
    op.execute("CREATE INDEX listings_city ON listings (city, id)")
    op.execute("""
        CREATE TABLE reservations (
            id bigserial PRIMARY KEY,
            reference text UNIQUE NOT NULL,
            listing_id integer NOT NULL REFERENCES listings (id),
            guest_name text NOT NULL,
            check_in date NOT NULL,
            check_out date NOT NULL,
            total_cents integer NOT NULL,
            status text NOT NULL DEFAULT 'confirmed',
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            CHECK (check_out > check_in)
        )""")
    op.execute("CREATE INDEX reservations_listing ON reservations (listing_id)")


def downgrade():
    """Drop both tables with their data."""
    op.execute("DROP TABLE reservations")
    op.execute("DROP TABLE listings")
