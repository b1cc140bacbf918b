"""The administrator's way into Postgres, which works even when clients are refused."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rollback_drill.ground.errors import StageError
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.watched import Watched
from rollback_drill.stage.model import Database, Sessions

_MAINTENANCE = "postgres"  # the database that is always there
_CONNECT_TIMEOUT_S = 3
_STATEMENT_TIMEOUT_S = 30
_LOOK_S = 0.25
_KEEPER_LIMIT_S = 60.0
_START_LIMIT_S = 30
_OURS = "rollback-drill"
_ADVICE = "see the database's log; if the drill broke it on purpose, this is the finding"

# `ALTER DATABASE … RENAME`, `DROP DATABASE` and a copy by `TEMPLATE` lock the database as a whole
# and then wait 5 s for its other sessions to end (CountOtherDBBackends in Postgres' procarray.c).
_WANTED_ALONE = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.objid
WHERE locktype = 'object' AND classid = 'pg_database'::regclass AND datname = %s
AND mode IN ('ShareLock', 'AccessExclusiveLock')
"""
_NEIGHBOUR = "neighbour"  # may read and write all data, and so lock it
_WHOSE = """
SELECT usename, count(*), (
    SELECT count(*) FROM pg_stat_activity AS waiting WHERE wait_event_type = 'Lock'
    AND waiting.usename IS DISTINCT FROM holder.usename
    AND pg_blocking_pids(waiting.pid) && array_agg(holder.pid)
) FROM pg_stat_activity AS holder
WHERE backend_type = 'client backend' AND application_name <> %s GROUP BY usename
"""
_SESSIONS = """
SELECT count(*), current_setting('max_connections')::int
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


class PostgresDatabase:
    """Implements rollback_drill.stage.model.Database. After `open`, call `close`.

    It keeps two sessions of its own, since no new one is to be had once clients have used up the
    limit: one in the maintenance database, one in the service's. The latter gives way whenever
    somebody wants that database alone (to rename, drop or copy it) and comes back afterwards.
    `dsn` names the service's database and a superuser; `read_log` returns the server's log.
    """

    def __init__(self, dsn: str, read_log: Callable[[], str]) -> None:
        self._read_log = read_log
        options: dict[str, str | int] = {
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "application_name": _OURS,
            # What is set for the database or the user must not change how answers read.
            "options": f"-c statement_timeout={_STATEMENT_TIMEOUT_S}s -c TimeZone=UTC "
            "-c DateStyle=ISO -c IntervalStyle=postgres -c bytea_output=hex -c search_path=public",
        }
        self._dsn = dsn
        self._neighbour_dsn = ""
        self._neighbour_lock = threading.Lock()
        self._name = str(conninfo_to_dict(dsn)["dbname"])
        self._server_dsn = make_conninfo(dsn, **options, dbname=_MAINTENANCE)
        self._server = _Session(self._server_dsn)
        self._service = _Session(make_conninfo(dsn, **options))
        self._stop = threading.Event()
        self._keeper: Watched | None = None

    def open(self) -> None:
        """Open both sessions and keep them. Raises StageError when the server refuses them."""
        self._server.open()
        self._service.open()
        if self._keeper is None:
            self._stop.clear()
            self._keeper = Watched("keeper of the database's session", self._keep, over=self._stop)
            self._keeper.start()

    def close(self) -> None:
        """Close both sessions; a question asked later opens what it needs."""
        self._stop.set()
        if self._keeper is not None:
            self._keeper.end(_KEEPER_LIMIT_S)
            self._keeper = None
        self._service.close()
        self._server.close()

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of `query` (psycopg placeholders) on the service's database.

        Raises StageError when the server cannot be reached or refuses the query.
        """
        return self._service.fetch(query, parameters)

    def connections(self) -> tuple[int, int]:
        """Return (client sessions now, this object's two among them; the server's limit)."""
        ((used, limit),) = self._server.fetch(_SESSIONS, ())
        return int(used), int(limit)

    def sessions(self) -> list[Sessions]:
        """See Database.sessions. Those that are just starting have no user yet and count as ""."""
        rows = self._server.fetch(_WHOSE, (_OURS,))
        return [Sessions(user or "", int(count), int(blocks)) for user, count, blocks in rows]

    def end_sessions(self, user: str) -> None:
        """See Database.end_sessions."""
        self._server.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (user,)
        )

    def beside(self, name: str) -> contextlib.AbstractContextManager[_Session]:
        """See Database.beside. Of the maintenance database it is the session that is kept, which
        is there when no other is to be had.
        """
        if name == _MAINTENANCE:
            return contextlib.nullcontext(self._server)
        return contextlib.closing(_Session(make_conninfo(self._server_dsn, dbname=name)))

    def neighbour(self) -> psycopg.Connection[Any]:
        """See Database.neighbour."""
        with self._neighbour_lock:
            if not self._neighbour_dsn:
                self._make_neighbour()
        return psycopg.connect(
            self._neighbour_dsn,
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT_S,
            application_name="nightly-report",
        )

    def _make_neighbour(self) -> None:
        password = secrets.token_urlsafe(24)
        found = self._server.fetch("SELECT 1 FROM pg_roles WHERE rolname = %s", (_NEIGHBOUR,))
        verb = "ALTER" if found else "CREATE"
        self._server.fetch(f"{verb} ROLE {_NEIGHBOUR} LOGIN PASSWORD '{password}'")
        # By membership, so that no grant on a table makes its schema differ.
        self._server.fetch(f"GRANT pg_read_all_data, pg_write_all_data TO {_NEIGHBOUR}")
        self._neighbour_dsn = make_conninfo(self._dsn, user=_NEIGHBOUR, password=password)

    def log(self) -> str:
        """See Database.log."""
        return self._read_log()

    def _keep(self) -> None:
        """Give way while the database is wanted alone; else hold the session against a leak."""
        while not self._stop.wait(_LOOK_S):
            # A server that does not answer now is asked again; a caller of `fetch` is told.
            with contextlib.suppress(StageError):
                ((wanted,),) = self._server.fetch(_WANTED_ALONE, (self._name,))
                if wanted:
                    self._service.close()
                else:
                    self._service.open()


def await_answer(database: Database) -> None:
    """Wait until the server answers its administrator. Raises WaitTimeout."""
    for _ in wait_until("Postgres answers", _START_LIMIT_S, advice="see the database's log"):
        try:
            database.connections()
            return
        except StageError:
            continue


class _Session:
    """One connection, opened anew when it broke, used by one thread at a time."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def open(self) -> None:
        with self._lock, _told():
            self._get()

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, _told():
            try:
                return self._ask(query, parameters)
            except psycopg.OperationalError:
                if self._connection is not None and not self._connection.closed:
                    raise  # the server answered: a time-out, a lack of space
                # The server ended the session, as at its restart: one more try on a new one.
                return self._ask(query, parameters)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _get(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = None
            self._connection = psycopg.connect(self._dsn, autocommit=True)
        return self._connection

    def _ask(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        # Without parameters psycopg takes a % literally, as in LIKE 'a%'.
        cursor = self._get().execute(query.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []


class _told(contextlib.AbstractContextManager[None]):
    """Turns errors of psycopg into StageError."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, psycopg.Error):
            words = " ".join(str(error).split()) or type(error).__name__
            raise StageError("an answer from Postgres", words, _ADVICE) from error
