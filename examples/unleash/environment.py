"""A staging machine for Unleash, and for three shops that ask it for a flag all the time."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from pathlib import Path

from examples.machine import StagingMachine
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.home import cache
from rollback_drill.stage import http

HERE = Path(__file__).resolve().parent
FOLDER = Path("/tmp/unleash-staging")  # noqa: S108 - as staging.toml says
_SHOP = HERE / "shop"
_SHOPS = range(8836, 8839)
_DOOR = 8839
_FLAG = "new-checkout"
_QUIET = "--ignore-scripts --no-audit --no-fund --no-update-notifier"
_INSTALL = f"npm ci --silent --offline --cache $UNLEASH_PACKAGES {_QUIET}"
_SECTION = """
[program:shop-{port}]
command=node {folder}/shop/shop.js
directory={folder}/shop
autostart=false
startsecs=1
stopasgroup=true
killasgroup=true
environment={environment}
"""


class UnleashStaging(StagingMachine):
    """Unleash, a service for feature flags in Node."""

    folder = FOLDER
    program = "unleash"
    releases = HERE / "releases"
    first_port = 8831
    ignored = "node_modules\\nunleash.pid\\n"
    health = "/health"
    served = "/health"
    printed_to = "redirect_stderr=true\nstdout_logfile"

    def __init__(self) -> None:
        super().__init__()
        self._admin = f"*:*.{secrets.token_hex(24)}"
        self._client = f"default:development.{secrets.token_hex(24)}"

    def fetch(self) -> dict[str, str]:
        """Have npm keep all packages. Raises UsageError without npm, StageError."""
        if shutil.which("npm") is None:
            raise UsageError("node and npm on this machine", "none", "install nodejs and npm")
        kept = cache() / "npm"
        for folder in (*(self.releases / tag for tag in self.tags), _SHOP):
            lock = folder / "package-lock.json"
            mark = kept / f"has-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
            if not mark.exists():
                work = self.folder / "fetched"
                self.run(
                    f"mkdir -p {work} {kept}\ncp {lock} {folder}/package.json {work}\n"
                    f"cd {work}\nnpm ci --silent --cache {kept} {_QUIET}\nrm -rf {work}\n"
                    f"touch {mark}"
                )
        return {"UNLEASH_PACKAGES": str(kept)}

    def settings(self, dsn: str) -> dict[str, str]:
        """See StagingMachine.settings."""
        return {
            "DATABASE_URL": dsn,
            "DATABASE_SSL": "false",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(self.service),
            "CHECK_VERSION": "false",
            "SEND_TELEMETRY": "false",
            "LOG_LEVEL": "info",
            "NODE_ENV": "production",
            "UNLEASH_SECRET": secrets.token_hex(16),
        }

    def programs(self) -> str:
        """See StagingMachine.programs."""
        shops = ""
        for port in _SHOPS:
            told = {
                "BACKUP": str(self.folder),
                "CUSTOMER": self._admin,
                "BROKEN": f"{self.folder}/checkout-is-broken",
                "PORT": str(port),
                "UNLEASH_TOKEN": self._client,
                "UNLEASH_URL": f"http://127.0.0.1:{self.front}/api/",
            }
            variables = ",".join(f'{name}="{value}"' for name, value in told.items())
            shops += _SECTION.format(folder=self.folder, port=port, environment=variables)
        return shops

    def routes(self) -> list[dict[str, object]]:
        """See StagingMachine.routes."""
        check = {"active": {"@id": "shops", "uri": "/flag", "interval": "200ms"}}
        return [_checkout(health_checks=check)]

    def doors(self) -> dict[str, object]:
        """Return the door of the host itself, past the load balancer."""
        unleash = {
            "handler": "reverse_proxy",
            "upstreams": [{"dial": f"127.0.0.1:{self.service}"}],
        }
        host = {
            "listen": [f"127.0.0.1:{_DOOR}"],
            "automatic_https": {"disable": True},
            "routes": [_checkout(), {"handle": [unleash]}],
        }
        return {"host": host}

    def installation(self) -> str:
        """See StagingMachine.installation."""
        return (
            f"{_INSTALL}\ncp -a {_SHOP} {self.folder}/shop\n(cd {self.folder}/shop; {_INSTALL})\n"
            # It makes its keys at its first start, of what it is told then alone.
            'touch "$SETTINGS_FILE"; chmod 600 "$SETTINGS_FILE"\n'
            f"echo 'INIT_ADMIN_API_TOKENS={self._admin}' >> \"$SETTINGS_FILE\"\n"
            f"echo 'INIT_CLIENT_API_TOKENS={self._client}' >> \"$SETTINGS_FILE\"\n"
        )

    def started(self, dsn: str) -> dict[str, str]:
        """Make the flag, which is on, and start the shops."""
        (self.folder / "settings.env").unlink()
        base = f"http://127.0.0.1:{self.service}/api/admin/projects/default/features"
        switch = f"{base}/{_FLAG}/environments/development"
        for url, body in (
            (base, {"name": _FLAG}),
            (f"{switch}/strategies", {"name": "default"}),
            (f"{switch}/on", {}),
        ):
            headers = {"Authorization": self._admin}
            http.request("POST", url, headers=headers, json=body, limit_s=10).checked()
        shops = " ".join(f"shop-{port}" for port in _SHOPS)
        self.run(f"supervisorctl -c {self.folder}/supervisord.conf start {shops}")
        return {"UNLEASH_AUTHORIZATION": self._admin, "UNLEASH_ADMIN_DSN": dsn}


def _checkout(**more: object) -> dict[str, object]:
    upstreams = [{"dial": f"127.0.0.1:{port}"} for port in _SHOPS]
    proxy = {"handler": "reverse_proxy", "upstreams": upstreams, **more}
    return {"match": [{"path": ["/checkout"]}], "handle": [proxy], "terminal": True}
