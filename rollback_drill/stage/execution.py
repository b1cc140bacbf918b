"""One command in a container, over a connection of its own to the engine.

docker-py reads such a stream from the socket itself, past the buffer of http.client in which the
first frames may lie by then: on a busy machine outputs get lost so. This reads through the buffer.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import struct
import types
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from rollback_drill.ground.errors import StageError
from rollback_drill.stage.engine import engine_client
from rollback_drill.stage.output import STREAMS

_LIMIT_S = 60.0  # for an answer of the engine
_CHUNK = 65_536


class Execution:
    """A command that runs in a container from when this is entered. `exit_status` and `running` are
    what the engine knows of it. Raises OSError and http.client.HTTPException when the engine does
    not answer, StageError when it refuses.
    """

    def __init__(self, container_id: str, command: list[str]) -> None:
        self._container_id = container_id
        self._command = command
        self._id = ""

    def __enter__(self) -> Execution:
        self._id = _ask(
            "POST",
            f"/containers/{self._container_id}/exec",
            {
                "Cmd": self._command,
                **{f"Attach{one}": True for one in ("Stdin", "Stdout", "Stderr")},
            },
        )["Id"]
        connection = _connect()
        _send(connection, "POST", f"/exec/{self._id}/start", {"Detach": False, "Tty": False})
        assert connection.sock
        # It is kept apart: after an answer without an upgrade the connection gives it up.
        self._socket: socket.socket = connection.sock
        self._answer = connection.getresponse()  # kept: it closes its stream when it goes
        if self._answer.status not in (200, 101):
            raise _refused(self._answer)
        self._stream = self._answer.fp
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        # Who still reads from it comes to its end.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def write(self, data: bytes) -> None:
        """Send to the command's standard input, which stays open. Not while `frames` are read: over
        TLS one connection is not to be used by two threads at a time.
        """
        self._socket.sendall(data)

    def frames(self) -> Iterator[tuple[str, bytes]]:
        """Yield what comes, with its stream, until the engine or this end closes the connection."""
        self._socket.settimeout(None)
        while len(header := self._stream.read(8)) == 8:
            kind, length = struct.unpack(">BxxxL", header)
            while length:
                chunk = self._stream.read1(min(length, _CHUNK))
                if not chunk:
                    return
                yield STREAMS[kind == 2], chunk
                length -= len(chunk)

    def finish(self) -> None:
        """Wait for its end; what it prints does not matter."""
        for _ in self.frames():
            continue

    def state(self) -> tuple[bool, int | None]:
        """Return whether it runs, and with which status it ended."""
        seen = _ask("GET", f"/exec/{self._id}/json")
        return bool(seen["Running"]), seen["ExitCode"]


def began_at(container_id: str) -> str:
    """Return when the container began to run, "" when it does not run."""
    state = _ask("GET", f"/containers/{container_id}/json")["State"]
    return str(state["StartedAt"]) if state["Running"] else ""


def _ask(method: str, path: str, body: dict[str, object] | None = None) -> Any:
    connection = _connect()
    try:
        _send(connection, method, path, body)
        answer = connection.getresponse()
        if answer.status >= 400:
            raise _refused(answer)
        return json.loads(answer.read())
    finally:
        connection.close()


def _refused(answer: http.client.HTTPResponse) -> StageError:
    words = answer.read(1_000).decode(errors="replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        words = str(json.loads(words)["message"])
    return StageError(
        "the engine to run a command in a container",
        " ".join(words.split())[:300],
        "does the container still run? see `docker ps --all`",
    )


def _send(
    connection: http.client.HTTPConnection, method: str, path: str, body: dict[str, object] | None
) -> None:
    headers = {"Content-Type": "application/json"}
    if path.endswith("/start"):
        headers |= {"Connection": "Upgrade", "Upgrade": "tcp"}
    text = None if body is None else json.dumps(body)
    connection.request(method, f"/v{engine_client().api.api_version}{path}", text, headers)


def _connect() -> http.client.HTTPConnection:
    """Return a new connection to where docker-py's client goes, with the same certificates."""
    api = engine_client().api
    path = getattr(api.get_adapter(api.base_url), "socket_path", "")
    if path:
        return _UnixConnection(path)
    url = urlsplit(api.base_url)
    host, port = url.hostname or "localhost", url.port or 2375
    if url.scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=_LIMIT_S)
    if url.scheme != "https":
        raise StageError(
            "an engine at a socket or at tcp://",
            api.base_url,
            "commands in containers cannot go by ssh: forward its socket (ssh -L) to this machine",
        )
    trusted = api.verify if isinstance(api.verify, str) else None
    context = ssl.create_default_context(cafile=trusted)
    if api.verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if api.cert:
        own = (api.cert,) if isinstance(api.cert, str) else api.cert
        context.load_cert_chain(*own)
    return http.client.HTTPSConnection(host, port, timeout=_LIMIT_S, context=context)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_LIMIT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
