"""A small real HTTP server that answers the API's formats: it stands in for a stage, but only in
the traffic generator's own tests and benchmark. `python tests/traffic/listings_server.py`
serves until it is ended, prints its URL first, and freezes for three seconds when it gets SIGUSR1.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROWS = 200
_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


class ListingsServer:
    """Serves in a thread. What a test may change at any time stands first.

    `mode`: "new", "old" or "gibberish" lists; `refuse_cursors`; `status`: answer everything so
    (0: as asked); `hang_up`: close instead of answering. `freeze` and `thaw` hold all answers.
    """

    def __init__(self, api_key: str = "") -> None:
        self.mode = "new"
        self.refuse_cursors = False
        self.status = 0
        self.hang_up = False
        self.api_key = api_key
        self.seen: Counter[str] = Counter()  # requests by "METHOD /path" with ids left out
        self.queries: list[str] = []
        self.reservations: dict[int, dict[str, Any]] = {}
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._serving = threading.Event()
        self._thread = threading.Thread(target=self.serve, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> ListingsServer:
        self._thread.start()
        self._serving.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._socket.close()

    def freeze(self) -> None:
        self._loop.call_soon_threadsafe(self._thawed.clear)

    def thaw(self) -> None:
        self._loop.call_soon_threadsafe(self._thawed.set)

    def freeze_for(self, seconds: float) -> None:
        self.freeze()
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self._thawed.set)

    def serve(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        loop.run_until_complete(loop.create_server(lambda: _Connection(self), sock=self._socket))
        loop.call_soon(self._serving.set)
        loop.run_forever()

    def answer(self, method: str, target: str, key: str, body: bytes) -> tuple[int, object]:
        url = urlsplit(target)
        _, _, kind, *rest = url.path.split("/")
        self.seen[f"{method} {kind}{'/id' if rest else ''}"] += 1
        if self.status:
            return self.status, {"error": "planted", "detail": "as the test wished"}
        if key != self.api_key:
            return 401, {"error": "unauthorized", "detail": "wrong key"}
        if method == "POST":
            number = len(self.reservations) + 1
            self.reservations[number] = {"id": number, "status": "new", **json.loads(body)}
            return 201, self.reservations[number]
        if kind == "reservations" and rest:
            row = self.reservations.get(int(rest[0]))
            if row is None:
                return 404, {"error": "not_found", "detail": ""}
            row.update(json.loads(body or b"{}"))
            return 200, row
        if rest:
            return 200, {"id": int(rest[0]), "name": "a listing"}
        self.queries.append(url.query)
        return self._page(kind, dict(parse_qsl(url.query)))

    def _page(self, kind: str, query: dict[str, str]) -> tuple[int, object]:
        limit = int(query["limit"])
        if self.mode == "old":
            start = int(query.get("offset", 0))
            rows = _rows(start, limit)
            return 200, {kind: rows, "count": len(rows), "limit": limit, "offset": start}
        if self.mode == "gibberish":
            return 200, {"things": []}
        if "cursor" in query and self.refuse_cursors:
            return 400, {"error": "invalid_cursor", "detail": "the signature does not fit"}
        start = int(query.get("cursor", "at/0").removeprefix("at/"))
        rows = _rows(start, limit)
        following = f"at/{start + limit}" if start + limit < ROWS else None
        return 200, {"items": rows, "nextCursor": following, "meta": {"limit": limit}}

    async def thawed(self) -> None:
        await self._thawed.wait()

    @property
    def frozen(self) -> bool:
        return not self._thawed.is_set()


def _rows(start: int, limit: int) -> list[dict[str, Any]]:
    return [
        {"id": n, "name": f"Listing {n}", "city": "Lisbon", "price_cents": 100 * n}
        for n in range(start + 1, min(start + limit, ROWS) + 1)
    ]


class _Connection(asyncio.Protocol):
    """One keep-alive connection: the least of HTTP/1.1 that the generator needs."""

    def __init__(self, server: ListingsServer) -> None:
        self.server = server
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            first, *lines = self.buffer[:end].decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            size = int(headers.get("content-length", "0"))
            if len(self.buffer) < end + 4 + size:
                return
            body = self.buffer[end + 4 : end + 4 + size]
            self.buffer = self.buffer[end + 4 + size :]
            method, target, _ = first.split(" ")
            request = (method, target, headers.get("x-api-key", ""), body)
            if self.server.frozen:
                waiting = asyncio.ensure_future(self._later(request))
                waiting.add_done_callback(lambda task: task.result())
            else:
                self._now(request)

    async def _later(self, request: tuple[str, str, str, bytes]) -> None:
        await self.server.thawed()
        self._now(request)

    def _now(self, request: tuple[str, str, str, bytes]) -> None:
        assert self.transport
        if self.transport.is_closing():
            return
        if self.server.hang_up:
            self.server.seen["hung up"] += 1
            self.transport.close()
            return
        status, content = self.server.answer(*request)
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 {status} {_REASONS.get(status, 'Planted')}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


if __name__ == "__main__":
    alone = ListingsServer()
    signal.signal(signal.SIGUSR1, lambda *_: alone.freeze_for(3.0))
    print(alone.url, flush=True)  # noqa: T201
    alone.serve()
