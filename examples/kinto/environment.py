"""A staging machine for Kinto on this machine: Postgres, a load balancer, sshd, the service.

A stand-in for the environment that a team has anyway; the drill knows nothing of it but
`staging.toml`. All four run below one supervisord, in a folder that goes away with it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import types
from pathlib import Path

from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.priority import prefer
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage import http, postgres
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.host import run_bounded
from rollback_drill.stage.programs import BIN, search_path
from rollback_drill.stage.sweep import note_child, note_owner, remove_stage, sweep_folder
from rollback_drill.stage.wheelhouse import ensure_wheelhouse

HERE = Path(__file__).resolve().parent
FOLDER = Path("/tmp/kinto-staging")  # noqa: S108 - as staging.toml says
TAGS = ("v26.4", "v26.5")
_SSH, _FRONT, _SERVICE, _ADMIN, _POSTGRES = range(8821, 8826)
_LIMIT_S = 60
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
[program:kinto]
command={folder}/kinto/start.sh
directory={folder}/kinto
autostart=false
startsecs=1
stopasgroup=true
killasgroup=true
stderr_logfile={folder}/kinto.log
environment={kinto_environment}
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


class KintoStaging:
    """Brings the machine up; use as a context manager. `variables` are those of staging.toml."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> KintoStaging:
        """Raises UsageError where there is no sshd, StageError when a part does not start."""
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        if sshd is None:
            raise UsageError("sshd on this machine", "none", "install openssh-server")
        sweep_folder(FOLDER)  # what a killed run left goes
        try:
            FOLDER.mkdir(mode=0o755)
        except FileExistsError as error:
            raise UsageError(
                f"no {FOLDER} yet", "it is there", "end the run that uses it, or remove the folder"
            ) from error
        try:
            self._bring_up(sshd)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _bring_up(self, sshd: str) -> None:
        note_owner(FOLDER)
        locks = [HERE / "releases" / tag / "requirements.txt" for tag in TAGS]
        wheels = [ensure_wheelhouse(lock=lock) for lock in locks]
        password, token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        binaries = postgres.programs(FOLDER)
        postgres.initialise(FOLDER / "postgres", binaries)
        runs = postgres.unprivileged_account()
        self._origin()
        self._keys()
        (FOLDER / "sshd_config").write_text(_SSHD.format(port=_SSH, folder=FOLDER))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd drops its rights
        (FOLDER / "caddy.json").write_text(json.dumps(_caddy()))
        dsn = f"postgresql://postgres:{password}@127.0.0.1:{_POSTGRES}"
        path = search_path(FOLDER / "bin", binaries)
        kinto = {
            "PATH": path,
            "SETTINGS_FILE": f"{FOLDER}/settings.env",
            "KINTO_STORAGE_URL": f"{dsn}/kinto",
            "KINTO_PERMISSION_URL": f"{dsn}/kinto",
            "KINTO_USERID_HMAC_SECRET": secrets.token_hex(16),
        }
        conf = FOLDER / "supervisord.conf"
        conf.touch(mode=0o600)  # it holds secrets
        conf.write_text(
            _SUPERVISOR.format(
                folder=FOLDER,
                data=FOLDER / "postgres",
                postgres=binaries,
                postgres_port=_POSTGRES,
                bin=BIN,
                sshd=sshd,
                postgres_user=f"user={runs.name}" if runs else "",
                kinto_environment=",".join(f'{k}="{v}"' for k, v in kinto.items()),
            )
        )
        with (FOLDER / "supervisord.out").open("wb") as output:
            self._supervisor = subprocess.Popen(
                [str(BIN / "supervisord"), "-n", "-c", str(conf)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        prefer(self._supervisor.pid)  # as a machine of its own: others would be measured with it
        note_child(FOLDER, self._supervisor.pid)
        here = {**os.environ, **kinto, "UV_FIND_LINKS": ",".join(map(str, wheels))}
        self._run(
            f"until psql -X -h {FOLDER}/postgres -p {_POSTGRES} -U postgres -Atqc "
            f"\"ALTER ROLE postgres PASSWORD '{password}'\" 2>/dev/null\n"
            f"do kill -0 {self._supervisor.pid}; sleep 0.1; done\n"  # ends if we are killed
            f"psql -X -h {FOLDER}/postgres -p {_POSTGRES} -U postgres -qc 'CREATE DATABASE kinto'\n"
            f"git clone --quiet {FOLDER}/origin.git {FOLDER}/kinto; cd {FOLDER}/kinto\n"
            f"git checkout --quiet {TAGS[-1]}\n"
            "uv venv --quiet .venv\n"
            "uv pip sync --quiet --python .venv --offline --no-index requirements.txt\n"
            ".venv/bin/kinto migrate --ini kinto.ini\n"
            f'supervisorctl -c "{conf}" start kinto\n'
            f"touch {FOLDER}/may-be-broken",
            here,
        )
        self._await_service()
        authorization = "Basic " + base64.b64encode(f"drill:{token}".encode()).decode()
        self._make_collection(authorization)
        self.variables = {
            "KINTO_PATH": path,
            "KINTO_WHEELS": here["UV_FIND_LINKS"],
            "KINTO_AUTHORIZATION": authorization,
            "KINTO_ADMIN_DSN": f"{dsn}/kinto",
        }

    def _origin(self) -> None:
        """Make the origin: one commit and one tag for each folder in `releases`."""
        work = FOLDER / "work"
        dated = int(now()) - 86_400 * len(TAGS)
        script = (
            f"git init --quiet --bare {FOLDER}/origin.git\n"
            f"git init --quiet -b main {work}\ncd {work}\n"
            "git config user.name example\ngit config user.email example@example.com\n"
        )
        for number, tag in enumerate(TAGS):
            when = f"{dated + 86_400 * number} +0000"
            script += (
                f"cp -a {HERE}/releases/{tag}/. .; printf '.venv\\nkinto.pid\\n' > .gitignore\n"
                f"export GIT_AUTHOR_DATE='{when}' GIT_COMMITTER_DATE='{when}'\n"
                "git add --all\n"
                f"git commit --quiet -m 'Release {tag}'\n"
                f"git tag -a {tag} -m {tag}\n"
            )
        script += f"git push --quiet --tags {FOLDER}/origin.git main\n"
        self._run(script, dict(os.environ))

    def _keys(self) -> None:
        for name in ("key", "host_key"):
            self._run(f"ssh-keygen -q -t ed25519 -N '' -f {FOLDER}/{name}", dict(os.environ))
        public = (FOLDER / "host_key.pub").read_text().rpartition(" ")[0]
        (FOLDER / "known_hosts").write_text(f"[127.0.0.1]:{_SSH} {public}\n")

    def _run(self, script: str, environment: dict[str, str]) -> None:
        done = run_bounded(
            ["bash", "-c", "set -euo pipefail\n" + script], limit_s=_LIMIT_S, env=environment
        )
        if not done.ok:
            words = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
            raise StageError("the example's machine to come up", words[-1], f"see {FOLDER}")

    def _await_service(self) -> None:
        for _ in wait_until("Kinto is served", _LIMIT_S, advice=f"see {FOLDER}/kinto.log"):
            with contextlib.suppress(NoAnswer):
                url = f"http://127.0.0.1:{_FRONT}/v1/__heartbeat__"
                if http.get(url, limit_s=2).status == 200:
                    return

    def _make_collection(self, authorization: str) -> None:
        headers = {"Authorization": authorization}
        base = f"http://127.0.0.1:{_SERVICE}/v1/buckets/staging"
        for url in (base, f"{base}/collections/guests"):
            http.request("PUT", url, headers=headers, limit_s=10).checked()

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
        remove_stage(FOLDER)


def _caddy() -> dict[str, object]:
    check = {"@id": "health", "uri": "/v1/__lbheartbeat__", "interval": "200ms", "timeout": "3s"}
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"127.0.0.1:{_SERVICE}"}],
        "health_checks": {"active": check},
    }
    server = {
        "listen": [f"127.0.0.1:{_FRONT}"],
        "automatic_https": {"disable": True},
        "routes": [{"handle": [proxy]}],
    }
    return {
        "admin": {"listen": f"127.0.0.1:{_ADMIN}", "config": {"persist": False}},
        "apps": {"http": {"servers": {"front": server}}},
    }
