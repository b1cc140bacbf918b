"""Runs migrations on the database of DATABASE_URL."""

import os
from logging.config import fileConfig

import psycopg
from alembic import context
from hostaway_mcp.schema import metadata
from sqlalchemy import create_engine, pool

# A migration that waits for a lock makes every later query wait behind it: rather fail.
LOCK_TIMEOUT = "2s"

fileConfig(context.config.config_file_name, disable_existing_loggers=False)
if context.is_offline_mode():
    raise SystemExit("expected a database to migrate; --sql is not supported")
url = os.environ.get("DATABASE_URL")
if not url:
    raise SystemExit("expected DATABASE_URL to name the database to migrate; it is not set")


def connect():
    """Connect as the service does: SQLAlchemy's URLs differ from libpq's."""
    return psycopg.connect(url, connect_timeout=5, options=f"-c lock_timeout={LOCK_TIMEOUT}")


engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=metadata, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()
