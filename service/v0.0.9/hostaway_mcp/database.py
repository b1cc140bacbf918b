"""A small pool of connections to Postgres."""

import asyncio

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

WAIT_S = 2.0  # longest wait for a free connection, and for an answer to "are you there?"
LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 10_000


class Database:
    """Runs single statements, each in a transaction of its own."""

    def __init__(self, url: str) -> None:
        self._asking: set[asyncio.Task] = set()
        self.pool = AsyncConnectionPool(
            url,
            min_size=2,
            max_size=10,
            timeout=WAIT_S,
            reconnect_timeout=WAIT_S,  # longer back-off would outlast the outage
            open=False,
            kwargs={
                "row_factory": dict_row,
                "autocommit": True,
                "connect_timeout": 2,
                "application_name": "hostaway-mcp",
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
                f" -c lock_timeout={LOCK_TIMEOUT_MS}",
            },
        )

    async def open(self) -> None:
        """Start connecting; does not wait, so that the service also starts without a database."""
        await self.pool.open(wait=False)

    async def close(self) -> None:
        """Give up all connections."""
        await self.pool.close(timeout=1)

    async def all(self, query: str, parameters: tuple = ()) -> list[dict]:
        """Return all rows. Raises psycopg.Error, also when no connection is free in time."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall()

    async def one(self, query: str, parameters: tuple = ()) -> dict | None:
        """Return the first row or None. Raises psycopg.Error."""
        rows = await self.all(query, parameters)
        return rows[0] if rows else None

    async def problem(self) -> str | None:
        """Ask whether the database answers within `WAIT_S`; return None, or why it does not."""
        asking = asyncio.create_task(self._ask())
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        done, _ = await asyncio.wait({asking}, timeout=WAIT_S)
        if done:
            return asking.result()
        # Not awaited: to cancel a query means to ask the database, which may hang as well.
        asking.cancel()
        return f"no answer within {WAIT_S:g} s"

    async def _ask(self) -> str | None:
        try:
            await self.one("SELECT 1")
        except psycopg.Error as error:
            return message_of(error)
        return None


def message_of(error: psycopg.Error) -> str:
    """Return the database's own message in one line."""
    return " ".join(str(error).split()) or type(error).__name__
