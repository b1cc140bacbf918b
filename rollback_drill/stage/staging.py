"""The stage that is there already: a staging environment, reached as its file says."""

from __future__ import annotations

import contextlib
import shutil
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import psycopg

from rollback_drill.ground.errors import NotOffered, StageError, UsageError
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage import http
from rollback_drill.stage.allowance import Allowance, hold_to, release
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.database import PostgresDatabase, await_answer
from rollback_drill.stage.deployment import must
from rollback_drill.stage.entries import FaultEntry, HostEntry, Limits
from rollback_drill.stage.file import Staging
from rollback_drill.stage.host import Host, look
from rollback_drill.stage.model import (
    LOG_BYTES,
    Database,
    Defects,
    Network,
    Process,
    Stage,
    no_document_of,
)
from rollback_drill.stage.remote_host import RemoteHost, local_way, socket_folder, ssh_way
from rollback_drill.stage.scripts import (
    NoDatabase,
    ScriptedDefects,
    ScriptedNetwork,
    ScriptedProcess,
    Scripts,
)
from rollback_drill.subject.questions import GoldenSet
from rollback_drill.subject.subject import SUBJECTS

_DEPLOY_LIMIT_S = 900.0
_SCRIPT_LIMIT_S = 120.0
_LOOK_LIMIT_S = 10.0
_SERVED_LIMIT_S = 60.0


