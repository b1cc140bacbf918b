"""A staging machine for Kinto."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

from examples.machine import StagingMachine
from rollback_drill.stage import http
from rollback_drill.stage.wheelhouse import ensure_wheelhouse

HERE = Path(__file__).resolve().parent
FOLDER = Path("/tmp/kinto-staging")  # noqa: S108 - as staging.toml says


class KintoStaging(StagingMachine):
    """Kinto, a JSON store in Python."""

    folder = FOLDER
    program = "kinto"
    releases = HERE / "releases"
    first_port = 8821
    ignored = ".venv\\nkinto.pid\\n"
    health = "/v1/__lbheartbeat__"
    served = "/v1/__heartbeat__"

    def fetch(self) -> dict[str, str]:
        """See StagingMachine.fetch."""
        locks = [self.releases / tag / "requirements.txt" for tag in self.tags]
        wheels = [str(ensure_wheelhouse(lock=lock)) for lock in locks]
        return {"UV_FIND_LINKS": ",".join(wheels), "KINTO_WHEELS": ",".join(wheels)}

    def settings(self, dsn: str) -> dict[str, str]:
        """See StagingMachine.settings."""
        return {
            "KINTO_STORAGE_URL": dsn,
            "KINTO_PERMISSION_URL": dsn,
            "KINTO_USERID_HMAC_SECRET": secrets.token_hex(16),
        }

    def installation(self) -> str:
        """See StagingMachine.installation."""
        return (
            "uv venv --quiet .venv\n"
            "uv pip sync --quiet --python .venv --offline --no-index requirements.txt\n"
            ".venv/bin/kinto migrate --ini kinto.ini"
        )

    def started(self, dsn: str) -> dict[str, str]:
        """Make the collection that clients ask for."""
        token = secrets.token_urlsafe(24)
        authorization = "Basic " + base64.b64encode(f"drill:{token}".encode()).decode()
        base = f"http://127.0.0.1:{self.service}/v1/buckets/staging"
        for url in (base, f"{base}/collections/guests"):
            headers = {"Authorization": authorization}
            http.request("PUT", url, headers=headers, limit_s=10).checked()
        return {"KINTO_AUTHORIZATION": authorization, "KINTO_ADMIN_DSN": dsn}
