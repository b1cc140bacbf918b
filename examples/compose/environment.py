"""A staging machine with a Docker Compose project: database, front door, and the service's image.

A stand-in for a machine that a team has anyway; the drill knows nothing of it but `staging.toml`.
The machine is a container that shares network, processes and engine with this one, so that it sees
what an operator sees on the machine where the project runs.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import tomllib
import types
from pathlib import Path

from docker.errors import APIError, ImageNotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from rollback_drill.ground import files
from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.container_host import ContainerHost
from rollback_drill.stage.container_sweep import RUN, labels, made, remove_from_engine, sweep_engine
from rollback_drill.stage.deployment import must
from rollback_drill.stage.engine import engine_client, engine_problem
from rollback_drill.stage.images import ensure_images, ensure_machine
from rollback_drill.stage.release import build_origin
from rollback_drill.stage.sweep import own_folder

HERE = Path(__file__).resolve().parent
NAME = "compose-staging"
FOLDER = Path("/tmp/compose-staging")  # noqa: S108 - as staging.toml says
SOCKET = Path("/var/run/docker.sock")
_RELEASES = HERE.parent.parent / "service"
_FILES = ("docker-compose.yml", "Dockerfile", "haproxy.cfg")
_LISTINGS = 2_000
_LIMIT_S = 120.0
# As it grew in real life: the migration of the newest release finds data to change.
_FILL = """
git config --global --add safe.directory '*'
git clone --quiet /tmp/compose-staging/origin.git .
printf '.venv\\n' > .dockerignore
echo .dockerignore >> .git/info/exclude
git checkout --quiet --detach tags/v0.0.9
docker compose up --detach db front 2>&1
admin() {{ PGPASSWORD="$ADMIN_PASSWORD" psql -X -q -h 127.0.0.1 -p 8854 -U postgres; }}
for attempt in {{1..100}}; do admin < /dev/null 2> /dev/null && break; sleep 0.2; done
admin <<< "CREATE ROLE hostaway LOGIN CREATEDB PASSWORD '$PGPASSWORD'"
admin <<< "CREATE DATABASE hostaway OWNER hostaway"
uv sync --quiet
.venv/bin/alembic upgrade 0001_base 2>&1
.venv/bin/python -m hostaway_mcp.seed --listings {listings}
export TAG={tag}
{deploy}
timeout 30 bash -c 'until curl -fs -o /dev/null "$PUBLIC_URL/health"; do sleep 0.2; done'
"""


def problem() -> str:
    """Return why the machine cannot be had here, "" when it can."""
    return engine_problem() or ("" if SOCKET.is_socket() else f"no engine at {SOCKET}")


class ComposeStaging:
    """The machine. Use as a context manager; `variables` are those that `staging.toml` names."""

    def __init__(self) -> None:
        self._labels = labels()
        self._password, self._administrator = (secrets.token_urlsafe(24) for _ in range(2))
        here = "127.0.0.1:8854/hostaway"
        self.variables = {
            "STAGING_DATABASE_URL": f"postgresql://hostaway:{self._password}@{here}",
            "STAGING_DB_PASSWORD": self._password,
            "STAGING_API_KEY": secrets.token_urlsafe(24),
            "STAGING_ADMIN_DSN": f"postgresql://postgres:{self._administrator}@{here}",
        }

    def __enter__(self) -> ComposeStaging:
        """Bring it up. Raises UsageError where that is not possible, StageError when it fails."""
        if problem():
            raise UsageError("a container engine on this machine", problem(), "start it")
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
        image = ensure_machine("compose", print)
        images = ensure_images(print)
        testcontainers_config.ryuk_disabled = True  # container_sweep does its work
        container = DockerContainer(image, hostname="compose-1").with_name(NAME)
        container.with_kwargs(labels=self._labels, network_mode="host", pid_mode="host")
        container.with_volume_mapping(str(SOCKET), str(SOCKET), "rw")
        container.with_volume_mapping(str(FOLDER), str(FOLDER), "rw")
        plugin = (HERE / "docker-compose-plugin").read_bytes()
        container.with_copy_into_container(
            plugin, "/usr/local/lib/docker/cli-plugins/docker-compose", 0o755
        )
        container.start()  # a name that is taken ends it here, before the folder is touched
        self._lay_out(images)
        table = tomllib.loads((HERE / "staging.toml").read_text(encoding="utf-8"))
        directory = table["hosts"][0]["directory"]
        variables = {
            **table["environment"],
            "LANG": "C.UTF-8",
            "DATABASE_URL": self.variables["STAGING_DATABASE_URL"],
            "PGPASSWORD": self._password,
            "ADMIN_PASSWORD": self._administrator,
        }
        container_id = str(container.get_wrapped_container().id)
        host = ContainerHost("compose-1", container_id, directory, variables)
        tag, deploy = table["stage"]["failing"], table["scripts"]["deploy"]
        must(host, _FILL.format(listings=_LISTINGS, tag=tag, deploy=deploy), _LIMIT_S)

    def _lay_out(self, images: dict[str, str]) -> None:
        """Put the project into its folder, which the engine has mounted."""
        for left in FOLDER.iterdir():  # of a run that was killed
            files.remove(left)
        for name in ("app", "state", "backups", "secure", "outbox", "evidence"):
            (FOLDER / name).mkdir()
        for name in _FILES:
            shutil.copy(HERE / name, FOLDER / name)
        build_origin(_RELEASES, FOLDER / "origin.git")
        self._secret_file(
            "api.env",
            DATABASE_URL=f"postgresql://hostaway:{self._password}@db:5432/hostaway",
            HOSTAWAY_API_KEY=self.variables["STAGING_API_KEY"],
            HOSTAWAY_CURSOR_SECRET=secrets.token_urlsafe(24),
        )
        self._secret_file("db.env", POSTGRES_PASSWORD=self._administrator)
        # So that what the project makes is known as ours, and swept when we are killed.
        ours = {"labels": self._labels}
        arguments = {
            "BASE": images["host"],
            "UV_FIND_LINKS": "/opt/wheelhouse",
            "UV_OFFLINE": "1",
            "UV_NO_INDEX": "1",
        }
        override = {
            "version": "3.7",
            "services": {
                "api": {**ours, "image": NAME, "build": {"args": arguments, **ours}},
                "db": {**ours, "image": images["postgres"]},
                "front": {**ours, "image": images["loadbalancer"]},
            },
            "networks": {"default": ours},
        }
        (FOLDER / "docker-compose.override.yml").write_text(json.dumps(override))
        (FOLDER / "may-be-broken").touch()

    def _secret_file(self, name: str, **values: str) -> None:
        path = FOLDER / name
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: types.TracebackType | None = None,
    ) -> None:
        """Remove the containers, the network, the service's image and the folder."""
        things = made(self._labels)
        remove_from_engine(things)
        if things:
            with contextlib.suppress(ImageNotFound):
                engine_client().images.remove(NAME, force=True)
            built = {"dangling": True, "label": f"{RUN}={self._labels[RUN]}"}
            engine_client().images.prune(filters=built)
            shutil.rmtree(FOLDER, ignore_errors=True)
