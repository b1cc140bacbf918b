"""A Postgres server, seen by its administrator over one connection that is kept open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from drill.errors import StageError


class PostgresDatabase:
    """See drill.stage.Database. The connection is kept, so that an exhausted server still answers.

    `dsn` must name a superuser; `read_log` returns the server's log.
    """

    def __init__(self, dsn: str, read_log: Callable[[], str]) -> None:
        self._dsn = dsn
        self._read_log = read_log
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = threading.Lock()

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of `query`, [] when it returns none. Raises StageError."""
        with self._lock:
            try:
                return self._fetch(query, parameters)
            except psycopg.OperationalError:
                self.close()  # the server went away, or this database was made anew: once more
            try:
                return self._fetch(query, parameters)
            except psycopg.Error as error:
                self.close()
                raise StageError("an answer from Postgres", str(error), "see its log") from error

    def _fetch(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._dsn, autocommit=True, connect_timeout=5)
        cursor = self._connection.execute(query.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    def connections(self) -> tuple[int, int]:
        """Return (client sessions now, the server's limit)."""
        (row,) = self.fetch(
            "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
        )
        return int(row[0]), int(row[1])

    def log(self) -> str:
        """Return the server log since the stage came up."""
        return self._read_log()

    def close(self) -> None:
        """Close the kept connection; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
