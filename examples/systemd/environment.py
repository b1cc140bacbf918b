"""A staging machine in a container: systemd as process 1, sshd, Postgres, HAProxy, the service.

A stand-in for a machine that a team has anyway; the drill knows nothing of it but `staging.toml`.
"""

from __future__ import annotations

import secrets
import shlex
import shutil
import subprocess
import tempfile
import tomllib
import types
from pathlib import Path
from typing import cast

from docker.errors import APIError
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.machine import temporary
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage import haproxy
from rollback_drill.stage.container_host import ContainerHost
from rollback_drill.stage.container_sweep import labels, made, remove_from_engine, sweep_engine
from rollback_drill.stage.deployment import must
from rollback_drill.stage.engine import engine_client, engine_problem
from rollback_drill.stage.images import ensure_machine
from rollback_drill.stage.release import build_origin
from rollback_drill.stage.sweep import own_folder

HERE = Path(__file__).resolve().parent
NAME = "systemd-staging"
FOLDER = Path("/tmp/systemd-staging")  # noqa: S108 - as staging.toml says
_RELEASES = HERE.parent.parent / "service"
_PORTS = {22: 8841, 8080: 8842, 8000: 8843, 5432: 8844}
_LISTINGS = 2_000
_LIMIT_S = 60
_SETUP = """
useradd --system --no-create-home hostaway
useradd --create-home --shell /bin/bash --groups adm deploy
echo 'deploy ALL=(root) NOPASSWD: /usr/bin/systemctl' > /etc/sudoers.d/deploy
install -d -o deploy -g deploy -m 700 /home/deploy/.ssh
install -o deploy -g deploy -m 600 /etc/ssh/deploy.pub /home/deploy/.ssh/authorized_keys
install -d -o deploy -g deploy /opt/hostaway-mcp /var/www /var/backups/hostaway-mcp /mnt/secure \
  /var/spool/outbox /var/lib/evidence /etc/hostaway-mcp
chown --recursive deploy:deploy /srv/origin.git
touch /etc/hostaway-mcp/may-be-broken
systemctl enable --quiet hostaway-mcp.service
systemctl restart haproxy.service
"""
# As it grew in real life: the migration of the newest release finds data to change.
_FILL = """
git clone --quiet /srv/origin.git .
git checkout --quiet --detach tags/v0.0.9
uv sync --quiet
.venv/bin/alembic upgrade 0001_base 2>&1
.venv/bin/python -m hostaway_mcp.seed --listings {listings}
export TAG={tag}
{deploy}
"""


