"""What the environment says."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are. Secrets come from here and nowhere else."""

    database_url: str
    api_key: str
    config: Path
    log_file: Path
    maintenance_file: Path
    bind: str
    port: int

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the variables. Exits with status 2, naming the one that is missing."""
        return cls(
            database_url=_required("DATABASE_URL"),
            api_key=_required("HOSTAWAY_API_KEY"),
            config=Path(os.environ.get("HOSTAWAY_CONFIG", "config.yaml")),
            log_file=Path(
                os.environ.get("HOSTAWAY_LOG_FILE", "/var/log/hostaway-mcp/application.log")
            ),
            maintenance_file=Path(
                os.environ.get("HOSTAWAY_MAINTENANCE_FILE", "/var/www/maintenance_status")
            ),
            bind=os.environ.get("HOSTAWAY_BIND", "127.0.0.1"),
            port=int(os.environ.get("HOSTAWAY_PORT", "8000")),
        )


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        sys.stderr.write(f"expected the environment variable {name}; it is not set\n")
        raise SystemExit(2)
    return value
