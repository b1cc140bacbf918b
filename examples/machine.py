"""A staging machine on this machine: Postgres, a load balancer, sshd, and a service.

A stand-in for the environment that a team has anyway; the drill knows nothing of it but a staging
file. All run below one supervisord, in a folder that goes away with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import types
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.priority import prefer
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage import http, postgres
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.host import run_bounded
from rollback_drill.stage.programs import BIN, search_path
from rollback_drill.stage.sweep import note_child, note_owner, remove_stage, sweep_folder

_LIMIT_S = 60
_SETUP_S = 300  # npm takes its time
_SUPERVISOR = """
[unix_http_server]
file={folder}/supervisor.sock
chmod=0700
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/supervisor.sock
[program:postgres]
command={postgres}/postgres -D {data} -k {data} -p {postgres_port} -h 127.0.0.1
{postgres_user}
stopsignal=INT
[program:caddy]
command={bin}/caddy run --config {folder}/caddy.json
environment=HOME="{folder}"
[program:sshd]
command={sshd} -D -e -f {folder}/sshd_config
stderr_logfile={folder}/sshd.log
[program:{program}]
command={folder}/{program}/start.sh
directory={folder}/{program}
autostart=false
startsecs=1
stopasgroup=true
killasgroup=true
{logs}
environment={environment}
"""
_SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
"""