class SystemdStaging:
    """The machine. Use as a context manager; `variables` are those that `staging.toml` names."""

    def __init__(self) -> None:
        self._labels = labels()
        password, administrator = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._cursor_secret = secrets.token_urlsafe(24)
        self.variables = {
            "STAGING_DATABASE_URL": f"postgresql://hostaway:{password}@127.0.0.1:5432/hostaway",
            "STAGING_DB_PASSWORD": password,
            "STAGING_API_KEY": secrets.token_urlsafe(24),
            "STAGING_ADMIN_DSN": (
                f"postgresql://postgres:{administrator}@127.0.0.1:{_PORTS[5432]}/hostaway"
            ),
        }
        self._administrator = administrator

    def __enter__(self) -> SystemdStaging:
        """Bring it up. Raises UsageError where that is not possible, StageError when it fails."""
        if engine_problem():
            raise UsageError("a container engine", engine_problem(), "start it")
        sweep_engine()
        own_folder(FOLDER)
        try:
            self._bring_up()
        except APIError as error:
            self.__exit__()
            if error.status_code != 409:
                raise
            raise UsageError(
                f"no container {NAME} yet", "there is one", "end the run that uses it"
            ) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def _bring_up(self) -> None:
        image = ensure_machine("systemd", print)
        testcontainers_config.ryuk_disabled = True  # container_sweep does its work
        with tempfile.TemporaryDirectory(prefix="origin-", dir=temporary()) as scratch:
            origin = Path(scratch, "origin.git")
            build_origin(_RELEASES, origin)
            keys = Path(scratch)
            for name in ("key", "ssh_host_ed25519_key"):
                subprocess.run(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)],
                    check=True,
                    timeout=_LIMIT_S,
                )
            container = self._container(image, origin, keys)
            container.start()
            shutil.copy(keys / "key", FOLDER / "key")
            public = (keys / "ssh_host_ed25519_key.pub").read_text().rpartition(" ")[0]
            (FOLDER / "known_hosts").write_text(f"[127.0.0.1]:{_PORTS[22]} {public}\n")
        self._set_up(str(container.get_wrapped_container().id))

    def _container(self, image: str, origin: Path, keys: Path) -> DockerContainer:
        container = DockerContainer(image, hostname="app-1")
        # What systemd needs to make control groups of its own and to mount its file systems.
        second = engine_client().info().get("CgroupVersion") == "2"
        rights = {"privileged": True} if second else {"cap_add": ["SYS_ADMIN"]}
        container.with_name(NAME).with_env("container", "docker")
        container.with_kwargs(labels=self._labels, cgroupns="private", **rights)
        for folder in ("/run", "/run/lock", "/tmp"):  # noqa: S108 - in the container
            container.with_tmpfs_mount(folder)
        published = cast(dict[str, object], container.ports)
        for inside, outside in _PORTS.items():
            published[f"{inside}/tcp"] = ("127.0.0.1", outside)
        service = {
            "DATABASE_URL": self.variables["STAGING_DATABASE_URL"],
            "HOSTAWAY_API_KEY": self.variables["STAGING_API_KEY"],
            "HOSTAWAY_CURSOR_SECRET": self._cursor_secret,
            "HOSTAWAY_DEFECTS_FILE": "/etc/hostaway-mcp/defects.yaml",
            "HOSTAWAY_BIND": "0.0.0.0",  # noqa: S104 - inside the container's own network
        }
        lines = "".join(f"{name}={value}\n" for name, value in service.items())
        unit = (HERE / "hostaway-mcp.service").read_bytes()
        for content, path, mode in (
            (lines.encode(), "/etc/hostaway-mcp/environment", 0o600),
            (unit, "/etc/systemd/system/hostaway-mcp.service", 0o644),
            (
                haproxy.haproxy_configuration(["localhost"], 8000).encode(),
                "/etc/haproxy/haproxy.cfg",
                0o644,
            ),
            ((keys / "key.pub").read_bytes(), "/etc/ssh/deploy.pub", 0o644),
            (
                (keys / "ssh_host_ed25519_key").read_bytes(),
                "/etc/ssh/ssh_host_ed25519_key",
                0o600,
            ),
        ):
            container.with_copy_into_container(content, path, mode)
        container.with_copy_into_container(origin, "/srv")
        return container

    def _set_up(self, container_id: str) -> None:
        root = ContainerHost("app-1", container_id, "/", {"LANG": "C.UTF-8"})
        for _ in wait_until("systemd is up", _LIMIT_S, advice=f"see docker exec {NAME} journalctl"):
            if root.run("systemctl is-system-running", limit_s=_LIMIT_S).stdout == "running":
                break
        must(root, _SETUP)
        passwords = {"OWN": self.variables["STAGING_DB_PASSWORD"], "ADMIN": self._administrator}
        done = root.run(
            "runuser -u postgres -- psql -X -q -v ON_ERROR_STOP=1 <<SQL\n"
            "ALTER ROLE postgres PASSWORD '$ADMIN';\n"
            "CREATE ROLE hostaway LOGIN CREATEDB PASSWORD '$OWN';\n"
            "CREATE DATABASE hostaway OWNER hostaway;\n"
            "SQL",
            limit_s=_LIMIT_S,
            environment=passwords,
        )
        if not done.ok:
            raise StageError("the roles of the database", done.stderr[-300:], "see its log")
        table = tomllib.loads((HERE / "staging.toml").read_text(encoding="utf-8"))
        variables = {
            **table["environment"],
            "HOME": "/home/deploy",
            "LANG": "C.UTF-8",
            "DATABASE_URL": self.variables["STAGING_DATABASE_URL"],
        }
        deployer = ContainerHost(NAME, container_id, table["hosts"][0]["directory"], variables)
        tag, deploy = table["stage"]["failing"], table["scripts"]["deploy"]
        fill = _FILL.format(listings=_LISTINGS, tag=tag, deploy=deploy)
        must(deployer, f"runuser -u deploy -- bash -euo pipefail -c {shlex.quote(fill)}", _LIMIT_S)
        must(root, "until curl -fsS -o /dev/null 127.0.0.1:8080/health; do sleep 0.2; done")

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: types.TracebackType | None = None,
    ) -> None:
        """Remove the container, and the folder with the keys to it."""
        things = made(self._labels)
        remove_from_engine(things)
        if things:
            shutil.rmtree(FOLDER, ignore_errors=True)
