"""Latent defects of this release: each is what it says, and sleeps until it is switched on.

Read from HOSTAWAY_DEFECTS_FILE at start and on SIGHUP; without the file there are none. All of
them live in the code that serves pages by cursor, so another release does not have them, and
with pagination switched off none of them runs.
"""

import hmac
import time
from dataclasses import dataclass, fields
from pathlib import Path

import psycopg

from hostaway_mcp.config import BadConfig, read_mapping
from hostaway_mcp.cursor_cache import CursorCache
from hostaway_mcp.logs import fields as said
from hostaway_mcp.logs import log


@dataclass(frozen=True, slots=True)
class Defects:
    """Which defects are awake; 0 and False mean asleep."""

    cursor_secret_rotation_s: float = 0.0
    connection_leak: bool = False
    cursor_cache_leak_kb: int = 0


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
        """Defect: the cache keeps each page's payload and never evicts it."""
        size = self.current.cursor_cache_leak_kb * 1024
        if size:
            # Not zeros: the kernel gives memory only to pages that were written to.
            cache.never_evicted.append(b"\xff" * size)
