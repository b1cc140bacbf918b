"""Strangers are refused by every way, and each careless comparison of a key turns red."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.stage.strangers import Door, guises_of, strangers_refused
from rollback_drill.traffic.interface import Interface

KEY = "Zx81-kEy"
DOORS = (
    Door("GET", "/rows?limit=1", opens=True, holds="rows"),
    Door("POST", "/rows", "{}"),
    Door("DELETE", "/rows/1", every_way=False),
)
Admits = Callable[[Any, str], bool]


def right(handler: Any, given: str) -> bool:
    del handler
    return given == KEY


class Gate(BaseHTTPRequestHandler):
    """Serves whoever `admits` says; a front door that is shut answers 503."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    admits: Admits
    status = 401
    shut = False
    text = "rows"
    asked: list[str]

    def _serve(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.asked.append(self.path)
        status = 200 if type(self).admits(self, self.headers["X-API-Key"] or "") else self.status
        body = self.text.encode()
        self.send_response(503 if self.shut else status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = _serve

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serving(admits: Admits = right, **more: Any) -> tuple[type[Gate], ThreadingHTTPServer]:
    gate = type("OfOneTest", (Gate,), {"admits": staticmethod(admits), "asked": [], **more})
    server = ThreadingHTTPServer(("127.0.0.1", 0), gate)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return gate, server


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[type[Gate], str]]]:
    servers = []

    def start(admits: Admits = right, **more: Any) -> tuple[type[Gate], str]:
        gate, server = serving(admits, **more)
        servers.append(server)
        return gate, f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def place(direct: str, front: str = "", key: str = KEY) -> Any:
    return SimpleNamespace(
        base_url=front or direct, direct_urls={"host-1": direct}, api_key=key, interface=Interface()
    )


def held(where: Any, *, in_query: bool = True, doors: tuple[Door, ...] = DOORS) -> Any:
    return strangers_refused(where, doors, refusals={401}, in_query=in_query)


def test_who_compares_well_passes(serve: Any) -> None:
    _, url = serve()
    found = held(place(url))
    assert found.verdict is Verdict.PASSED
    assert "2 with the key were served" in found.evidence


CARELESS: dict[str, Admits] = {
    "GET /rows?limit=1 with no key": lambda _, given: given in ("", KEY),
    "GET /rows?limit=1 with empty key": lambda h, given: (
        given == KEY or h.headers["X-API-Key"] == ""
    ),
    "with wrong key": lambda _, given: bool(given),
    "with all but the last letter": lambda _, given: given in (KEY, KEY[:-1]),
    "with first half of the key": lambda _, given: bool(given) and KEY.startswith(given),
    "with key and one letter more": lambda _, given: given.startswith(KEY),
    "with another last letter": lambda _, given: given[:-1] == KEY[:-1],
    "with key in the other case": lambda _, given: given.lower() == KEY.lower(),
    "with key as Bearer": lambda h, given: KEY in (given, (h.headers["Authorization"] or "")[7:]),
    "with key as Basic": lambda h, given: (
        given == KEY or (h.headers["Authorization"] or "").startswith("Basic")
    ),
    "with wrong Bearer": lambda h, given: given == KEY or "Authorization" in h.headers,
    "with key in a cookie": lambda h, given: given == KEY or KEY in (h.headers["Cookie"] or ""),
    "with key in the query": lambda h, given: given == KEY or f"token={KEY}" in h.path,
    "POST /rows with no key": lambda h, given: given == KEY or h.command == "POST",
    "DELETE /rows/1 with no key": lambda h, given: given == KEY or h.command == "DELETE",
    "with key: 401": lambda _, given: False,  # nobody is let in
    "with KEY in capitals": lambda h, given: given == KEY and "X-API-Key" in h.headers.keys(),  # noqa: SIM118
}


@pytest.mark.parametrize("told", CARELESS)
def test_each_careless_comparison_turns_red(serve: Any, told: str) -> None:
    _, url = serve(CARELESS[told])
    found = held(place(url))
    assert found.verdict is Verdict.FAILED
    assert told in found.evidence
    assert KEY not in found.evidence


def test_one_in_thirty_turns_red(serve: Any) -> None:
    count = iter(range(10_000))
    _, url = serve(lambda _, given: given == KEY or next(count) % 30 == 29)
    assert held(place(url), doors=DOORS[:2] * 2).verdict is Verdict.FAILED


def test_the_front_door_is_asked_as_well_unless_it_is_shut(serve: Any) -> None:
    _, direct = serve()
    front, url = serve(lambda _, given: True)
    found = held(place(direct, url))
    assert (found.verdict, found.evidence[:10]) == (Verdict.FAILED, "front door")
    front.shut = True
    found = held(place(direct, url))
    assert (found.verdict, "the front door, which is shut" in found.evidence) == (
        Verdict.PASSED,
        True,
    )


def test_an_answer_with_the_key_that_holds_something_else_turns_red(serve: Any) -> None:
    _, url = serve(text="nothing")
    assert held(place(url)).verdict is Verdict.FAILED


def test_nobody_knows_where_nobody_decided_on_the_key(serve: Any) -> None:
    _, url = serve(status=429)
    assert held(place(url)).verdict is Verdict.UNKNOWN
    assert held(place(url), doors=()).verdict is Verdict.UNKNOWN


def test_the_key_is_put_into_a_query_only_where_that_is_allowed(serve: Any) -> None:
    gate, url = serve()
    held(place(url), in_query=False)
    assert not any(KEY in path for path in gate.asked)
    held(place(url))
    assert any(KEY in path for path in gate.asked)


def test_spellings_of_a_key_that_mean_the_same_are_not_tried() -> None:
    basic = "Basic dXNlcjpzZWNyZXQ="  # user:secret
    sent = [
        way.headers.get("Authorization")
        for way in guises_of("Authorization", basic, in_query=False)
    ]
    assert basic not in sent
    assert "Basic dXNlcjpzZWNyZXR4" in sent  # user:secretx
    assert "Basic dXNlcjpzZWNyZXQ" not in sent  # the same without its padding
    unique = "0b0a3c5e-1111-2222-3333-44445555aaaa"
    names = {way.name for way in guises_of("X-API-Key", unique, in_query=False)}
    assert "key in the other case" not in names
    digits = {way.name for way in guises_of("X-API-Key", "12345", in_query=False)}
    assert "key in the other case" not in digits
