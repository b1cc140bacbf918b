"""Whether a service lets strangers in: by which ways they ask, and which requests they try.

A stranger has no key, or something that a careless comparison takes for it. No spelling of the key
is ever told, only what the way is called.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rollback_drill.ground.finding import Finding, failed, passed, unknown
from rollback_drill.ground.words import few
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.http import Client
from rollback_drill.subject.subject import Place

_TIMEOUT_S = 5.0
_UNIQUE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NOT_NOW = (429, 502, 503, 504)  # nobody decided on the key
_TOLD = 6  # open doors, and where nobody decided

_OTHER_HEADERS = ("Api-Key", "X-Api-Token", "X-Auth-Token", "X-Access-Token")
# What only a proxy of one's own may say.
_TRUSTED: Mapping[str, Mapping[str, str]] = {
    "no key, as if from the host itself": {
        "X-Forwarded-For": "127.0.0.1",
        "X-Real-IP": "127.0.0.1",
        "Forwarded": "for=127.0.0.1;host=localhost",
    },
    "no key, as somebody else": {"X-Forwarded-User": "admin", "Remote-User": "admin"},
    "no key, as if for an open path": {"X-Original-URL": "/health", "X-Rewrite-URL": "/health"},
}


@dataclass(frozen=True, slots=True)
class Door:
    """A request that must be refused to strangers. `every_way`: tried by all, else by the plainest;
    `opens`: also asked with the key, which must be served a 2xx that holds the text `holds`.
    """

    method: str
    path: str
    body: str = ""
    every_way: bool = True
    opens: bool = False
    holds: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Guise:
    """How a stranger asks: what it is called, its headers, and what is added to the query."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    plain: bool = False


def guises_of(header: str, key: str, *, in_query: bool) -> tuple[Guise, ...]:
    """Return all ways, for a service that wants `key` in `header`. `in_query`: also the key in the
    query, which front doors may write into their logs.
    """
    others = {
        "empty key": "",
        "wrong key": "no-such-key",
        **dict(_spellings(key)),
    }
    ways = [Guise("no key", plain=True)]
    ways += [
        Guise(name, {header: value}, plain=name == "wrong key")
        for name, value in others.items()
        if value != key
    ]
    if header.lower() != "authorization":
        basic = base64.b64encode(f":{key}".encode()).decode()
        for name, value in (
            ("key as Bearer", f"Bearer {key}"),
            ("key as Basic", f"Basic {basic}"),
            ("wrong Bearer", "Bearer no-such-key"),
        ):
            ways.append(Guise(name, {"Authorization": value}))
        ways.append(Guise("key in a cookie", {"Cookie": f"{header}={key}; api_key={key}"}))
        others_of = {name: key for name in _OTHER_HEADERS if name.lower() != header.lower()}
        ways.append(Guise("key in another header", others_of))
    ways += [Guise(name, headers) for name, headers in _TRUSTED.items()]
    if in_query:
        names = (header, header.lower(), "api_key", "apikey", "key", "token", "access_token")
        ways.append(Guise("key in the query", query="&".join(f"{name}={key}" for name in names)))
    return tuple(ways)


def _spellings(key: str) -> Iterator[tuple[str, str]]:
    """Yield what resembles `key` and is another, for any decoder that is not careless."""
    scheme, blank, credential = key.rpartition(" ")
    before = scheme + blank
    try:
        plain = base64.b64decode(credential, validate=True).decode() if blank else ""
    except (binascii.Error, UnicodeDecodeError):
        plain = ""
    if scheme.lower() == "basic" and ":" in plain:
        # Letters of base64 may hold nothing: what it says is varied, not how it is written.
        for name, value in _varied(plain):
            yield name, before + base64.b64encode(value.encode()).decode()
    elif not blank:
        yield from _varied(credential)


def _varied(key: str) -> Iterator[tuple[str, str]]:
    yield "all but the last letter", key[:-1]
    yield "first half of the key", key[: len(key) // 2]
    yield "key and one letter more", key + "x"
    yield "another last letter", key[:-1] + ("y" if key[-1:] == "x" else "x")
    if not _UNIQUE.fullmatch(key):  # which are the same in any case
        yield "key in the other case", key.swapcase()


@dataclass(slots=True)
class _Tried:
    refused: int = 0
    served: int = 0
    open: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)


def strangers_refused(
    place: Place,
    doors: Iterable[Door],
    *,
    refusals: Collection[int],
    in_query: bool,
    unasked: Collection[str] = (),
) -> Finding:
    """Try all `doors` by all ways at every host and the front door. `refusals`: statuses that are
    a refusal; `unasked`: what could not be tried, for the evidence. Raises NoAnswer.
    """
    doors = tuple(doors)
    ways = guises_of(place.interface.key_header, place.api_key, in_query=in_query)
    tried = _Tried()
    left_out = list(unasked)
    for where, url in _urls(place).items():
        with Client(url, limit_s=_TIMEOUT_S) as client:
            if where == _FRONT and _is_shut(client, place):
                left_out.append("the front door, which is shut")
                continue
            _try(client, where, place, doors, ways, refusals, tried)
    wanted = "/".join(map(str, sorted(refusals)))
    if tried.open or tried.closed:
        bad = [*tried.open, *tried.closed]
        return failed(few(bad, _TOLD, ", "), wanted if tried.open else "200")
    if tried.undecided:
        return unknown(f"nobody decided on the key: {few(tried.undecided, _TOLD, ', ')}")
    if not tried.refused:
        return unknown("nothing was tried")
    told = (
        f"{tried.refused} requests of strangers were refused ({len(doors)} kinds of request,"
        f" {len(ways)} ways, {', '.join(_urls(place))}), {tried.served} with the key were served"
    )
    return passed(told + (f"; not asked: {', '.join(left_out)}" if left_out else ""))


_FRONT = "front door"


def _urls(place: Place) -> dict[str, str]:
    urls = dict(place.direct_urls)
    return urls if place.base_url in urls.values() else urls | {_FRONT: place.base_url}


def _is_shut(client: Client, place: Place) -> bool:
    probe = client.get(place.interface.health, headers=keyed(place))
    return probe.status == 503


def _try(
    client: Client,
    where: str,
    place: Place,
    doors: Iterable[Door],
    ways: Iterable[Guise],
    refusals: Collection[int],
    tried: _Tried,
) -> None:
    for door in doors:
        content = {"Content-Type": "application/json"} if door.body else {}
        for way in ways:
            if not (way.plain or door.every_way):
                continue
            mark = "&" if "?" in door.path else "?"
            path = door.path + (f"{mark}{way.query}" if way.query else "")
            status = client.request(
                door.method, path, headers={**content, **way.headers}, content=door.body or None
            ).status
            if status in refusals:
                tried.refused += 1
                continue
            told = f"{where} {door} with {way.name}: {status}"
            (tried.undecided if status in _NOT_NOW else tried.open).append(told)
        if door.opens:
            _try_key(client, where, place, door, tried)


def _try_key(client: Client, where: str, place: Place, door: Door, tried: _Tried) -> None:
    """Ask with the key: names of headers are the same in any case."""
    for name, told in (("", "key"), (place.interface.key_header.upper(), "KEY in capitals")):
        headers = {name: place.api_key} if name else keyed(place)
        answer = client.request(door.method, door.path, headers=headers)
        if answer.ok and door.holds in answer.text:
            tried.served += 1
        else:
            tried.closed.append(f"{where} {door} with {told}: {answer.status}")
