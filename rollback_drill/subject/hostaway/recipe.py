"""How the demo is brought up; see `subject.recipe`."""

from __future__ import annotations

from rollback_drill.ground.home import DEMO
from rollback_drill.subject.recipe import Recipe
from rollback_drill.subject.subject import Table

FAILING = "v0.1.0-pagination"
STABLE = "v0.0.9"
TABLE = Table("reservations", "reservation")
# As it grew in real life: the migration of the newest release finds data to change, and what it
# leaves behind is cleaned up in time.
_FILL = """
.venv/bin/python -m alembic upgrade 0001_base 2>&1
.venv/bin/python -m hostaway_mcp.seed --listings {rows} --seed {seed}
"""
_UPGRADE = """
.venv/bin/python -m alembic upgrade head 2>&1
psql -X -q -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" -d "$DB_NAME" \
  -c 'VACUUM (ANALYZE) listings, reservations'
"""

RECIPE = Recipe(
    layers=DEMO / "service",
    failing=FAILING,
    stable=STABLE,
    program="hostaway-mcp",
    module="hostaway_mcp",
    application="hostaway_mcp.app",
    title="Listings API",
    database="hostaway",
    variables={
        "DATABASE_URL": "DATABASE_URL",
        "HOSTAWAY_API_KEY": "API_KEY",
        "HOSTAWAY_LOG_FILE": "LOG_FILE",
        "HOSTAWAY_MAINTENANCE_FILE": "MAINTENANCE_FILE",
        "HOSTAWAY_DEFECTS_FILE": "DEFECTS_FILE",
        "HOSTAWAY_CONFIG": "CONFIG_FILE",
    },
    port_variable="HOSTAWAY_PORT",
    bind_variable="HOSTAWAY_BIND",
    secret_variables=("HOSTAWAY_CURSOR_SECRET",),
    fill=_FILL,
    upgrade=_UPGRADE,
    unit="listings",
    rows_per_s=4_000,  # beyond what is there anyway: the upgrade writes each of them again
    bytes_per_row=400,  # with its reservations and indexes, old and new row of an upgrade
    copies="hostaway\\_replaced\\_%",
    curable="invalid-cursors",  # the old code has none, and the flag switches them off
)
