"""The network below `stage.http`: every single operation has what is left until the deadline."""

from __future__ import annotations

import contextvars
import functools
import socket
import ssl
import time
import typing
import urllib.request
from collections.abc import Iterable, Mapping

import httpcore
import httpx

_PIECE = 16 * 1024


class PendingCall:
    """A request under way: until when, and how many bytes have come."""

    def __init__(self, began: float, limit_s: float) -> None:
        self.came = 0
        self._ends = began + limit_s

    def left(self) -> float:
        """Return the seconds that are left. Raises ReadTimeout when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left


PENDING: contextvars.ContextVar[PendingCall] = contextvars.ContextVar("call")


class _Network(httpcore.NetworkBackend):
    """The real network, where every single operation has what is left until the deadline."""

    def __init__(self) -> None:
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        del timeout
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host}: {error}") from error
        addresses = [str(address[0]) for *_, address in found]
        for address in addresses[:-1]:
            try:
                return self._connect(address, port, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return self._connect(addresses[-1], port, local_address, socket_options)

    def _connect(
        self,
        address: str,
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.NetworkStream:
        left = PENDING.get().left()
        return _Stream(
            self._network.connect_tcp(address, port, left, local_address, socket_options)
        )


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        call = PENDING.get()
        data = self._stream.read(max_bytes, call.left())
        call.came += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], PENDING.get().left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        del timeout
        left = PENDING.get().left()
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> typing.Any:
        return self._stream.get_extra_info(info)


LATE = (httpcore.TimeoutException, TimeoutError)
UNREACHED = (httpcore.NetworkError, httpcore.ProxyError, OSError)
UNSENT = (
    httpcore.LocalProtocolError,
    httpcore.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)


BROKEN = httpcore.RemoteProtocolError


def pool(proxied_to: str) -> httpcore.ConnectionPool:
    """Return connections that are kept, by way of the proxy that the user's environment names for
    the URL `proxied_to`, directly for "".
    """
    proxy = _proxy_for(proxied_to) if proxied_to else ""
    return httpcore.ConnectionPool(
        ssl_context=_tls(),
        max_connections=None,
        network_backend=_Network(),
        proxy=httpcore.Proxy(proxy) if proxy else None,
    )


def target_of(url: str, params: Mapping[str, str | int] | None) -> tuple[httpcore.URL, str]:
    """Return what is asked for, and of which host."""
    whole = httpx.URL(url, params=params) if params else httpx.URL(url)
    target = httpcore.URL(
        scheme=whole.raw_scheme,
        host=whole.raw_host,
        port=whole.port,
        target=whole.raw_path,
    )
    return target, whole.netloc.decode("ascii")


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _proxy_for(url: str) -> str:
    whole = httpx.URL(url)
    if urllib.request.proxy_bypass(whole.host):
        return ""
    return urllib.request.getproxies().get(whole.scheme, "")