class StagingMachine(ABC):
    """Brings a machine up; use as a context manager. `variables` are those of its staging file."""

    folder: Path
    """Where it is brought up, as its staging file says."""
    program: str
    """What the service is called: its program, its folder, its database, its log."""
    releases: Path
    """A folder for each release, which bears the name of its tag; the last one is deployed."""
    first_port: int
    """Of ssh; the front door, the service, Caddy's door for operators and Postgres follow."""
    ignored: str
    """What git must not know of a deployment, line by line."""
    health: str
    served: str
    """Paths that answer 200: whether it is alive, and whether it can serve."""
    printed_to = "stderr_logfile"

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.environment = dict(os.environ)
        self._supervisor: subprocess.Popen[bytes] | None = None
        self.tags = sorted((one.name for one in self.releases.iterdir()), key=_in_order)
        ports = range(self.first_port, self.first_port + 5)
        self.ssh, self.front, self.service, self.operators, self.postgres = ports

    @abstractmethod
    def fetch(self) -> dict[str, str]:
        """Fetch what deployments need, once; return the variables by which they find it."""

    @abstractmethod
    def settings(self, dsn: str) -> dict[str, str]:
        """Return the variables of the service; `dsn` leads to its database."""

    @abstractmethod
    def installation(self) -> str:
        """Return the script that installs a release, in the folder where it is deployed."""

    @abstractmethod
    def started(self, dsn: str) -> dict[str, str]:
        """Do what is still to do once it serves; return more variables of the staging file."""

    def programs(self) -> str:
        """Return what else supervisord runs, as sections of its file."""
        return ""

    def routes(self) -> list[dict[str, object]]:
        """Return what else the front door leads to, as routes of Caddy."""
        return []

    def doors(self) -> dict[str, object]:
        """Return what other doors there are, as servers of Caddy."""
        return {}

    def __enter__(self) -> Self:
        """Raises UsageError where there is no sshd, StageError when a part does not start."""
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        if sshd is None:
            raise UsageError("sshd on this machine", "none", "install openssh-server")
        sweep_folder(self.folder)  # what a killed run left goes
        try:
            self.folder.mkdir(mode=0o755)
        except FileExistsError as error:
            raise UsageError(
                f"no {self.folder} yet",
                "it is there",
                "end the run that uses it, or remove the folder",
            ) from error
        try:
            self._bring_up(sshd)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _bring_up(self, sshd: str) -> None:
        folder, program = self.folder, self.program
        note_owner(folder)
        fetched = self.fetch()
        self.environment |= fetched
        password = secrets.token_urlsafe(24)
        binaries = postgres.programs(folder)
        postgres.initialise(folder / "postgres", binaries)
        runs = postgres.unprivileged_account()
        self._origin()
        self._keys()
        (folder / "sshd_config").write_text(_SSHD.format(port=self.ssh, folder=folder))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd drops its rights
        (folder / "caddy.json").write_text(json.dumps(self._caddy()))
        dsn = f"postgresql://postgres:{password}@127.0.0.1:{self.postgres}/{program}"
        path = search_path(folder / "bin", binaries)
        own = {"PATH": path, "SETTINGS_FILE": f"{folder}/settings.env", **self.settings(dsn)}
        self.environment |= own
        conf = folder / "supervisord.conf"
        conf.touch(mode=0o600)  # it holds secrets
        told = _SUPERVISOR.format(
            folder=folder,
            program=program,
            data=folder / "postgres",
            postgres=binaries,
            postgres_port=self.postgres,
            bin=BIN,
            sshd=sshd,
            logs=f"{self.printed_to}={folder}/{program}.log",
            postgres_user=f"user={runs.name}" if runs else "",
            environment=",".join(f'{k}="{v}"' for k, v in own.items()),
        )
        conf.write_text(told + self.programs())
        with (folder / "supervisord.out").open("wb") as output:
            self._supervisor = subprocess.Popen(
                [str(BIN / "supervisord"), "-n", "-c", str(conf)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        prefer(self._supervisor.pid)  # as a machine of its own: others would be measured with it
        note_child(folder, self._supervisor.pid)
        self.run(
            f"until psql -X -h {folder}/postgres -p {self.postgres} -U postgres -Atqc "
            f"\"ALTER ROLE postgres PASSWORD '{password}'\" 2>/dev/null\n"
            f"do kill -0 {self._supervisor.pid}; sleep 0.1; done\n"  # ends if we are killed
            f"psql -X -h {folder}/postgres -p {self.postgres} -U postgres"
            f" -qc 'CREATE DATABASE {program}'\n"
            f"git clone --quiet {folder}/origin.git {folder}/{program}; cd {folder}/{program}\n"
            f"git checkout --quiet {self.tags[-1]}\n"
            f"{self.installation()}\n"
            f'supervisorctl -c "{conf}" start {program}\n'
            f"touch {folder}/may-be-broken"
        )
        self._await_service()
        self.variables = {f"{program.upper()}_PATH": path, **fetched, **self.started(dsn)}

    def _origin(self) -> None:
        """Make the origin: one commit and one tag for each release."""
        work = self.folder / "work"
        dated = int(now()) - 86_400 * len(self.tags)
        script = (
            f"git init --quiet --bare {self.folder}/origin.git\n"
            f"git init --quiet -b main {work}\ncd {work}\n"
            "git config user.name example\ngit config user.email example@example.com\n"
        )
        for number, tag in enumerate(self.tags):
            when = f"{dated + 86_400 * number} +0000"
            script += (
                f"cp -a {self.releases}/{tag}/. .; printf '{self.ignored}' > .gitignore\n"
                f"export GIT_AUTHOR_DATE='{when}' GIT_COMMITTER_DATE='{when}'\n"
                "git add --all\n"
                f"git commit --quiet -m 'Release {tag}'\n"
                f"git tag -a {tag} -m {tag}\n"
            )
        script += f"git push --quiet --tags {self.folder}/origin.git main\n"
        self.run(script)

    def _keys(self) -> None:
        for name in ("key", "host_key"):
            self.run(f"ssh-keygen -q -t ed25519 -N '' -f {self.folder}/{name}")
        public = (self.folder / "host_key.pub").read_text().rpartition(" ")[0]
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.ssh} {public}\n")

    def run(self, script: str) -> None:
        """Run a script of the example's own. Raises StageError."""
        command = ["bash", "-c", "set -euo pipefail\n" + script]
        done = run_bounded(command, limit_s=_SETUP_S, env=self.environment)
        if not done.ok:
            words = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
            raise StageError("the example's machine to come up", words[-1], f"see {self.folder}")

    def _await_service(self) -> None:
        log = f"{self.folder}/{self.program}.log"
        for _ in wait_until(f"{self.program} is served", _LIMIT_S, advice=f"see {log}"):
            with contextlib.suppress(NoAnswer):
                url = f"http://127.0.0.1:{self.front}{self.served}"
                if http.get(url, limit_s=2).status == 200:
                    return

    def _caddy(self) -> dict[str, object]:
        check = {"@id": "health", "uri": self.health, "interval": "200ms", "timeout": "3s"}
        proxy = {
            "handler": "reverse_proxy",
            "upstreams": [{"dial": f"127.0.0.1:{self.service}"}],
            "health_checks": {"active": check},
        }
        server = {
            "listen": [f"127.0.0.1:{self.front}"],
            "automatic_https": {"disable": True},
            "routes": [*self.routes(), {"handle": [proxy]}],
        }
        return {
            "admin": {"listen": f"127.0.0.1:{self.operators}", "config": {"persist": False}},
            "apps": {"http": {"servers": {"front": server, **self.doors()}}},
        }

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: types.TracebackType | None = None,
    ) -> None:
        """End everything and remove the folder."""
        if self._supervisor is not None:
            self._supervisor.send_signal(signal.SIGTERM)
            try:
                self._supervisor.wait(_LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._supervisor.pid, signal.SIGKILL)
        remove_stage(self.folder)


def _in_order(tag: str) -> list[int]:
    return [int(part) for part in tag.removeprefix("v").split(".")]
