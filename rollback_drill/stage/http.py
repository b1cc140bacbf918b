"""Every HTTP request of the suite but the clients' traffic: one deadline, one limit on size.

The deadline holds for the whole answer, from the first look-up of a name to the last byte, however
slowly it drips; the limit for what comes as well as for what it unpacks to. Redirects are answers
like any other and are not followed. What cannot be used is a NoAnswer with its reason.
"""

from __future__ import annotations

import contextlib
import json as json_text
import time
import typing
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from rollback_drill.ground import clock
from rollback_drill.stage.allowance import await_turn
from rollback_drill.stage.answers import BadAnswer, NoAnswer, parse_json
from rollback_drill.stage.tally import note

LIMIT_S = 5.0
MOST_BYTES = 2 * 1024 * 1024
"""Bytes of an answer at most. What JSON of this size becomes in memory is thirty times as large."""

if typing.TYPE_CHECKING:
    from httpcore import ConnectionPool

    from rollback_drill.stage.connections import PendingCall


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Names of headers are in lower case. `took_s`: from when it was its turn."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    took_s: float = field(default=0.0, compare=False)

    @property
    def ok(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The content as text; what is no UTF-8 in it is replaced."""
        return self.content.decode(errors="replace")

    def json(self) -> typing.Any:
        """Return the content's value. Raises BadAnswer when it is not JSON."""
        return parse_json(self.content)

    def checked(self) -> Answer:
        """Return this answer. Raises BadAnswer when it is no 2xx."""
        if not self.ok:
            raise BadAnswer(f"answered {self.status}", self.status)
        return self


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as whoever is wired is given it. `path` with its query; `key`: of its customer."""

    method: str
    path: str
    key: str
    body: bytes | None
    limit_s: float


_wires: dict[str, Callable[[Sent], Answer]] = {}


@contextlib.contextmanager
def wired(origin: str, answer: Callable[[Sent], Answer]) -> Iterator[None]:
    """Have `answer` asked instead of the network for all of `origin` ("http://a.simulated"), in
    this block. It may raise NoAnswer.
    """
    _wires[origin] = answer
    try:
        yield
    finally:
        del _wires[origin]


def get(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str | int] | None = None,
    limit_s: float = LIMIT_S,
    most: int = MOST_BYTES,
) -> Answer:
    """Return the answer to a GET. Raises NoAnswer."""
    with Client(limit_s=limit_s, most=most) as client:
        return client.request("GET", url, headers=headers, params=params)


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: str | bytes | None = None,
    json: object = None,
    limit_s: float = LIMIT_S,
    proxied: bool = False,
) -> Answer:
    """Return the answer to one request, `json` being sent as such. Raises NoAnswer.

    `proxied`: by way of the proxy that the user's environment names, as for hosts of the internet;
    a stage is asked directly, as its clients do.
    """
    with Client(limit_s=limit_s, proxied_to=url if proxied else "") as client:
        return client.request(method, url, headers=headers, content=content, json=json)


class Client:
    """Asks one service again and again over connections that are kept. Use as a context manager.

    `base_url` stands before paths, `headers` go with every request. Safe to use from threads.
    """

    def __init__(
        self,
        base_url: str = "",
        headers: Mapping[str, str] | None = None,
        *,
        limit_s: float = LIMIT_S,
        most: int = MOST_BYTES,
        proxied_to: str = "",
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = dict(headers or {})
        self._limit_s = limit_s
        self._most = most
        self._pool: ConnectionPool | None = None
        if not _wires:
            # Not before somebody asks: naming faults, or what is wrong, takes no network.
            from rollback_drill.stage import connections

            self._pool = connections.pool(proxied_to)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._pool:
            self._pool.close()

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a GET. Raises NoAnswer."""
        return self.request("GET", path, params=params, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        content: str | bytes | None = None,
        json: object = None,
    ) -> Answer:
        """Return the answer to one request. Raises NoAnswer.

        Where an environment's file limits how fast it may be asked, it waits for its turn first.
        """
        await_turn(self.base_url + path)
        began = clock.monotonic()
        try:
            answer = self._request(method, path, params, headers, content, json)
        except NoAnswer as none:
            note(self.base_url + path, none.status)
            raise
        note(self.base_url + path, answer.status)
        return replace(answer, took_s=clock.monotonic() - began)

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str] | None,
        content: str | bytes | None,
        json: object,
    ) -> Answer:
        if json is not None:
            content = json_text.dumps(json)
        body = content.encode() if isinstance(content, str) else content
        if _wires and (wire := self._wire(path)):
            answer, where = wire
            where += f"?{urlencode(params)}" if params else ""
            key = _key_of(headers or {}) or _key_of(self._headers)
            return answer(Sent(method.upper(), where, key, body, self._limit_s))
        sent = {"User-Agent": "rollback-drill", "Accept": "*/*", "Accept-Encoding": "gzip"}
        sent |= self._headers | dict(headers or {})
        if json is not None:
            sent["Content-Type"] = "application/json"
        from rollback_drill.stage import connections as network

        call = network.PendingCall(time.monotonic(), self._limit_s)
        token = network.PENDING.set(call)
        try:
            return self._answer(call, method.upper(), self.base_url + path, params, sent, body)
        except network.LATE:
            raise NoAnswer(
                f"no answer within {self._limit_s:g} s: {call.came} bytes came"
            ) from None
        except network.BROKEN as error:
            if not call.came:
                raise NoAnswer("the connection was closed without an answer") from None
            raise BadAnswer(f"no HTTP, or broken off after {call.came} bytes: {error}") from None
        except network.UNREACHED as error:
            raise NoAnswer(f"no connection: {error or type(error).__name__}") from None
        except network.UNSENT as error:
            raise NoAnswer(f"this cannot be asked: {error}") from None
        finally:
            network.PENDING.reset(token)

    def _wire(self, path: str) -> tuple[Callable[[Sent], Answer], str] | None:
        url = self.base_url + path
        for origin, answer in _wires.items():
            if url.startswith(origin):
                return answer, url.removeprefix(origin) or "/"
        return None

    def _answer(
        self,
        call: PendingCall,
        method: str,
        url: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        from rollback_drill.stage.connections import target_of

        target, host = target_of(url, params)
        sent = [("Host", host), *headers.items()]
        assert self._pool  # else it is wired
        with self._pool.stream(method, target, headers=sent, content=body) as response:
            told = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in response.headers
            }
            status = response.status
            encoding = told.get("content-encoding", "identity").strip().lower()
            try:
                content = _read(response.iter_stream(), encoding, self._most, call)
            except BadAnswer as bad:
                raise BadAnswer(bad.reason, status) from None
        return Answer(status, told, content)


def _key_of(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "x-api-key"), "")


def _read(pieces: Iterable[bytes], encoding: str, most: int, call: PendingCall) -> bytes:
    """Return what `pieces` are unpacked, at most `most` bytes. Raises BadAnswer."""
    content = bytearray()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise BadAnswer(f"encoded as {encoding[:20]}, which was not asked for")
    unpacker = _Gzip() if "gzip" in encoding else None
    for piece in pieces:
        for part in unpacker.unpack(piece, most) if unpacker else (piece,):
            content += part
            if len(content) > most:
                raise BadAnswer(f"larger than {most / 2**20:g} MB")
        call.left()
    if unpacker and not unpacker.whole:
        raise BadAnswer("its gzip is broken off")
    return bytes(content)


class _Gzip:
    """Unpacks one or several gzip members, never more at a time than is asked for."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.whole = True

    def unpack(self, piece: bytes, most: int) -> Iterator[bytes]:
        try:
            while piece:
                if self._member.eof:
                    self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
                yield self._member.decompress(piece, most + 1)
                self.whole = self._member.eof
                piece = self._member.unconsumed_tail or self._member.unused_data
        except zlib.error as error:
            raise BadAnswer(f"not gzip, though it says so: {error}") from None
