"""Where incidents and tickets arrive: a small web server that lives as long as the drill.

KEY="Authorization: Bearer $(cat reports/latest/webhook-token)"
curl -H "$KEY" -d '{"severity": "P0", "title": "all is down", "reporter": "me"}' $URL/incidents
curl -H "$KEY" -d '{"priority": "high", "title": "no lists", "reporter": "Acme"}' $URL/tickets

The token lies beside the record as long as the drill lives, for its owner alone. A page that is
open in a browser of this machine must not decide on a rollback: it cannot know the token, and what
names an origin, or another host than this one, is refused besides.
"""

from __future__ import annotations

import hmac
import io
import json
import secrets
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rollback_drill.ground import files
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.watched import Watched, died
from rollback_drill.stage.answers import BadAnswer, parse_json
from rollback_drill.watch.told import Reported

_LARGEST = 64 * 1024
_LIMIT_S = 5.0  # for a whole request, however slowly it drips
_AT_ONCE = 32  # requests; more are closed without an answer
_GRACE_S = 5.0
_DIGITS = 20  # of a length
_KINDS = {"/incidents": ("incident", "severity"), "/tickets": ("ticket", "priority")}
_BESIDE = "webhook-token"
_HOSTS = ("127.0.0.1", "localhost")
_EXPECTED = "expected a JSON object with {level}, title and reporter, each a short text"


class Webhook:
    """Listens on a loopback port of its own; what is posted goes to the timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self.token = secrets.token_urlsafe(24)

        class Handler(_Handler):
            record = timeline
            token = self.token

        self._token_file = timeline.path.parent / _BESIDE
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._over = threading.Event()
        self._thread = Watched("webhook", self._server.serve_forever, 0.05, over=self._over)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Webhook:
        files.write(self._token_file, self.token, mode=0o600)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._token_file.unlink(missing_ok=True)
        if not self._thread.ended():
            self._server.shutdown()
        self._thread.end(_GRACE_S)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """Serves a few at once; what breaks a request that should have been recorded is told."""

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._free = threading.Semaphore(_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        del request, client_address
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):  # those who hung up
            died("webhook", error)


class _Until(io.RawIOBase):
    """What a socket receives until a moment of the monotonic clock. Raises TimeoutError then."""

    def __init__(self, connection: socket.socket, end: float) -> None:
        self._connection, self._end = connection, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    record: Timeline
    token: str
    timeout = _LIMIT_S

    def setup(self) -> None:
        """Read by one deadline for all."""
        super().setup()
        self.rfile = io.BufferedReader(_Until(self.connection, time.monotonic() + _LIMIT_S))

    def do_POST(self) -> None:
        """Take one report in."""
        if self.path not in _KINDS:
            self._answer(404, f"expected one of {', '.join(_KINDS)}")
            return
        if self._foreign():
            self._answer(403, "expected a request of this machine's own, and from no web page")
            return
        if not self._trusted():
            self._answer(401, f"expected the token that is in {_BESIDE}, beside the record")
            return
        kind, level = _KINDS[self.path]
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isdecimal() and len(length) < _DIGITS else 0
        if size > _LARGEST:
            self._answer(413, f"expected at most {_LARGEST} bytes")
            return
        try:
            report = self._read(level, size)
        except BadAnswer:
            self._answer(400, _EXPECTED.format(level=level))
            return
        except TimeoutError:
            self._answer(408, f"expected the whole request within {_LIMIT_S:g} s")
            return
        self.record.record(Reported(kind, *report))
        self._answer(202, "recorded")

    def _foreign(self) -> bool:
        host = self.headers.get("Host", "").rpartition(":")[0]
        return host not in _HOSTS or "Origin" in self.headers or "Referer" in self.headers

    def _trusted(self) -> bool:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        same = hmac.compare_digest(token.strip().encode(), self.token.encode())
        return scheme.lower() == "bearer" and same

    def _read(self, level: str, size: int) -> tuple[str, str, str]:
        body: Any = parse_json(self.rfile.read(size))
        if not isinstance(body, dict):
            raise BadAnswer("no object")
        first, title, reporter = (body.get(name) for name in (level, "title", "reporter"))
        if not (isinstance(first, str) and isinstance(title, str) and isinstance(reporter, str)):
            raise BadAnswer("a field is missing or no text")
        return first[:40], title[:200], reporter[:100]

    def _answer(self, status: int, text: str) -> None:
        body = json.dumps({"detail": text}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the terminal: the timeline has it."""
