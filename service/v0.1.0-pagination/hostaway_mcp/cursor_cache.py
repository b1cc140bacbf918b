"""Remembers by cursor what the next page needs to know: how many rows the whole walk has.

Only a cache: a cursor that is not in it is as good as one that is, its total is counted again.
"""

from cachetools import TTLCache
from prometheus_client import Gauge

LARGEST = 10_000  # entries
LIFETIME_S = 900
SIZE = Gauge("hostaway_cursor_cache_entries", "Cursors in the cache, with those never evicted")


class CursorCache:
    """Totals by cursor, evicted after a time or when there are too many."""

    def __init__(self) -> None:
        self._totals: TTLCache[str, int] = TTLCache(LARGEST, LIFETIME_S)
        self.never_evicted: list[bytes] = []  # see defects.py

    def __len__(self) -> int:
        return len(self._totals) + len(self.never_evicted)

    def remember(self, cursor: str, total: int) -> None:
        """Keep `total` for the walk that goes on at `cursor`."""
        self._totals[cursor] = total

    def total(self, cursor: str) -> int | None:
        """Return what was remembered, None when it was evicted or never known here."""
        return self._totals.get(cursor)
