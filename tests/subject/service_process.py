"""A real service for tests: an embedded Postgres, a deployed clone of the origin, its process."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from rollback_drill.ground.machine import temporary
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.release import build_origin
from rollback_drill.stage.wheelhouse import ensure_wheelhouse
from tests.data.postgres_support import Postgres, postgres

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ROOT / "service"
API_KEY = "test-api-key-Zx81"
CURSOR_SECRET = "test-cursor-secret-Qy27"
HEADERS = {"X-API-Key": API_KEY}
OLD, CANDIDATE, NEW = "v0.0.9", "v0.1.0-rc1", "v0.1.0-pagination"


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@functools.cache
def _environment() -> Path:
    """Return the folder of the one environment that all services of this run are run by: releases
    need the same, and what Python has compiled of it once need not be compiled again.
    """
    folder = Path(tempfile.mkdtemp(prefix="drill-env-", dir=temporary()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Service:
    """A clone of the origin in `directory`, and at most one process that serves from it."""

    def __init__(self, directory: Path, origin: Path, database_url: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.app = directory / "hostaway-mcp"
        self.config = self.app / "config.yaml"
        self.log_file = directory / "application.log"
        self.maintenance_file = directory / "maintenance"
        self.defects_file = directory / "defects.yaml"
        self.database_url = database_url
        self.process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._run("git", "clone", "--quiet", str(origin), str(self.app), cwd=directory)

    @property
    def python(self) -> Path:
        return _environment() / "venv" / "bin" / "python"

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "DATABASE_URL": self.database_url,
            "HOSTAWAY_API_KEY": API_KEY,
            "HOSTAWAY_CURSOR_SECRET": CURSOR_SECRET,
            "HOSTAWAY_LOG_FILE": str(self.log_file),
            "HOSTAWAY_MAINTENANCE_FILE": str(self.maintenance_file),
            "HOSTAWAY_DEFECTS_FILE": str(self.defects_file),
            "HOSTAWAY_CONFIG": str(self.config),
            "HOSTAWAY_PORT": str(self.port),
            "HOSTAWAY_BIND": "127.0.0.1",
            "UV_FIND_LINKS": str(ensure_wheelhouse()),
            "UV_NO_INDEX": "1",
            "UV_OFFLINE": "1",
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_CACHE_DIR": str(_environment() / "cache"),
            "UV_PROJECT_ENVIRONMENT": str(_environment() / "venv"),
        }

    def checkout(self, tag: str) -> None:
        """Put the tree on `tag` and install what it needs, from the wheelhouse alone."""
        self._run("git", "checkout", "--quiet", "--force", f"tags/{tag}")
        self.uv("sync", "--quiet")

    def uv(self, *arguments: str) -> str:
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        assert uv
        return self._run(uv, *arguments)

    def alembic(self, *arguments: str) -> str:
        return self._run(str(self.python), "-m", "alembic", *arguments)

    def seed(self, listings: int, seed: int = 1) -> str:
        return self._run(
            *[str(self.python), "-m", "hostaway_mcp.seed"],
            *["--listings", str(listings), "--seed", str(seed)],
        )

    def deploy(self, tag: str, listings: int) -> None:
        """Check `tag` out, and migrate and fill the empty database as it grew in real life."""
        self.checkout(tag)
        self.alembic("upgrade", "0001_base")
        self.seed(listings)
        if len(list((self.app / "migrations" / "versions").glob("*.py"))) > 1:
            self.alembic("upgrade", "head")

    def start(self) -> None:
        """Start the process and wait until it answers, healthy or not."""
        self.process = subprocess.Popen(
            [self.python, "-m", "hostaway_mcp"],
            cwd=self.app,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.directory / "stderr").open("wb"),
        )
        with self.client() as client:
            for _ in wait_until("the service answers", 60, advice=f"see {self.directory}/stderr"):
                assert self.process.poll() is None, (self.directory / "stderr").read_text()
                with contextlib.suppress(httpx.TransportError):
                    client.get("/health")
                    break

    def stop(self) -> int | None:
        """End the process; return its exit status, None without one."""
        if self.process is None:
            return None
        self.process.terminate()
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process = None

    def signal_and_await(self, message: str) -> dict[str, Any]:
        """Send SIGHUP and return the first new log record with `message`."""
        assert self.process
        before = len(self.records())
        self.process.send_signal(signal.SIGHUP)
        return self.await_record(message, before)

    def await_record(self, message: str, after: int = 0) -> dict[str, Any]:
        for _ in wait_until(f"the log says {message!r}", 60, advice=str(self.log_file)):
            for record in self.records()[after:]:
                if record["message"] == message:
                    return record
        raise AssertionError

    def defects(self, **defects: object) -> None:
        """Switch the latent defects to `defects` and nothing else."""
        self.defects_file.write_text(json.dumps(defects))
        self.signal_and_await("Config reloaded")

    def records(self, level: str | None = None) -> list[dict[str, Any]]:
        """Return the log, or its records of one level; every line must be JSON."""
        if not self.log_file.exists():
            return []
        whole = self.log_file.read_text().rpartition("\n")[0]
        records: list[dict[str, Any]] = [json.loads(line) for line in whole.splitlines()]
        return [record for record in records if level in (None, record["level"])]

    def rss(self) -> int:
        """Return the process's resident memory in bytes."""
        assert self.process
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=HEADERS, timeout=10, **options)

    def _run(self, *command: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=cwd or self.app,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command} exited {done.returncode}: {done.stderr}"
        return done.stdout


@contextlib.contextmanager
def running(service: Service) -> Iterator[Service]:
    service.start()
    try:
        yield service
    finally:
        service.stop()


def make_origin(directory: Path) -> Path:
    origin = directory / "origin.git"
    build_origin(SERVICE, origin)
    return origin


@contextlib.contextmanager
def deployment(directory: Path, tag: str, listings: int) -> Iterator[tuple[Postgres, Service]]:
    """Bring up Postgres and a service of release `tag` with seed data; nothing runs after it."""
    with postgres() as server:
        service = Service(directory / "host", make_origin(directory), server.create("app"))
        service.deploy(tag, listings)
        with running(service):
            yield server, service


def walk(client: httpx.Client, path: str, limit: int, **extra: str) -> list[dict[str, Any]]:
    """Return all rows of a list, by whichever way of paging the service offers."""
    rows: list[dict[str, Any]] = []
    following: dict[str, str] = {}
    while True:
        answer = client.get(path, params={"limit": limit, **extra, **following})
        page = answer.raise_for_status().json()
        found = page["items"] if "items" in page else page[path.rpartition("/")[2]]
        # A walk in circles would never end.
        assert not {row["id"] for row in found} & {row["id"] for row in rows}, "a row came twice"
        rows += found
        if "items" in page:
            if page["nextCursor"] is None:
                return rows
            following = {"cursor": page["nextCursor"]}
        else:
            if len(found) < limit:
                return rows
            following = {"offset": str(page["offset"] + limit)}
