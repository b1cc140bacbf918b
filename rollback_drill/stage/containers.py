"""The stage of containers: Postgres, service hosts under a memory limit, HAProxy in front."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from docker.errors import DockerException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from rollback_drill.ground.errors import StageError
from rollback_drill.ground.machine import temporary
from rollback_drill.ground.names import no_such
from rollback_drill.ground.wait import wait_until
from rollback_drill.runbook.monitoring import configuration
from rollback_drill.stage import haproxy, http, slow_relay, supervision
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.container_host import ContainerHost
from rollback_drill.stage.container_sweep import labels, made, remove_from_engine, sweep_engine
from rollback_drill.stage.database import PostgresDatabase, await_answer
from rollback_drill.stage.deployment import FOLDERS, Deployment, must
from rollback_drill.stage.engine import priority
from rollback_drill.stage.execution import Execution
from rollback_drill.stage.filled import (
    MOST_KEPT_BYTES,
    filled_tag,
    keep_filled,
    kept_golden,
    leave_golden,
)
from rollback_drill.stage.host import Host, look
from rollback_drill.stage.images import ensure_images, ensure_release, has_image
from rollback_drill.stage.least import privileges
from rollback_drill.stage.model import (
    LOG_BYTES,
    MAINTENANCE_WORDS,
    Database,
    OwnStage,
    Stage,
    StageOptions,
)
from rollback_drill.stage.ports import await_port, free_port
from rollback_drill.stage.release import build_origin
from rollback_drill.stage.server_settings import data_bytes, server_settings
from rollback_drill.stage.supervision import (
    JOURNAL,
    SUPERVISORS,
    SYSTEMD,
    printed_in,
    spare_others,
)
from rollback_drill.traffic.interface import Interface

_SUPERVISOR_CONF = "/etc/supervisor/supervisord.conf"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ORIGIN = Path("/srv/origin.git")
_FILES = ("LOG_FILE", "MAINTENANCE_FILE")
_PORT = 8000
_POSTGRES_PORT = 5432
_EXPORTER_PORT = 9100
_PROMETHEUS_PORT = 9090
_RELAY_PORT = 8001
_READY_LIMIT_S = 60
_LOOK_LIMIT_S = 3
_LOG_LINES = 5_000  # of 16 kB at most
_STOP_LIMIT_S = 3
_UNITS = "/etc/systemd/system"
_EXPORT = "/usr/bin/python3 /usr/local/bin/host_exporter.py {app}/.venv/bin/python"
_EXPORTER = f"""
[program:host-exporter]
command={spare_others(_EXPORT, 500)}
autorestart=true
stdout_logfile={{folder}}/exporter.out
stderr_logfile={{folder}}/exporter.err
"""
_EXPORTER_UNIT = f"[Service]\nExecStart={_EXPORT}\nOOMScoreAdjust=500\nRestart=always\n"
_START_EXPORTER = (
    "timeout 30 bash -c 'until systemctl start host-exporter 2>/dev/null; do sleep 0.2; done'"
)
# For psql. A kept database has its owner.
_ROLES = r"""
SELECT format('CREATE ROLE %I LOGIN CREATEDB', :'owner')
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec
ALTER ROLE :"owner" PASSWORD :'password';
ALTER ROLE postgres PASSWORD :'administrator';
\q
"""
# What systemd needs as process 1: to mount its own control groups and folders.
_FOR_SYSTEMD = {
    "cap_add": ["SYS_ADMIN"],
    "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    "cgroupns": "private",
    "stop_signal": "SIGRTMIN+3",
}


class ContainerStage(OwnStage):
    """See stage.model.Stage. Every port is published on a loopback port of the engine's machine.

    The kernel kills the service when its host's control group is out of memory, and counts it.
    """

    name = "containers"
    confined = True

    def __init__(self, options: StageOptions, reason: str, progress: Callable[[str], None]) -> None:
        super().__init__(options)
        self._app = f"/opt/{self.recipe.program}"
        if options.supervisor not in SUPERVISORS:
            raise no_such("SUPERVISOR", options.supervisor, SUPERVISORS, "leave it out")
        self._supervisor = SUPERVISORS[options.supervisor]
        self.alternatives: Sequence[str] = (
            *MAINTENANCE_WORDS,
            "HAProxy",
            self._supervisor.name,
            "folder",
        )
        if self._supervisor is SYSTEMD:
            self.interface = Interface(journal=JOURNAL.format(program=self.recipe.program))
        else:
            self.interface = Interface(printed=printed_in(f"/run/{self.recipe.program}"))
        self.reason = reason
        self._progress = progress
        self._labels = labels()
        self._names = [f"host-{number}" for number in range(1, options.hosts + 1)]
        self._exporters: dict[str, str] = {}
        self._containers: dict[str, DockerContainer] = {}  # of the hosts, by name
        self._network: Network | None = None
        self._to_keep = ""  # the image of the filled database, while it is to be made
        self._kept = False  # whether the database comes from such an image
        self._relays: list[DockerContainer] = []  # the slow network, while there is one
        self._postgres: DockerContainer | None = None
        self._deployment: Deployment | None = None
        self._database: PostgresDatabase | None = None
        self.api_key = secrets.token_urlsafe(24)
        self._password = secrets.token_urlsafe(24)
        self._admin_password = secrets.token_urlsafe(24)
        self._service_secrets = {
            name: secrets.token_urlsafe(24) for name in self.recipe.secret_variables
        }
        self.secrets = frozenset(
            {self.api_key, self._password, self._admin_password, *self._service_secrets.values()}
        )
        self.environment: Mapping[str, str] = self._environment()
        # Known by name before they run, so that the record can say who takes part.
        self.hosts: Sequence[Host] = tuple(
            ContainerHost(name, "", self._app, self.environment) for name in self._names
        )
        self.base_url = ""
        self.direct_urls: Mapping[str, str] = {}

    @property
    def database(self) -> Database:
        """See Stage.database."""
        return self._database or cast(Database, _NotYet("a database"))

    def __enter__(self) -> Stage:
        """See Stage.__enter__."""
        try:
            sweep_engine()
            self._bring_up()
        except DockerException as error:
            self.__exit__()
            raise StageError(
                "the container engine to bring the stage up",
                " ".join(str(error).split())[:300],
                "see `docker info`, or use STAGE=processes",
            ) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def _bring_up(self) -> None:
        # The reaper's image cannot be pulled everywhere; container_sweep does its work.
        testcontainers_config.ryuk_disabled = True
        # In threads, since a signal interrupts the main one alone: the engine would go on making
        # what we no longer wait for. Leaving the pool waits, so that all of it can be removed.
        with (
            tempfile.TemporaryDirectory(
                prefix="origin-", dir=temporary(), ignore_cleanup_errors=True
            ) as scratch,
            ThreadPoolExecutor() as pool,
        ):
            origin = Path(scratch, _ORIGIN.name)
            images = self._images(origin)
            self._progress(f"starting Postgres, HAProxy and {len(self._names)} service host(s)")
            network = Network(docker_network_kw={"labels": self._labels})
            pool.submit(network.create).result()
            self._network = network
            database = pool.submit(self._start_postgres, images["postgres"], network)
            prometheus = pool.submit(self._start_prometheus, images["prometheus"], network)
            started = list(
                pool.map(
                    lambda name: self._start_host(name, images["release"], network, origin),
                    self._names,
                )
            )
            self._exporters = {
                name: _url(one, _EXPORTER_PORT)
                for name, one in zip(self._names, started, strict=True)
            }
            # HAProxy asks for the addresses of the hosts as it starts.
            front = pool.submit(self._start_balancer, images["loadbalancer"], network)
            hosts = list(pool.map(self._make_ready, self._names, started))
            self._postgres = database.result()
            balancer = front.result()
            self.prometheus_url = _url(prometheus.result(), _PROMETHEUS_PORT)
        self.hosts = tuple(hosts)
        self.direct_urls = {
            name: _url(one, _PORT) for name, one in zip(self._names, started, strict=True)
        }
        self.base_url = _url(balancer, haproxy.FRONT_PORT)
        self._database = self._administrator(self.recipe.database)
        if self._kept:
            self.golden = kept_golden(self._postgres.get_wrapped_container())
        self._deployment = Deployment(
            self.hosts,
            lambda: self._administrator("postgres"),
            self._database,
            haproxy.SWITCH,
            (*self.direct_urls.values(), self.base_url),
            self.options,
            self.recipe,
            self._progress,
            self._supervisor,
            self._keep_filled,
            "" if self.golden else self.stable,
            self.record_golden,
        )
        self.deploy(self.failing)

    def _images(self, origin: Path) -> dict[str, str]:
        """Return the tags of the images by name, made where they are missing. `origin`: where the
        repository of releases may be made.
        """
        images = ensure_images(self._progress)
        build_origin(self.recipe.layers, origin)
        folders = [self.environment[name] for name in FOLDERS]
        folders += [str(Path(self.environment[name]).parent) for name in _FILES]
        images["release"] = ensure_release(
            origin, self._progress, app=self._app, tag=self.failing, folders=" ".join(folders)
        )
        if data_bytes(self.options, self.recipe) <= MOST_KEPT_BYTES:
            fill = self.options.filling(self.recipe.fill + self.recipe.upgrade)
            filled = filled_tag(
                images["postgres"],
                images["release"],
                fill,
                self.asks,
                self.recipe.database,
                self.failing,
            )
            if has_image(filled):
                images["postgres"] = filled
                self._kept = True
            else:
                self._to_keep = filled
        return images

    def _keep_filled(self) -> None:
        """Keep the files of the server that was filled just now, the first time."""
        tag, self._to_keep = self._to_keep, ""
        if tag and self.golden:
            assert self._postgres
            self.stop_database()
            container = self._postgres.get_wrapped_container()
            leave_golden(container, self.golden)
            keep_filled(container, tag)
            self.start_database()

    def _start_postgres(self, image: str, network: Network) -> DockerContainer:
        command: list[str] = ["postgres"]
        for name, value in server_settings(self.options, self.recipe).items():
            command += ["-c", f"{name}={value}"]
        container = DockerContainer(image).with_command(command)
        container.with_env("POSTGRES_PASSWORD", self._admin_password)
        self._start(container, network, "postgres", [_POSTGRES_PORT])
        self._set_passwords(container)
        return container

    def _set_passwords(self, container: DockerContainer) -> None:
        """Wait for the server, and give its users the passwords of this stage."""
        told = {
            "owner": self.recipe.database,
            "password": self._password,
            "administrator": self._admin_password,
        }
        words = "".join(f"\\set {name} {value}\n" for name, value in told.items()) + _ROLES
        # By the socket in the container, where all are trusted.
        psql = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]
        advice = "see `docker logs` of Postgres' container"
        for _ in wait_until("Postgres answers", _READY_LIMIT_S, advice=advice):
            with Execution(str(container.get_wrapped_container().id), psql) as execution:
                with contextlib.suppress(BrokenPipeError):  # it could not connect
                    execution.write(words.encode())
                execution.finish()
                if execution.state() == (False, 0):
                    return

    def _start_host(self, name: str, image: str, network: Network, origin: Path) -> DockerContainer:
        recipe, app = self.recipe, self._app
        service = recipe.environment(
            self.environment,
            self._service_secrets,
            bind="0.0.0.0",  # noqa: S104 - inside the container's own network
            port=_PORT,
        )
        limit = self.options.memory_limit_bytes
        container = DockerContainer(image, mem_limit=limit, memswap_limit=limit, hostname=name)
        if self._supervisor is SYSTEMD:
            container.with_kwargs(**container._kwargs, **_FOR_SYSTEMD)
            container.with_command("/lib/systemd/systemd")
            for folder in ("/run", "/run/lock"):
                container.with_tmpfs_mount(folder)
            unit = supervision.unit(app, recipe, service)
            container.with_copy_into_container(
                unit.encode(), f"{_UNITS}/{recipe.program}.service", 0o600
            )
            container.with_copy_into_container(
                _EXPORTER_UNIT.format(app=app).encode(), f"{_UNITS}/host-exporter.service"
            )
        else:
            folder = f"/run/{recipe.program}"
            conf = supervision.conf(folder, app, recipe, service)
            conf += _EXPORTER.format(app=app, folder=folder)
            container.with_copy_into_container(conf.encode(), _SUPERVISOR_CONF, 0o600)
        if self.options.backup_disk_bytes:
            size = f"size={self.options.backup_disk_bytes}"
            container.with_tmpfs_mount(self.environment["BACKUP_DIR"], size)
        container.with_copy_into_container(origin, str(_ORIGIN.parent))
        self._containers[name] = container
        self._start(container, network, name, [_PORT, _EXPORTER_PORT])
        return container

    def _make_ready(self, name: str, container: DockerContainer) -> Host:
        """Wait until the host tells of itself: its supervisor runs then."""
        wrapped = container.get_wrapped_container()
        host = ContainerHost(name, str(wrapped.id), self._app, self.environment)
        if self._supervisor is SYSTEMD:
            must(host, _START_EXPORTER)
        self._await_exporter(name)
        return host

    def _start_balancer(self, image: str, network: Network) -> DockerContainer:
        container = DockerContainer(image)
        conf = haproxy.haproxy_configuration(self._names, _PORT)
        container.with_copy_into_container(conf.encode(), "/etc/haproxy/haproxy.cfg")
        self._start(container, network, "loadbalancer", [haproxy.FRONT_PORT])
        return container

    def _start_prometheus(self, image: str, network: Network) -> DockerContainer:
        container = DockerContainer(image)
        targets = [f"{name}:{_PORT}" for name in self._names]
        container.with_copy_into_container(
            configuration(targets, self.subject.metrics.job).encode(),
            "/etc/prometheus/prometheus.yml",
        )
        self._start(container, network, "prometheus", [_PROMETHEUS_PORT])
        return container

    def _start(
        self, container: DockerContainer, network: Network, alias: str, ports: Sequence[int]
    ) -> None:
        container.with_network(network).with_network_aliases(alias)
        # systemd wants to find its groups where it is used to.
        first = priority(apart=self._supervisor is not SYSTEMD)
        least = privileges(
            host=alias in self._names,
            systemd=self._supervisor is SYSTEMD,
            root=alias != "postgres",
        )
        container.with_kwargs(**{"labels": self._labels, **first, **least, **container._kwargs})
        published = cast(dict[str, object], container.ports)
        for port in ports:
            # A port of the engine's choice would be another one after a restart.
            fixed = free_port() if port == _POSTGRES_PORT else None
            published[f"{port}/tcp"] = ("127.0.0.1", fixed)
        container.start()

    def _environment(self) -> dict[str, str]:
        app, program, database = self._app, self.recipe.program, self.recipe.database
        return {
            "HOME": "/root",
            "LANG": "C.UTF-8",
            # As an operator's shell has it on such a host: the deployment's own commands come last.
            "PATH": f"{_PATH}:{app}/.venv/bin",
            "APP_DIR": app,
            "DATABASE_URL": f"postgresql://{database}:{self._password}@postgres:5432/{database}",
            "DB_HOST": "postgres",
            "DB_PORT": "5432",
            "DB_USER": database,
            "DB_NAME": database,
            "PGPASSWORD": self._password,
            "API_KEY": self.api_key,
            "SERVICE_URL": f"http://127.0.0.1:{_PORT}",
            "PUBLIC_URL": f"http://loadbalancer:{haproxy.FRONT_PORT}",
            "LB_ADMIN": f"loadbalancer:{haproxy.ADMIN_PORT}",
            "MAINTENANCE_FILE": "/var/www/maintenance_status",
            "CONFIG_FILE": f"{app}/config.yaml",
            "LOG_FILE": f"/var/log/{program}/application.log",
            "SUPERVISOR_CONF": _SUPERVISOR_CONF,
            "BACKUP_DIR": f"/var/backups/{program}",
            "SECURE_STORAGE": "/mnt/secure",
            "STATUS_PAGE": "/var/www/status_page.txt",
            "OUTBOX": "/var/spool/outbox",
            "EVIDENCE_DIR": "/var/lib/evidence",
            "DEFECTS_FILE": f"/etc/{program}-defects.yaml",
            "UV_FIND_LINKS": "/opt/wheelhouse",
            "UV_NO_INDEX": "1",
            "UV_OFFLINE": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_LINK_MODE": "copy",
        }

    def _administrator(self, database: str) -> PostgresDatabase:
        assert self._postgres
        url = _url(self._postgres, _POSTGRES_PORT).removeprefix("http://")
        return PostgresDatabase(
            f"postgresql://postgres:{self._admin_password}@{url}/{database}", self._postgres_log
        )

    def _postgres_log(self) -> str:
        assert self._postgres
        container = self._postgres.get_wrapped_container()
        return bytes(container.logs(tail=_LOG_LINES))[-LOG_BYTES:].decode(errors="replace")

    def deploy(self, tag: str) -> None:
        """See Stage.deploy."""
        assert self._deployment
        self.slow_network(0)
        self._deployment.deploy(tag)

    def set_defects(self, defects: Mapping[str, object]) -> None:
        """See Defects.set_defects."""
        assert self._deployment
        self._deployment.set_defects(defects)

    def stop_database(self) -> None:
        """See Stage.stop_database."""
        assert self._postgres
        self._postgres.get_wrapped_container().stop(timeout=_STOP_LIMIT_S)

    def start_database(self) -> None:
        """See Stage.start_database."""
        assert self._postgres
        self._postgres.get_wrapped_container().start()
        await_answer(self.database)

    def set_health_path(self, path: str) -> None:
        """See Stage.set_health_path."""
        assert self._deployment
        self._deployment.set_health_path(path)

    def slow_network(self, delay_s: float) -> None:
        """See Network.slow_network: relays that wait, each in a container before its host."""
        slow, self._relays = self._relays, []
        if not (slow or delay_s > 0):
            return
        ways = {name: (_address(self._containers[name]), _PORT) for name in self._names}
        if delay_s > 0:
            for name in self._names:
                relay = self._start_relay(name, delay_s)
                self._relays.append(relay)
                ways[name] = (_address(relay), _RELAY_PORT)
        for name, (address, port) in ways.items():
            must(self.hosts[0], haproxy.WAY.format(host=name, address=address, port=port))
        for relay in slow:
            relay.get_wrapped_container().remove(force=True, v=True)

    def _start_relay(self, host: str, delay_s: float) -> DockerContainer:
        assert self._network
        container = DockerContainer(self._containers[host].image, entrypoint="python3")
        program = "/slow_relay.py"
        container.with_copy_into_container(Path(slow_relay.__file__), program)
        container.with_command(f"{program} {_RELAY_PORT} {delay_s:g} {host}:{_PORT}")
        self._start(container, self._network, f"slow-way-to-{host}", [_RELAY_PORT])
        port = int(container.get_exposed_port(_RELAY_PORT))
        await_port(port, f"see `docker logs` of the relay before {host}")
        return container

    def _look(self, host: str) -> Mapping[str, int | None]:
        """Return what the kernel knows of the service on `host`; empty when nobody answers."""
        try:
            return dict(http.get(self._exporters[host], limit_s=_LOOK_LIMIT_S).checked().json())
        except (NoAnswer, ValueError, TypeError):
            return {}

    def _await_exporter(self, host: str) -> None:
        advice = f"see `docker logs` of {host}"
        for _ in wait_until(f"{host} tells its memory", _READY_LIMIT_S, advice=advice):
            if self._look(host):
                return

    def _each(self, key: str) -> dict[str, int]:
        seen = {host: self._look(host).get(key) for host in self._exporters}
        return {host: value for host, value in seen.items() if value is not None}

    def rss_bytes(self) -> dict[str, int]:
        """See Process.rss_bytes."""
        return self._each("rss_bytes")

    def oom_kills(self) -> dict[str, int]:
        """See Stage.oom_kills: the kernel's count for the host's control group."""
        return self._each("oom_kills")

    def pids(self) -> dict[str, int]:
        """See Process.pids."""
        for host in self._exporters:
            if not self._look(host):
                raise StageError(
                    f"{host} to tell its processes", "no answer", f"see `docker logs` of {host}"
                )
        return self._each("pid")

    def application_log(self) -> dict[str, str]:
        """See Stage.application_log."""
        read = 'tail -c 900000 "$LOG_FILE" 2>/dev/null || true'
        return {host.name: look(host, read, limit_s=10).stdout for host in self.hosts}

    def __exit__(self, *exc: object) -> None:
        """See Stage.__exit__. Works after a partial start, and twice."""
        if self._database is not None:
            self._database.close()
        remove_from_engine(made(self._labels))

    def leftovers(self) -> list[str]:
        """See Stage.leftovers: containers and networks of this run."""
        return [str(thing.name) for thing in made(self._labels)]


class _NotYet:
    """Stands for what a stage will have once it is up: it is known to come, and says nothing."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> object:
        raise StageError(self._what, "none yet", "enter the stage first")


def _address(container: DockerContainer) -> str:
    """Return the container's address in the network of its run: HAProxy takes no names later on."""
    wrapped = container.get_wrapped_container()
    wrapped.reload()
    (network,) = wrapped.attrs["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def _url(container: DockerContainer, port: int) -> str:
    # Published on loopback, so the engine is on this machine, whatever testcontainers infers.
    return f"http://127.0.0.1:{container.get_exposed_port(port)}"
