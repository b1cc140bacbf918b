"""How the Postgres that a stage starts for itself is set up, alike on every stage."""

from __future__ import annotations

import os

from rollback_drill.stage.model import StageOptions
from rollback_drill.subject.recipe import Recipe

_MIB = 1024 * 1024
_LEAST_BUFFERS_MIB = 128  # Postgres' own default


def server_settings(options: StageOptions, recipe: Recipe) -> dict[str, str]:
    """Return the settings by name, as they are written to a file or given to `postgres -c`."""
    return {
        "max_connections": str(options.connection_limit),
        # So that clients read "too many clients already".
        "superuser_reserved_connections": "0",
        "log_line_prefix": "%m [%p] ",
        "log_timezone": "UTC",
        # The data lives as long as the drill.
        "fsync": "off",
        "full_page_writes": "off",
        "max_wal_size": "4GB",
        "shared_buffers": f"{_buffers_mib(data_bytes(options, recipe))}MB",
    }


def data_bytes(options: StageOptions, recipe: Recipe) -> int:
    """Return about how much the filled database takes."""
    return options.listings * recipe.bytes_per_row


def _buffers_mib(size: int) -> int:
    """Return room for all data, as a server that was sized for it has; without it an upgrade that
    writes every row in another order reads and writes each page again and again. At most a quarter
    of the machine's memory. It is taken only as far as it is used.
    """
    quarter = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4 // _MIB
    return max(_LEAST_BUFFERS_MIB, min(size // _MIB, quarter))
