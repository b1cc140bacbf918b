"""A small real server that answers as no service should: for tests of what asks it."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def sized(body: bytes, more: bytes = b"") -> bytes:
    return OK + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def drip(pieces: bytes) -> Iterator[bytes]:
    """One byte at a time, ten in a second, and then never an end."""
    for at in range(len(pieces)):
        yield pieces[at : at + 1]
    while True:
        yield b""


def endless(head: bytes, piece: bytes) -> Iterator[bytes]:
    yield head
    while True:
        yield piece


def bomb(size: int) -> bytes:
    """`size` zero bytes, packed twice-folded small: a megabyte is a kilobyte."""
    return gzip.compress(bytes(size), 9)


class BadServer:
    """Answers every request with the pieces that `answer` makes, and counts the requests and the
    connections that it has closed.
    """

    def __init__(self, answer: Callable[[], Iterator[bytes]] | bytes, pause_s: float = 0.0) -> None:
        self.asked = 0
        self.closed = 0
        self._answer = answer
        self._pause_s = pause_s
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=100)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> BadServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            self.asked += 1
            pieces = iter((self._answer,)) if isinstance(self._answer, bytes) else self._answer()
            for piece in pieces:
                connection.sendall(piece)
                if self._over.wait(self._pause_s):
                    break
        self.closed += 1
