"""A way to the container engine that hands its answers on as networks do: joined, or in pieces."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.stage.engine import engine_client

_GATHER_S = 0.05
_PIECES = 2_000  # bytes of a connection that come one by one


@contextlib.contextmanager
def relayed(how: str) -> Iterator[None]:
    """Have all that speaks to the engine do so over TCP, through a relay that is "plain", hands
    what belongs together on at once ("joined"), each byte for itself ("split"), or speaks TLS with
    certificates for both ends ("tls").
    """
    engine = engine_client().api.get_adapter(engine_client().api.base_url)
    path = getattr(engine, "socket_path", "")
    if not path:
        pytest.skip("the engine is not at a socket of this machine")
    with (
        contextlib.ExitStack() as stack,
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.getsockname()[1]}")
        context = None
        if how == "tls":
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            context = _certified(Path(folder))
            patch.setenv("DOCKER_TLS_VERIFY", "1")
            patch.setenv("DOCKER_CERT_PATH", folder)
            for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
                patch.delenv(name, raising=False)  # docker-py would take it for the engine's
        threading.Thread(target=_serve, args=(server, path, how, context), daemon=True).start()
        engine_client.cache_clear()
        try:
            yield
        finally:
            engine_client.cache_clear()


def _certified(folder: Path) -> ssl.SSLContext:
    """Make the files that Docker's DOCKER_CERT_PATH has, and what a server there uses."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    key, certificate, authority = folder / "key.pem", folder / "cert.pem", folder / "ca.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=drill", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    shutil.copy(certificate, authority)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    return context


def _serve(server: socket.socket, path: str, how: str, context: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):  # it was closed
        while True:
            near, _ = server.accept()
            far = socket.socket(socket.AF_UNIX)
            far.connect(path)
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                near = context.wrap_socket(near, server_side=True)
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
