"""The stage of plain processes: embedded Postgres, Caddy, supervisord in a temporary folder."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from psycopg.conninfo import make_conninfo

from rollback_drill.ground import files
from rollback_drill.ground.errors import StageError, UsageError, WaitTimeout
from rollback_drill.ground.home import cache
from rollback_drill.ground.machine import temporary
from rollback_drill.ground.priority import prefer
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.watched import Watched
from rollback_drill.stage import postgres, slow_relay
from rollback_drill.stage.database import PostgresDatabase, await_answer
from rollback_drill.stage.deployment import Deployment, must
from rollback_drill.stage.host import Host, LocalHost
from rollback_drill.stage.kept import KeptFolder, digest, settle
from rollback_drill.stage.model import (
    LOG_BYTES,
    MAINTENANCE_WORDS,
    Database,
    OwnStage,
    Stage,
    StageOptions,
)
from rollback_drill.stage.ports import await_port, free_port
from rollback_drill.stage.programs import BIN, interpreter, search_path
from rollback_drill.stage.release import build_origin
from rollback_drill.stage.server_settings import server_settings
from rollback_drill.stage.supervision import conf, printed_in
from rollback_drill.stage.sweep import (
    PREFIX,
    TakenOver,
    end_scripts,
    note_child,
    note_owner,
    read_own,
    remove_stage,
    sweep,
    take_over,
)
from rollback_drill.stage.wheelhouse import ensure_wheelhouse
from rollback_drill.subject.questions import golden_of
from rollback_drill.traffic.interface import Interface

_HOST = "host-1"
_GUARD_EVERY_S = 0.05
_KEPT = "stage.json"
_CONF = "postgresql.conf"
_GOLDEN = "golden.json"
_VENV = ".venv"
# What a kept environment or database depends on, beside what it is made of.
_MADE_BY = (sys.version, platform.platform())
_GRACE_S = 10.0  # longer than stopwaitsecs: supervisord must outlive what it stops
_SWITCH = (
    "curl -fsS --retry 20 --retry-connrefused --retry-delay 1 --max-time 5 -X PATCH "
    "-H 'Content-Type: application/json' -d '\"{path}\"' \"$LB_ADMIN/id/health/uri\""
)
_DIAL = (
    "curl -fsS --max-time 5 -X PATCH -H 'Content-Type: application/json' -d '\"127.0.0.1:{port}\"' "
    '"$LB_ADMIN/config/apps/http/servers/front/routes/0/handle/0/upstreams/0/dial"'
)
# A request that failed is logged, and in its headers stands the key.
_WITHOUT_KEYS = {
    "format": "filter",
    "wrap": {"format": "json"},
    "fields": {"request>headers": {"filter": "delete"}},
}
# The socket lies in the data folder, which only its owner can enter.
_POSTGRES_ACCESS = """
local all postgres trust
host all all 127.0.0.1/32 scram-sha-256
"""


class ProcessStage(OwnStage):
    """See stage.model.Stage. One host: this machine, in a folder that goes away with the stage.

    The kernel's memory killer needs a control group, which takes root; here a guard thread looks
    at the service's resident memory twenty times a second and kills it beyond the limit.
    """

    name = "processes"
    alternatives: Sequence[str] = (*MAINTENANCE_WORDS, "Caddy", "supervisord", "folder")

    def __init__(
        self,
        options: StageOptions,
        reason: str,
        progress: Callable[[str], None],
        left: Mapping[str, Any] | None = None,
    ) -> None:
        """`left`: what a dead drill kept of its stage, which is then taken over, see `attach`."""
        for tool in ("git", "curl", "bash"):
            if not shutil.which(tool):
                raise UsageError(f"{tool} on this machine", "none", f"install {tool}")
        super().__init__(options)
        self.reason = reason
        self._progress = progress
        self._left = left
        self._children: list[subprocess.Popen[bytes] | TakenOver] = []
        self._folder: Path | None = None
        self._deployment: Deployment | None = None
        self._postgres: subprocess.Popen[bytes] | TakenOver | None = None
        self._service: psutil.Process | None = None  # as it was seen last
        self._filled: KeptFolder | None = None  # where the filled database is to be kept, if it is
        self._conf_before = b""
        self._relay: subprocess.Popen[bytes] | None = None  # the slow network, while there is one
        self._kills = 0
        self._over = threading.Event()
        ports: dict[str, int] = (
            left["ports"]
            if left
            else {name: free_port() for name in ("service", "front", "admin", "postgres")}
        )
        self._ports = ports
        self.base_url = f"http://127.0.0.1:{ports['front']}"
        self.direct_urls: Mapping[str, str] = {_HOST: f"http://127.0.0.1:{ports['service']}"}
        names = self.recipe.secret_variables
        made: list[str] = (
            left["secrets"] if left else [secrets.token_urlsafe(24) for _ in range(3 + len(names))]
        )
        self.api_key, self._password, self._admin_password, *others = made
        self._service_secrets = dict(zip(names, others, strict=True))
        self.secrets = frozenset(made)
        self.hosts: Sequence[Host] = ()
        self.environment: Mapping[str, str] = {}
        self._database = self._administrator(self.recipe.database)
        self.database: Database = self._database

    @classmethod
    def attach(cls, folder: Path, progress: Callable[[str], None]) -> ProcessStage:
        """Return the stage that a dead drill left in `folder`; entering it takes it over as it is.

        Raises UsageError when it is gone, or had not come up yet.
        """
        try:
            left = json.loads(read_own(folder, _KEPT))
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(
                f"the stage of the dead drill in {folder}",
                "none that had come up",
                "hold a new drill: stages of dead ones are removed when the next one begins",
            ) from error
        reason = "left by a drill that was killed"
        return cls(StageOptions(**left["options"]), reason, progress, left | {"in": str(folder)})

    def __enter__(self) -> Stage:
        """See Stage.__enter__."""
        if self._left:
            self._take_over(Path(self._left["in"]))
            return self
        sweep()
        try:
            self._bring_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _bring_up(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=temporary()))
        self._folder = folder
        self.where = str(folder)
        note_owner(folder)
        folder.chmod(0o755)  # Postgres runs as another user when we are root
        wheelhouse = ensure_wheelhouse()
        self._progress("starting Postgres, the load balancer and the service")
        layers = digest(self.recipe.layers)
        self._filled = self._kept_database(layers, wheelhouse)
        # Whatever is started begins its own work while the next one is laid out.
        self._start_postgres(folder)
        self.environment = self._environment(folder, wheelhouse)
        self.interface = Interface(printed=printed_in(str(folder)))
        self._start_supervisor(folder)
        self._start_caddy(folder)
        app, origin = folder / self.recipe.program, folder / "origin.git"
        kept = KeptFolder("origin", layers)
        if not kept.take(origin):
            build_origin(self.recipe.layers, origin)
            kept.keep(origin)
        self.hosts = (LocalHost(_HOST, folder, self.environment),)
        must(self.hosts[0], f"git clone --quiet {origin} {app.name}")
        self.hosts = (LocalHost(_HOST, app, self.environment),)
        installed = KeptFolder(
            "environment", layers, wheelhouse, interpreter(), *_MADE_BY, self.failing
        )
        found = installed.take(app / _VENV)
        if found:
            settle(app / _VENV)
        self._await_programs(folder)
        self._complete()
        self._keep(folder)
        assert self._deployment
        self._deployment.deploy(self.failing, first=True)
        if not found:  # now that the service has run once, with all that it compiled
            installed.keep(app / _VENV)

    def _kept_database(self, layers: str, wheelhouse: Path) -> KeptFolder:
        """Return where the server's files with the filled database are kept."""
        fill = self.options.filling(self.recipe.fill + self.recipe.upgrade)
        runs = postgres.unprivileged_account()
        return KeptFolder(
            "database",
            layers,
            wheelhouse,
            *_MADE_BY,
            self.failing,
            self.recipe.database,
            fill,
            self.asks,
            postgres.version(),
            runs.uid if runs else os.geteuid(),
        )

    def _keep_filled(self) -> None:
        """Keep the server's files right after it was filled for the first time, with what the
        stable release answered then.
        """
        kept, self._filled = self._filled, None
        assert self._folder
        told = self.golden.to_json() if self.golden else ""
        files.write(self._folder / _GOLDEN, told, mode=0o600)  # for who takes this stage over
        if kept is None or not told:
            return
        data = self._folder / "postgres"
        self.stop_database()
        # The settings are each stage's own; so are the passwords, set at every start.
        conf = self._conf_before

        def mend(copy: Path) -> None:
            (copy / _CONF).write_bytes(conf)
            (copy / _GOLDEN).write_text(told, encoding="utf-8")

        kept.keep(data, mend)
        self.start_database()
        self._set_passwords(self._folder)

    def _complete(self) -> None:
        Watched("guard of the memory limit", self._guard, over=self._over).start()
        self._deployment = Deployment(
            self.hosts,
            self._administrator,
            self._database,
            _SWITCH,
            (*self.direct_urls.values(), self.base_url),
            self.options,
            self.recipe,
            self._progress,
            filled=self._keep_filled,
            stable="" if self.golden else self.stable,
            serving=self.record_golden,
        )

    def _keep(self, folder: Path) -> None:
        """Write down what another drill needs to take this stage over, for its owner alone."""
        path = folder / _KEPT
        path.touch(mode=0o600)
        kept = {
            "options": asdict(self.options),
            "ports": self._ports,
            "secrets": [
                self.api_key,
                self._password,
                self._admin_password,
                *self._service_secrets.values(),
            ],
            "environment": dict(self.environment),
            "postgres": str(self._postgres_bin),
        }
        path.write_text(json.dumps(kept), encoding="utf-8")

    def _take_over(self, folder: Path) -> None:
        """Go on with what a dead drill left: a stopped Postgres is started, nothing is deployed."""
        assert self._left
        self._children = [*take_over(folder)]
        self._folder = folder
        self.where = str(folder)
        try:
            self.environment = self._left["environment"]
            self.interface = Interface(printed=printed_in(str(folder)))
            self._postgres_bin = Path(self._left["postgres"])
            app = Path(self.environment["APP_DIR"])
            self.hosts = (LocalHost(_HOST, app, self.environment),)
            self.ended_scripts = end_scripts(str(app))
            noted = folder / "postgres" / "postmaster.pid"
            server = noted.read_text().split()[:1] if noted.exists() else []
            self._postgres = next((one for one in self._children if [str(one.pid)] == server), None)
            self._complete()
            self._read_golden(folder)
            self.start_database()
            self._database.open()
        except BaseException:
            self.__exit__()
            raise

    def _start_postgres(self, folder: Path) -> None:
        data = folder / "postgres"
        self._postgres_bin = postgres.programs(folder)
        if self._filled and self._filled.take(data):
            self._filled = None
            with contextlib.suppress(OSError):
                (data / _GOLDEN).rename(folder / _GOLDEN)
            self._read_golden(folder)
        else:
            postgres.initialise(data, self._postgres_bin)
        self._conf_before = (data / _CONF).read_bytes()
        told = server_settings(self.options, self.recipe) | {
            "listen_addresses": "127.0.0.1",
            "port": str(self._ports["postgres"]),
        }
        lines = (f"{name} = '{value}'" for name, value in told.items())
        files.append(data / _CONF, *lines)
        (data / "pg_hba.conf").write_text(_POSTGRES_ACCESS)  # it keeps its owner
        self.start_database()

    def _read_golden(self, folder: Path) -> None:
        """Read what the stable release answered when the database was filled, if that was kept."""
        with contextlib.suppress(OSError, ValueError):
            self.golden = golden_of((folder / _GOLDEN).read_text(encoding="utf-8"))

    def _set_passwords(self, folder: Path) -> None:
        """Wait for the server, and give its users the passwords of this stage."""
        data = folder / "postgres"
        socket_only = PostgresDatabase(
            make_conninfo(
                host=str(data), port=self._ports["postgres"], user="postgres", dbname="postgres"
            ),
            self._postgres_log,
        )
        owner = self.recipe.database
        for _ in wait_until("Postgres answers", 30, advice=f"see {folder}/postgres.log"):
            try:
                socket_only.fetch(f"ALTER ROLE postgres PASSWORD '{self._admin_password}'")
                break
            except StageError:
                continue
        there = socket_only.fetch("SELECT 1 FROM pg_roles WHERE rolname = %s", (owner,))
        verb = "ALTER" if there else "CREATE"
        socket_only.fetch(f"{verb} ROLE {owner} LOGIN CREATEDB PASSWORD '{self._password}'")
        socket_only.close()

    def _administrator(self, database: str = "postgres") -> PostgresDatabase:
        where = f"127.0.0.1:{self._ports['postgres']}/{database}"
        return PostgresDatabase(
            f"postgresql://postgres:{self._admin_password}@{where}", self._postgres_log
        )

    def _environment(self, folder: Path, wheelhouse: Path) -> dict[str, str]:
        app, database = folder / self.recipe.program, self.recipe.database
        port = self._ports["postgres"]
        for name in ("outbox", "evidence", "backups", "secure"):
            (folder / name).mkdir()
        return {
            "PATH": search_path(folder / "bin", self._postgres_bin),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "APP_DIR": str(app),
            "DATABASE_URL": f"postgresql://{database}:{self._password}@127.0.0.1:{port}/{database}",
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(port),
            "DB_USER": database,
            "DB_NAME": database,
            "PGPASSWORD": self._password,
            "API_KEY": self.api_key,
            "SERVICE_URL": self.direct_urls[_HOST],
            "PUBLIC_URL": self.base_url,
            "LB_ADMIN": f"http://127.0.0.1:{self._ports['admin']}",
            "MAINTENANCE_FILE": str(folder / "maintenance_status"),
            "CONFIG_FILE": str(app / "config.yaml"),
            "LOG_FILE": str(folder / "application.log"),
            "SUPERVISOR_CONF": str(folder / "supervisord.conf"),
            "BACKUP_DIR": str(folder / "backups"),
            "SECURE_STORAGE": str(folder / "secure"),
            "STATUS_PAGE": str(folder / "status_page.txt"),
            "OUTBOX": str(folder / "outbox"),
            "EVIDENCE_DIR": str(folder / "evidence"),
            "DEFECTS_FILE": str(folder / "defects.yaml"),
            "UV_FIND_LINKS": str(wheelhouse),
            "UV_NO_INDEX": "1",
            "UV_OFFLINE": "1",
            "PIP_REQUIRE_VIRTUALENV": "1",  # no package is installed for all of this machine
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_CACHE_DIR": str(cache() / "uv"),
            "UV_LINK_MODE": "copy",
        }

    def _start_supervisor(self, folder: Path) -> None:
        path = Path(self.environment["SUPERVISOR_CONF"])
        path.touch(mode=0o600)  # it holds secrets
        service = self.recipe.environment(
            self.environment,
            self._service_secrets,
            bind="127.0.0.1",
            port=self._ports["service"],
        )
        path.write_text(conf(str(folder), self.environment["APP_DIR"], self.recipe, service))
        self._start([str(BIN / "supervisord"), "-n", "-c", str(path)], folder / "supervisord.out")

    def _await_programs(self, folder: Path) -> None:
        """Wait until all that was started answers."""
        self._set_passwords(folder)
        await_port(self._ports["admin"], f"see {folder}/caddy.log")
        for _ in wait_until("supervisord answers", 15, advice=f"see {folder}/supervisord.out"):
            if (folder / "supervisor.sock").exists():
                break

    def _start_caddy(self, folder: Path) -> None:
        proxy = {
            "handler": "reverse_proxy",
            "upstreams": [{"dial": f"127.0.0.1:{self._ports['service']}"}],
            "health_checks": {
                "active": {"@id": "health", "uri": "/ready", "interval": "200ms", "timeout": "3s"}
            },
        }
        server = {
            "listen": [f"127.0.0.1:{self._ports['front']}"],
            "automatic_https": {"disable": True},
            "routes": [{"handle": [proxy]}],
        }
        config = {
            "admin": {
                "listen": f"127.0.0.1:{self._ports['admin']}",
                "config": {"persist": False},
            },
            "apps": {"http": {"servers": {"front": server}}},
            "logging": {"logs": {"default": {"encoder": _WITHOUT_KEYS}}},
        }
        (folder / "caddy.json").write_text(json.dumps(config))
        self._start(
            [str(BIN / "caddy"), "run", "--config", str(folder / "caddy.json")],
            folder / "caddy.log",
            env={"HOME": str(folder), "PATH": os.environ["PATH"]},
        )

    def _start(
        self,
        argv: list[str],
        log: Path,
        *,
        runs: postgres.Account | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a child in a session of its own: Ctrl-C must not reach it before we do. `runs`: who
        runs it, by default this user.
        """
        with log.open("ab") as output:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env or (self.environment or None),
                user=runs.uid if runs else None,
                group=runs.gid if runs else None,
                extra_groups=() if runs else None,
                start_new_session=True,
            )
        prefer(child.pid)
        self._children.append(child)
        assert self._folder
        note_child(self._folder, child.pid)
        return child

    def deploy(self, tag: str) -> None:
        """See Stage.deploy."""
        assert self._deployment
        self.slow_network(0)
        self._deployment.deploy(tag)

    def set_defects(self, defects: Mapping[str, object]) -> None:
        """See Defects.set_defects."""
        assert self._deployment
        self._deployment.set_defects(defects)

    def start_database(self) -> None:
        """See Stage.start_database."""
        assert self._folder
        data = self._folder / "postgres"
        if self._postgres is None or self._postgres.poll() is not None:
            self._postgres = self._start(
                [str(self._postgres_bin / "postgres"), "-D", str(data), "-k", str(data)],
                self._folder / "postgres.log",
                runs=postgres.owner(data),
                env=postgres.environment(self._postgres_bin),
            )
        if self._deployment:
            await_answer(self._database)

    def stop_database(self) -> None:
        """See Stage.stop_database."""
        assert self._postgres
        self._postgres.send_signal(signal.SIGINT)  # Postgres' fast shutdown
        self._postgres.wait(_GRACE_S)

    def set_health_path(self, path: str) -> None:
        """See Stage.set_health_path."""
        assert self._deployment
        self._deployment.set_health_path(path)

    def slow_network(self, delay_s: float) -> None:
        """See Network.slow_network: a relay that waits, before the service."""
        slow, self._relay = self._relay, None
        port = self._ports["service"]
        if delay_s > 0:
            assert self._folder
            program = str(shutil.copy(slow_relay.__file__, self._folder))  # so that it lives there
            way = free_port()
            self._relay = self._start(
                [sys.executable, program, str(way), f"{delay_s:g}", f"127.0.0.1:{port}"],
                self._folder / "slow_relay.log",
            )
            await_port(way, f"see {self._folder}/slow_relay.log")
            port = way
        if slow or self._relay:
            must(self.hosts[0], _DIAL.format(port=port))
        if slow:
            slow.terminate()
            slow.wait(_GRACE_S)

    def pids(self) -> dict[str, int]:
        """See Process.pids."""
        assert self._folder
        known = self._service
        with contextlib.suppress(psutil.Error):
            # One that was seen stays itself until it ends; to look for it reads all processes.
            if known and known.is_running() and known.status() != psutil.STATUS_ZOMBIE:
                return {_HOST: known.pid}
        command = f"{self.environment['APP_DIR']}/.venv/bin/python"
        supervisor = Path(self._folder / "supervisord.pid")
        try:
            parent = psutil.Process(int(supervisor.read_text()))
            for child in parent.children():
                if child.cmdline()[:1] == [command]:
                    self._service = child
                    return {_HOST: child.pid}
        except (OSError, ValueError, psutil.Error):
            return {}
        return {}

    def rss_bytes(self) -> dict[str, int]:
        """See Process.rss_bytes."""
        try:
            return {h: psutil.Process(pid).memory_info().rss for h, pid in self.pids().items()}
        except psutil.Error:
            return {}

    def _guard(self) -> None:
        while not self._over.wait(_GUARD_EVERY_S):
            for pid in self.pids().values():
                try:
                    process = psutil.Process(pid)
                    if process.memory_info().rss > self.options.memory_limit_bytes:
                        self._kills += 1
                        process.kill()
                        process.wait(2)
                except psutil.Error:
                    continue  # it went away by itself

    def oom_kills(self) -> dict[str, int]:
        """See Stage.oom_kills: kills by the guard."""
        return {_HOST: self._kills}

    def application_log(self) -> dict[str, str]:
        """See Stage.application_log."""
        return {_HOST: _end_of(Path(self.environment["LOG_FILE"]))}

    def _postgres_log(self) -> str:
        return _end_of(self._folder / "postgres.log") if self._folder else ""

    def __exit__(self, *exc: object) -> None:
        """See Stage.__exit__. Works after a partial start, and twice."""
        self._over.set()
        self._database.close()
        living = [child for child in self._children if child.poll() is None]
        # The service ends by itself, and at once, only as long as its database is there.
        others = [child for child in living if child is not self._postgres]
        self._end(others, signal.SIGTERM)  # SIGINT is ignored below a shell's background job
        # Its immediate shutdown: nobody starts from these files again, so nothing need be saved.
        self._end([child for child in living if child is self._postgres], signal.SIGQUIT)
        if self._folder:
            self._clear(self._folder)

    def _end(
        self, children: Sequence[subprocess.Popen[bytes] | TakenOver], sent: signal.Signals
    ) -> None:
        for child in children:
            child.send_signal(sent)
        with contextlib.suppress(WaitTimeout):
            for _ in wait_until("what was started to end", _GRACE_S):
                if all(child.poll() is not None for child in children):
                    break
                self._rouse_supervisor()
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait(_GRACE_S)

    def _rouse_supervisor(self) -> None:
        """Have supervisord look around: it may sleep for a second through a signal."""
        if self._folder:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
                caller.settimeout(1.0)
                caller.connect(str(self._folder / "supervisor.sock"))

    def _clear(self, folder: Path) -> None:
        """Remove the folder; who still lives in it, such as an interrupted initdb, is ended."""
        with contextlib.suppress(WaitTimeout):  # then it counts as left over
            for _ in wait_until(f"{folder} to go", _GRACE_S):
                for process in _living_in(folder):
                    with contextlib.suppress(psutil.Error):
                        process.kill()
                remove_stage(folder)
                if not folder.exists():
                    return

    def leftovers(self) -> list[str]:
        """See Stage.leftovers: processes that live in the folder, and the folder."""
        if not self._folder:
            return []
        found = [
            f"process {process.pid}: {' '.join(process.info['cmdline'])[:80]}"
            for process in _living_in(self._folder)
        ]
        if self._folder.exists():
            found.append(str(self._folder))
        return found


def _living_in(folder: Path) -> list[psutil.Process]:
    """Return the processes of the stage's users whose command names the folder."""
    runs = postgres.unprivileged_account()
    ours = {os.geteuid(), *([runs.uid] if runs else [])}
    return [
        process
        for process in psutil.process_iter(["cmdline", "uids"])
        if any(str(folder) in word for word in process.info["cmdline"] or [])
        and process.info["uids"].real in ours
    ]


def _end_of(path: Path) -> str:
    """Return the end of a log, "" when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
            return file.read(LOG_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return ""
