"""An embedded Postgres for tests, reached by its socket."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from rollback_drill.ground.machine import temporary
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.postgres import environment, initialise, owner, programs


class Postgres:
    """A server in a new folder of `place`, with `max_connections` slots; its databases are reached
    by socket, as the user `postgres`.
    """

    def __init__(self, place: Path, max_connections: int) -> None:
        self.data = place / "data"
        self.bin = programs(place)
        self._process: subprocess.Popen[bytes] | None = None
        initialise(self.data, self.bin)
        with (self.data / "postgresql.conf").open("a") as settings:
            settings.write(f"max_connections = {max_connections}\nfsync = off\n")
            settings.write("listen_addresses = ''\n")
        self.start()

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.data}"

    def start(self) -> None:
        runs = owner(self.data)
        with (self.data.parent / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, "-k", self.data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(self.bin),
                user=runs.uid if runs else None,
                group=runs.gid if runs else None,
                extra_groups=() if runs else None,
                start_new_session=True,
            )
        for _ in wait_until("Postgres answers", 60):
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url("postgres")).close()
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)

    def create(self, database: str, template: str = "template1") -> str:
        """Make `database` anew, as a copy of `template`, and return its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {database} TEMPLATE {template}")
        return self.url(database)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def fetch(self, query: str, database: str = "app") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def dump(self, database: str, *options: str) -> str:
        """Return what pg_dump writes, without its per-run tokens."""
        done = subprocess.run(
            [self.bin / "pg_dump", *options, self.url(database)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return "\n".join(
            line
            for line in done.stdout.splitlines()
            if not line.startswith(("\\restrict", "\\unrestrict"))
        )


@contextlib.contextmanager
def postgres(max_connections: int = 30) -> Iterator[Postgres]:
    # Whoever runs Postgres must be able to enter the folder; pytest's own are for their owner.
    with tempfile.TemporaryDirectory(
        prefix="drill-pg-", dir=temporary(), ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder), max_connections)
        try:
            yield server
        finally:
            server.stop()