class StagingStage:
    """See stage.model.Stage. It makes nothing but the state in which a drill begins, and removes
    nothing: what the runbook did stays, as after a real rollback.
    """

    confined = True  # its file names the hosts, and is the word of somebody who may
    golden: GoldenSet | None = None
    no_golden = "no golden set was recorded here on a healthy day (make golden; then set GOLDEN)"

    def __init__(
        self, staging: Staging, progress: Callable[[str], None], *, attach: bool = False
    ) -> None:
        """`attach`: as a dead drill left it; nothing is deployed, what still runs is ended."""
        self.staging = staging
        self.where = str(staging.path.resolve())
        self.stays = True
        self.ended_scripts = 0
        self._attach = attach
        self.name = staging.name
        self.reason = f"asked for, {staging.kind}"
        self._progress = progress
        self._folder = socket_folder()
        # Also for a stage that is refused before it is entered.
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.failing, self.stable = staging.failing, staging.stable
        self.base_url, self.api_key = staging.base_url, staging.api_key
        self.secrets = staging.secrets
        self.changing: Sequence[str] = staging.changing
        self.environment: Mapping[str, str] = staging.environment
        self.alternatives: Sequence[str] = staging.alternatives
        self.interface = staging.interface
        self.subject = SUBJECTS.members()[staging.api](staging.interface)
        self.no_document = no_document_of(self.subject)
        self.checks = staging.checks
        self.prometheus_url = staging.prometheus_url
        limits = staging.limits
        self.limits: Limits | None = limits
        self.hosts: Sequence[Host] = tuple(self._host(entry) for entry in staging.hosts)
        self.direct_urls: Mapping[str, str] = {
            entry.name: entry.url.rstrip("/") for entry in staging.hosts
        }
        origins = {self.base_url, *self.direct_urls.values()} - {""}
        self.allowance: Allowance | None = Allowance(origins, limits.rate)
        hold_to(self.allowance)
        weakref.finalize(self, release, self.allowance)
        self.faults: Mapping[str, FaultEntry] = {entry.name: entry for entry in staging.faults}
        self.known = self.subject.recipe is not None
        self.metrics = bool(staging.interface.metrics)
        self._scripts = Scripts(staging, self.hosts)
        self.process: Process = ScriptedProcess(self._scripts)
        self.defects: Defects = ScriptedDefects(self._scripts)
        self.network: Network = ScriptedNetwork(self._scripts)
        self._database: PostgresDatabase | None = None
        if staging.dsn:
            try:
                self._database = PostgresDatabase(staging.dsn, self._database_log)
            except psycopg.ProgrammingError as error:
                raise UsageError(  # without its words, which may hold the password
                    f"a connection string of Postgres for [database] dsn_from in {staging.path}",
                    "something else",
                    "try postgresql://administrator:password@host:5432/database",
                ) from error

    def _host(self, entry: HostEntry) -> RemoteHost:
        if entry.ssh:
            way = ssh_way(entry.ssh, entry.port, entry.options, self._folder)
        elif entry.local:
            way = local_way(entry.options)
        elif entry.container:
            way = ["docker", "exec", "--interactive", *entry.options, entry.container]
        else:
            way = ["kubectl", "exec", "--stdin", *entry.options, entry.pod, "--"]
        environment = {**self.environment, **entry.environment}
        return RemoteHost(entry.name, way, entry.directory, environment)

    @property
    def database(self) -> Database:
        """See Stage.database."""
        return self._database or cast("Database", NoDatabase(self.staging))

    def __enter__(self) -> Stage:
        """Deploy the failing release, or see that it is deployed. Raises StageError, UsageError."""
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        if self.allowance:
            release(self.allowance)  # once, whether it was opened now or before
            hold_to(self.allowance)
        if self.staging.missing:
            raise UsageError(
                f"the variables that {self.staging.path} names",
                f"{', '.join(self.staging.missing)} not set",
                f"run make check STAGE={self.staging.path}",
            )
        self._refuse_unmarked()
        if self._database is not None:
            self._database.open()
        if self._attach:
            for host in self.hosts:
                assert isinstance(host, RemoteHost)
                self.ended_scripts += host.end_left_behind()
            return
        self.deploy(self.failing)

    def _refuse_unmarked(self) -> None:
        if not self.staging.marker:
            return
        for host in self.hosts:
            if not look(host, f"test -e {self.staging.marker}", limit_s=_SCRIPT_LIMIT_S).ok:
                raise UsageError(
                    f"the marker {self.staging.marker} on {host.name}",
                    "none",
                    "make that file on machines that may be broken, and on no other",
                )

    def __exit__(self, *exc: object) -> None:
        """Leave everything as it is; give up connections."""
        if self.allowance:
            release(self.allowance)
        if self._database is not None:
            self._database.close()
        for host in self.hosts:
            assert isinstance(host, RemoteHost)
            host.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def deploy(self, tag: str) -> None:
        """See Stage.deploy. Without a script for it: see that `tag` is what runs."""
        script = self.staging.scripts.get("deploy")
        for host in self.hosts:
            if script:
                self._progress(f"deploying {tag} on {host.name}")
                must(host, f"export TAG={tag}\n{script}", _DEPLOY_LIMIT_S)
                continue
            found = look(host, "git describe --tags --always", limit_s=_SCRIPT_LIMIT_S)
            if found.stdout.strip() != tag:
                raise StageError(
                    f"{tag} deployed on {host.name}",
                    found.stdout.strip() or found.stderr.strip(),
                    "deploy it, or give [scripts] deploy so that the drill can",
                )
        for url in (*self.direct_urls.values(), self.base_url):
            self._await_health(tag, url)

    def _await_health(self, tag: str, url: str) -> None:
        path = self.interface.health
        advice = "see the service's and the load balancer's log"
        for _ in wait_until(f"{tag} is served at {url}{path}", _SERVED_LIMIT_S, advice=advice):
            with contextlib.suppress(NoAnswer):
                if http.get(url + path, limit_s=_LOOK_LIMIT_S).status == 200:
                    return

    def stop_database(self) -> None:
        """See Stage.stop_database."""
        self._scripts.run("stop_database", "stop the database")

    def start_database(self) -> None:
        """See Stage.start_database."""
        self._scripts.run("start_database", "start the database")
        await_answer(self.database)

    def set_health_path(self, path: str) -> None:
        """See Stage.set_health_path."""
        self._scripts.run("health_path", "change the load balancer's question", HEALTH_PATH=path)

    def oom_kills(self) -> dict[str, int]:
        """See Stage.oom_kills."""
        return self._scripts.numbers("oom_kills", least=0)

    def running_releases(self) -> dict[str, str]:
        """See Stage.running_releases."""
        script = self.staging.scripts.get("release")
        if not script:
            return {}
        told = {host.name: look(host, script, limit_s=_LOOK_LIMIT_S) for host in self.hosts}
        return {name: done.stdout.strip() if done.ok else "" for name, done in told.items()}

    def application_log(self) -> dict[str, str]:
        """See Stage.application_log."""
        read = 'tail -c 900000 "${LOG_FILE:-/dev/null}" 2>/dev/null || true'
        return {host.name: look(host, read, limit_s=_LOOK_LIMIT_S).stdout for host in self.hosts}

    def _database_log(self) -> str:
        script = self.staging.scripts.get("database_log")
        what = f"[scripts] database_log of {self.staging.path}"
        if not script:
            raise NotOffered(what, "none", "write that script to have Postgres' log read")
        end = f"(\n{script}\n) | tail -c {LOG_BYTES}"
        done = look(self.hosts[0], end, limit_s=_LOOK_LIMIT_S, keep=2 * LOG_BYTES)
        if not done.ok:
            words = done.stderr.strip()[-200:] or f"status {done.exit_status}"
            raise StageError(what, words, "mend that script")
        return f"{done.stdout}\n"

    def leftovers(self) -> list[str]:
        """See Stage.leftovers: a staging environment is not made by the drill."""
        return []
