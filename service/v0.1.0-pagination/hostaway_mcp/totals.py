"""How many rows a list has, counted once in a while: millions of rows take a second to count."""

import asyncio

from cachetools import TTLCache

from hostaway_mcp.database import Database

LARGEST = 1_000  # lists, each with filters of its own
LIFETIME_S = 5  # a walk may start with a total this old


class Totals:
    """Counts by list. Whoever asks for the same list at the same time waits for the same count."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: TTLCache[tuple, asyncio.Task] = TTLCache(LARGEST, LIFETIME_S)

    async def of(self, table: str, conditions: list[str], parameters: tuple) -> int:
        """Return how many rows of `table` meet all `conditions`. Raises psycopg.Error."""
        key = (table, *conditions, *parameters)
        count = self._counts.get(key)
        if count is None or (count.done() and (count.cancelled() or count.exception())):
            self._counts[key] = count = asyncio.create_task(
                self._count(table, conditions, parameters)
            )
        # Who hangs up must not take the count away from the others.
        return await asyncio.shield(count)

    async def _count(self, table: str, conditions: list[str], parameters: tuple) -> int:
        query = f"SELECT count(*) AS total FROM {table}"
        if conditions:
            query += " WHERE " + " AND ".join(conditions)
        return (await self._database.one(query, parameters))["total"]
