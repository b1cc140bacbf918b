"""Sends one HTTP request once, over connections that are kept alive.

Locust's own FastHttpSession is not used: its client sends an idempotent request again, up to once
per connection, when the server closes without an answer, which hides the very failures that are to
be counted. The pool and the parser below it are the same, from geventhttpclient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import gevent
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.response import HTTPResponse, HTTPSocketPoolResponse

MOST_BYTES = 8 * 2**20
"""Bytes of an answer at most, its headers among them."""
MOST_AT_ONCE = 128 * 2**20
"""Bytes of all answers that are under way."""
_MOST_HEAD = 256 * 1024  # of headers, and of promises of an answer (1xx) before them
_BLOCK = 64 * 1024


class TooLarge(Exception):
    """An answer that no client wants to the end."""


class _Share:
    """The bytes of one answer, among those of all that are under way."""

    under_way = 0

    def __init__(self) -> None:
        self.came = 0

    def add(self, size: int) -> None:
        """Count what came. Raises TooLarge."""
        self.came += size
        _Share.under_way += size
        if self.came > MOST_BYTES or _Share.under_way > MOST_AT_ONCE:
            raise TooLarge

    def give_back(self) -> None:
        """Say that nothing of it is held any more."""
        _Share.under_way -= self.came


class _Response(HTTPSocketPoolResponse):
    """An answer whose size is limited, head and body, and that lets others have their turn.

    What comes without a pause would never give the clock its turn, by which clients give up.
    """

    def __init__(self, share: _Share, *arguments: Any, **options: Any) -> None:
        self._share = share
        super().__init__(*arguments, **options)

    def feed(self, data: str | bytes) -> None:
        """See HTTPResponse.feed. Raises TooLarge."""
        self._share.add(len(data))
        begun = self.headers_complete and self.get_code() >= 200
        if not begun and self._share.came > _MOST_HEAD:
            raise TooLarge
        super().feed(data)
        if self._share.came > _BLOCK:
            gevent.sleep(0)

    def _on_message_complete(self) -> None:
        # A promise of an answer (1xx): this is still to come, and whoever was given the connection
        # meanwhile would read it.
        if self.get_code() < 200:
            HTTPResponse._on_message_complete(self)
        else:
            super()._on_message_complete()

    def release(self) -> None:
        """See HTTPSocketPoolResponse.release. A connection on which an answer was only promised is
        closed.
        """
        if self.get_code() < 200:
            self.message_complete = False
        super().release()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: its status, whole body, and headers by their names in lower case."""

    status: int
    body: bytes
    headers: dict[str, str]


class Connections:
    """Keep-alive connections to one service, as many as there are requests in flight."""

    def __init__(
        self, base_url: str, api_key: str, size: int, timeout_s: float, key_header: str
    ) -> None:
        url = urlsplit(base_url)
        tls = url.scheme == "https"
        host, port = url.hostname or "", url.port or (443 if tls else 80)
        self._prefix = url.path.rstrip("/")
        common = (
            f"Host: {url.netloc.rpartition('@')[2]}\r\n"
            "Accept: application/json\r\nUser-Agent: rollback-drill\r\n"
        )
        self._headers = f"{common}{key_header}: {api_key}\r\n" if api_key else common
        self._bad_headers = f"{common}{key_header}: no-such-key\r\n"
        pool = SSLConnectionPool if tls else ConnectionPool
        self._pool = pool(
            host,
            port,
            host,
            port,
            size=size,
            connection_timeout=timeout_s,
            network_timeout=timeout_s,
        )

    def send(self, method: str, path: str, body: bytes | None, *, bad_key: bool = False) -> Answer:
        """Send one request and return its answer. Raises what the sockets and the parser raise
        (UnicodeError for headers that are no text), and TooLarge.
        """
        headers = self._bad_headers if bad_key else self._headers
        head = f"{method} {self._prefix}{path} HTTP/1.1\r\n{headers}"
        if body is None:
            data = (head + "\r\n").encode("latin-1")
        else:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            data = head.encode("latin-1") + body
        connection = self._pool.get_socket()
        try:
            connection.sendall(data)
        except BaseException:
            self._pool.release_socket(connection)
            raise
        share = _Share()
        try:
            # From here on the response gives the connection back, whatever happens.
            response = _Response(share, connection, self._pool, block_size=_BLOCK, method=method)
            try:
                body = bytes(response.read())
                told = {str(name).lower(): str(value) for name, value in response.items()}
                return Answer(int(response.get_code()), body, told)
            finally:
                response.release()
        finally:
            share.give_back()
