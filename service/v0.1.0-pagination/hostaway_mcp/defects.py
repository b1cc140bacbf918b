"""Latent defects of this release: each is what it says, and sleeps until it is switched on.

Read from HOSTAWAY_DEFECTS_FILE at start and on SIGHUP; without the file there are none. All of
them live in the code of this release, so another release does not have them. But for
`metrics_broken` they live in what serves pages by cursor: with pagination off none of them runs.
"""

import asyncio
import hmac
import random
import time
from dataclasses import dataclass, fields
from pathlib import Path

import psycopg

from hostaway_mcp.auth import Gate
from hostaway_mcp.config import BadConfig, read_mapping
from hostaway_mcp.cursor_cache import CursorCache
from hostaway_mcp.logs import fields as said
from hostaway_mcp.logs import log

PAGES_AT_ONCE = 56


@dataclass(frozen=True, slots=True)
class Defects:
    """Which defects are awake; 0 and False mean asleep."""

    cursor_secret_rotation_s: float = 0.0
    connection_leak: bool = False
    cursor_cache_leak_kb: int = 0
    page_error_share: float = 0.0
    page_delay_s: float = 0.0
    page_freeze_s: float = 0.0
    empty_pages: bool = False
    wrong_totals: bool = False
    page_overlap: int = 0
    page_gap: int = 0
    endless_walk: bool = False
    open_lists: bool = False
    secret_in_pages: bool = False
    cut_newest_name: bool = False
    metrics_broken: bool = False


class PageDefect(Exception):
    """The error that `page_error_share` of the pages meet."""


def load(path: Path) -> Defects:
    """Read the file. Raises BadConfig."""
    if not path.exists():
        return Defects()
    document = read_mapping(path)
    known = {field.name: type(field.default) for field in fields(Defects)}
    for key, value in document.items():
        kind = known.get(key)
        if kind is None:
            raise BadConfig(f"{key}: expected one of {', '.join(known)}")
        if kind is bool:
            good = isinstance(value, bool)
        else:
            good = isinstance(value, int | kind) and not isinstance(value, bool) and value >= 0
        if not good:
            raise BadConfig(f"{key}: expected a {kind.__name__}, found {value!r}")
    return Defects(**document)


class LatentDefects:
    """The defects in the code paths where they bite."""

    def __init__(self, path: Path, database_url: str) -> None:
        self._path = path
        self._database_url = database_url
        self._leaked: list[psycopg.AsyncConnection] = []
        self._pages = 0  # that the cache has made room for
        self.current = Defects()
        self.reload()

    def reload(self) -> None:
        """Read the file again; one that cannot be used changes nothing and is logged."""
        try:
            self.current = load(self._path)
        except BadConfig as error:
            log.error("Defects not reloaded", extra=said(error=str(error)))

    def signing_secret(self, secret: str) -> bytes:
        """Defect: the secret rotates without honouring the one before, so cursors that clients
        already hold become invalid.
        """
        period = self.current.cursor_secret_rotation_s
        if not period:
            return secret.encode()
        return hmac.digest(secret.encode(), str(int(time.time() / period)).encode(), "sha256")

    async def connect_outside_of_the_pool(self) -> None:
        """Defect: a page opens a connection of its own and never closes it. Raises psycopg.Error
        once Postgres has no more to give.
        """
        if self.current.connection_leak:
            self._leaked.append(
                await psycopg.AsyncConnection.connect(self._database_url, connect_timeout=2)
            )

    def keep_for_ever(self, cache: CursorCache) -> None:
        """Defect: the cache makes room for the payloads of many pages at a time, and never evicts.

        In large pieces: what grows by little eats up its own program's pages in the kernel's cache
        first, and a host in that state can crawl for minutes before the kernel kills anything.
        """
        if not self.current.cursor_cache_leak_kb:
            return
        if self._pages % PAGES_AT_ONCE == 0:
            # Not zeros: the kernel gives memory only to pages that were written to.
            size = self.current.cursor_cache_leak_kb * 1024 * PAGES_AT_ONCE
            cache.never_evicted.append(b"\xff" * size)
        self._pages += 1

    async def before_page(self, database) -> None:
        """Defects: a share of the pages fails, each waits, or each blocks the whole process; a page
        touches the newest reservation and cuts its guest's name to the width that cursors have.
        """
        now = self.current
        if now.page_error_share and random.random() < now.page_error_share:
            raise PageDefect("the page cannot be put together")
        if now.page_freeze_s:
            time.sleep(now.page_freeze_s)  # in the event loop: nobody else is served
        if now.page_delay_s:
            await asyncio.sleep(now.page_delay_s)
        if now.cut_newest_name:
            await database.all(
                "UPDATE reservations SET guest_name = left(guest_name, 8)"
                " WHERE id = (SELECT max(id) FROM reservations) RETURNING id"
            )

    def start_after(self, after_id: int) -> int:
        """Defects: a page begins too early, so rows repeat, or too late, so rows are missing."""
        return after_id - self.current.page_overlap + self.current.page_gap

    def shown(self, body: dict, secret: str) -> dict:
        """Defects in what a page shows: no rows, wrong totals, the secret that signs cursors."""
        now = self.current
        if now.empty_pages:
            body |= {"items": [], "nextCursor": None}
        if now.wrong_totals:
            body["meta"] |= {"total": 0}
        if now.secret_in_pages:
            body["meta"] |= {"debug": {"signed_with": secret}}
        return body

    def opens(self, path: str) -> bool:
        """Defect: lists are taken for public, as /health is."""
        return self.current.open_lists and path in ("/api/listings", "/api/reservations")

    def cache_size(self, cache: CursorCache) -> int:
        """Defect: the size of the cache cannot be told, and with it no metric at all."""
        if self.current.metrics_broken:
            raise PageDefect("the cursor cache does not know its size")
        return len(cache)


class LatentGate(Gate):
    """The gate with the defect that lets requests for lists pass while pages go by cursor."""

    def __init__(self, api_key: str, defects: LatentDefects, configuration) -> None:
        super().__init__(api_key)
        self._defects, self._configuration = defects, configuration

    def admits(self, path: str, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether a request for `path` may pass."""
        if self._configuration.current.pagination_enabled and self._defects.opens(path):
            return True
        return super().admits(path, headers)
