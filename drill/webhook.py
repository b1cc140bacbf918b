"""Where incidents and tickets arrive: a small web server that lives as long as the drill.

curl -d '{"severity": "P0", "title": "nobody can book", "reporter": "on-call"}' $URL/incidents
curl -d '{"priority": "high", "title": "lists are empty", "reporter": "Acme"}' $URL/tickets
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from drill import events
from drill.timeline import Timeline

_LARGEST = 64 * 1024
_KINDS = {"/incidents": ("incident", "severity"), "/tickets": ("ticket", "priority")}
_EXPECTED = "expected a JSON object with {level}, title and reporter, each a short text"


class Webhook:
    """Listens on a loopback port of its own; what is posted goes to the timeline."""

    def __init__(self, timeline: Timeline) -> None:
        class Handler(_Handler):
            record = timeline

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Webhook:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    record: Timeline
    timeout = 5

    def do_POST(self) -> None:
        """Take one report in."""
        if self.path not in _KINDS:
            self._answer(404, f"expected one of {', '.join(_KINDS)}")
            return
        kind, level = _KINDS[self.path]
        try:
            report = self._read(level)
        except ValueError:
            self._answer(400, _EXPECTED.format(level=level))
            return
        self.record.record(events.Reported(kind, *report))
        self._answer(202, "recorded")

    def _read(self, level: str) -> tuple[str, str, str]:
        size = int(self.headers.get("Content-Length", "0"))
        if not 0 < size <= _LARGEST:
            raise ValueError(size)
        body: Any = json.loads(self.rfile.read(size))
        if not isinstance(body, dict):
            raise ValueError(body)
        first, title, reporter = (body.get(name) for name in (level, "title", "reporter"))
        if not (isinstance(first, str) and isinstance(title, str) and isinstance(reporter, str)):
            raise ValueError(body)
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
