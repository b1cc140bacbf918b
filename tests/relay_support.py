"""A way to the container engine that hands its answers on as networks do: joined, or in pieces."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from drill.stages.engine import client

_GATHER_S = 0.05
_PIECES = 2_000  # bytes of a connection that come one by one


@contextlib.contextmanager
def relayed(how: str) -> Iterator[None]:
    """Have all that speaks to the engine do so over TCP, through a relay that is "plain", hands
    what belongs together on at once ("joined"), or each byte for itself ("split").
    """
    engine = client().api.get_adapter(client().api.base_url)
    path = getattr(engine, "socket_path", "")
    if not path:
        pytest.skip("the engine is not at a socket of this machine")
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.getsockname()[1]}")
        threading.Thread(target=_serve, args=(server, path, how), daemon=True).start()
        client.cache_clear()
        try:
            yield
        finally:
            client.cache_clear()


def _serve(server: socket.socket, path: str, how: str) -> None:
    with contextlib.suppress(OSError):  # it was closed
        while True:
            near, _ = server.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(path)
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target, way in ((near, far, "plain"), (far, near, how)):
                threading.Thread(target=_hand_on, args=(source, target, way), daemon=True).start()


def _hand_on(source: socket.socket, target: socket.socket, how: str) -> None:
    left = _PIECES if how == "split" else 0
    with contextlib.suppress(OSError):
        while came := source.recv(65_536):
            if how == "joined":
                source.settimeout(_GATHER_S)
                with contextlib.suppress(TimeoutError):
                    while more := source.recv(65_536):
                        came += more
                source.settimeout(None)
            for byte in came[:left]:
                target.sendall(bytes([byte]))
            target.sendall(came[left:])
            left = max(0, left - len(came))
    for one, way in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with contextlib.suppress(OSError):
            one.shutdown(way)
