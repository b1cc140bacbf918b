"""The tables that this release works with: `alembic check` holds the database against them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

listings = Table(
    "listings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("price_cents", Integer, nullable=False),
    Column("bedrooms", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("listings_city", "city", "id"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("reference", Text, unique=True, nullable=False),
    Column("listing_id", Integer, ForeignKey("listings.id"), nullable=False),
    Column("guest_name", Text, nullable=False),
    Column("check_in", Date, nullable=False),
    Column("check_out", Date, nullable=False),
    Column("total_cents", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("check_out > check_in"),
    Index("reservations_listing", "listing_id"),
)
