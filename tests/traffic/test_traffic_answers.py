"""Whatever a service answers is its bad answer: no client, no generator and no reader breaks of it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import gevent
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from load.http import Connections
from load.recorder import Recorder
from rollback_drill.data.writes import read_writes
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.told import ObserverDied
from rollback_drill.subject.described.crowds import DescribedCrowd
from rollback_drill.subject.hostaway.crowds import Customer, ListsAsk, ListsCrowd, Own, Walk
from rollback_drill.subject.hostaway.pages import page
from rollback_drill.traffic.appended import Appended
from rollback_drill.traffic.interface import Interface, Operation
from rollback_drill.traffic.live import Traffic, _Lines, _Locust, read_observations
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.recordings import OBSERVATIONS, WRITES, path_of
from tests.stage.bad_server import OK, BadServer, bomb, drip, endless, sized

RATE = 20.0
NUMBERS = st.integers() | st.integers(min_value=10**4200, max_value=10**4299)
ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | st.text(alphabet=st.characters()) | st.just("\ud800"),
    lambda some: st.lists(some, max_size=4) | st.dictionaries(
        st.sampled_from(("items", "listings", "reservations", "nextCursor", "meta", "id", "offset",
                         "limit", "count", "reference", "error")) | st.text(max_size=3),
        some, max_size=6),
    max_leaves=12,
)  # fmt: skip
LISTS = st.fixed_dictionaries(
    {"items": st.lists(st.fixed_dictionaries({"id": NUMBERS}), max_size=3), "meta": st.just({})},
    optional={"nextCursor": ANYTHING},
) | st.fixed_dictionaries(
    {"listings": st.lists(st.fixed_dictionaries({"id": NUMBERS}), min_size=1, max_size=3),
     "count": ANYTHING, "limit": NUMBERS, "offset": NUMBERS},
)  # fmt: skip
CONTENT = (
    st.binary(max_size=200)
    | (ANYTHING | LISTS).map(lambda value: json.dumps(value).encode())
    | st.sampled_from((b"[" * 100_000, b'{"items":' + b"[" * 5000, b"9" * 5000, b"NaN",
                       b'{"items": [], "nextCursor": "\\ud800", "meta": {}}'))
)  # fmt: skip
STATUS = st.sampled_from((200, 201, 204, 302, 400, 404, 429, 500, 503)) | st.integers(100, 999)


def asks(client: Customer) -> list[ListsAsk]:
    own = Own(7, "r-1")
    return [
        ListsAsk(client, "list_page", "GET", client.listings.path, walk=client.listings),
        ListsAsk(client, "reservations", "GET", client.reservations.path, walk=client.reservations),
        ListsAsk(
            client, "list_first", "GET", "/api/listings?city=Graz&limit=20", listed="listings"
        ),
        ListsAsk(
            client,
            "reservations",
            "GET",
            "/api/reservations?status=x&limit=20&offset=40",
            listed="reservations",
            expected_id=7,
        ),
        ListsAsk(client, "details", "GET", "/api/listings/1", expected_id=1),
        ListsAsk(client, "details", "GET", "/api/reservations/7", expected_id=7),
        ListsAsk(client, "create", "POST", "/", "{}", "r-2", "r-2"),
        ListsAsk(client, "update", "PATCH", "/", "{}", "r-3", "r-1", expected_id=7, own=own),
    ]


@settings(max_examples=300, deadline=None)
@given(status=STATUS, content=CONTENT, headers=st.dictionaries(st.text(), st.text(), max_size=2))
def test_no_answer_breaks_a_client_nor_what_it_asks_next(
    status: int, content: bytes, headers: dict[str, str]
) -> None:
    crowd = ListsCrowd(["c000"], 1, "run", Interface())
    for ask in asks(crowd.clients[0]):
        outcome, form = crowd.learn(ask, status, content, headers)
        assert isinstance(outcome, Outcome)
        assert form in ("", "old", "new")
    for number in range(30):
        following = crowd.ask(number)
        assert f"{following.method} {following.path}".encode("latin-1").isascii()
        assert len(following.path) < 20_000
        following.body.encode()


@settings(max_examples=300, deadline=None)
@given(status=STATUS, content=CONTENT, link=st.text(max_size=60) | st.just("/" * 10_000))
def test_no_answer_breaks_a_configured_client(status: int, content: bytes, link: str) -> None:
    operation = Operation("list", "GET", "/things", contains="", follow="Next-Page")
    crowd = DescribedCrowd(["c000"], 1, "run", Interface(operations=(operation,)))
    crowd.learn(crowd.ask(0), status, content, {"next-page": link})
    path = crowd.ask(1).path
    assert path.startswith("/")
    assert path.isascii()
    assert path.isprintable()
    assert " " not in path
    assert len(path) < 9_000


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ("http://other.example/things?page=2", "/things?page=2"),
        ("/things?to=http://x/", "/things?to=http://x/"),
        ("http://bare.example", "/things"),
        ("/things HTTP/1.1\r\nX: y", "/things"),
        ("\ud800", "/things"),
    ],
)
def test_a_next_page_is_followed_only_where_it_is_a_path(told: str, path: str) -> None:
    operation = Operation("list", "GET", "/things", follow="Next-Page")
    crowd = DescribedCrowd(["c000"], 1, "run", Interface(operations=(operation,)))
    crowd.learn(crowd.ask(0), 200, b"", {"next-page": told})
    assert crowd.ask(1).path == path


@pytest.mark.parametrize(
    "body",
    [
        {"items": [{"id": True}], "nextCursor": None, "meta": {}},
        {"items": [{"id": 2**63}], "nextCursor": None, "meta": {}},
        {"items": [], "nextCursor": "x" * 5_000, "meta": {}},
        {"listings": [{"id": 1}], "count": 1, "limit": 1, "offset": 10**4299 * 9},
    ],
)
def test_numbers_and_cursors_that_no_service_means_are_no_page(body: object) -> None:
    assert page(body, "listings") is None


# The generator itself, against a real server.


def peak_of_children() -> int:
    """Return the most memory that any child that runs ever had, in KiB. What the operating system
    knows of those that have ended is the peak of all that this process ever started.
    """
    found = [0]
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{child.pid}/status").read_text(encoding="utf-8")
            found += map(int, re.findall(r"VmHWM:\s+(\d+) kB", status))
    return max(found)


@pytest.mark.parametrize(
    ("answer", "pause_s", "outcome"),
    [
        (lambda: chain([OK + b"Content-Length: 900\r\n\r\n"], drip(b"x" * 900)), 0.1, "timeout"),
        (lambda: endless(OK + b"\r\n", b"x" * 60_000), 0.0, "bad_body"),
        (lambda: endless(OK, b"X-More: " + b"x" * 60_000 + b"\r\n"), 0.0, "bad_body"),
        (lambda: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500), 0.0, "bad_body"),
        (sized(bomb(100 * 2**20), b"Content-Encoding: gzip\r\n"), 0.0, "bad_body"),
        (sized(b"[" * 1_000_000), 0.0, "bad_body"),
        (sized(rb'{"items": [], "nextCursor": "\ud800", "meta": {}}'), 0.0, "bad_body"),
        (sized(b'{"items": [{"id": ' + b"9" * 5000 + b"}]}"), 0.0, "bad_body"),
        (sized(b"{}", b"X-A: \xff\xfe\r\n"), 0.0, "bad_body"),
        (OK + b"Content-Length: 100\r\n\r\nhalf", 0.0, "connection"),
        (b"no HTTP at all\r\n\r\n", 0.0, "connection"),
    ],
    ids=["drip", "endless", "headers", "continue", "bomb", "deep", "surrogate", "number", "bytes",
         "half", "garbage"],
)  # fmt: skip
def test_no_answer_breaks_the_generator(
    tmp_path: Path, answer: bytes | Callable[[], Iterator[bytes]], pause_s: float, outcome: str
) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    with BadServer(answer, pause_s) as server:
        traffic = Traffic(
            server.url, "k", RATE, 1, tmp_path / "traffic", timeline, timeout_s=1.0, clients=3
        )
        with traffic:
            for _ in wait_until("a few answers", 120):  # an endless one keeps a core busy
                if server.asked >= 8:
                    break
            peak = peak_of_children()
        assert traffic.window(0).sent
    seen = {one.outcome.value for one in read_observations(tmp_path / "traffic")}
    assert outcome in seen
    assert seen <= {outcome, "timeout", "connection"}
    assert not any(isinstance(e.what, ObserverDied) for e in read(timeline.path))
    assert 0 < peak < 500 * 1024


def test_a_connection_on_which_an_answer_is_still_to_come_is_nobody_elses() -> None:
    pieces = 0

    def promised() -> Iterator[bytes]:
        nonlocal pieces
        yield b"HTTP/1.1 103 Early Hints\r\n\r\n"
        while server.asked < 2:  # until the second client has come
            pieces += 1
            yield b""
        yield sized(b"{}")

    with BadServer(promised, 0.01) as server, gevent.Timeout(30):
        connections = Connections(server.url, "", 2, 10.0, "")
        first = gevent.spawn(connections.send, "GET", "/", None)
        while pieces < 20:  # what was promised is read long since
            gevent.sleep(0.01)
        second = gevent.spawn(connections.send, "GET", "/", None)
        gevent.joinall([first, second], raise_error=True)
    assert (first.value.status, second.value.status) == (200, 200)
    assert server.asked == 2


def test_what_cannot_be_written_does_not_break_the_record(tmp_path: Path) -> None:
    client = Customer("c000", Walk("listings"))
    recorder = Recorder(tmp_path, 0)
    recorder.announce(ListsAsk(client, "create", "POST", "/", '{"a": "\ud800"}', "r-1", "r-1"))
    recorder.observe(Observation(1.0, 1.0, 2.0, "c\ud800", "list", 200, Outcome.OK, "new"))
    recorder.observe(Observation(1.0, 1.0, 2.0, "c000", "list", 200, Outcome.OK, "new"))
    recorder.flush()
    assert len(list(read_observations(tmp_path))) == 2


@pytest.mark.parametrize("body", ["a=1&b=2", '{"a":\n 1}', "[1]", "", "[" * 5000, "x\u2028y"])
def test_any_body_of_a_write_is_one_line_that_can_be_read_again(tmp_path: Path, body: str) -> None:
    client = Customer("c000", Walk("listings"))
    recorder = Recorder(tmp_path, 0)
    for number in range(2):
        recorder.announce(ListsAsk(client, "book", "POST", "/", body, f"r-{number}", f"r-{number}"))
    assert [len(writes) for writes in read_writes(tmp_path).values()] == [1, 1]
    assert len(list(Appended(tmp_path, WRITES).lines())) == 2


def test_a_broken_line_is_told_and_leaves_the_drill_unknown(tmp_path: Path) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    good = Observation(100.5, 100.5, 100.6, "c000", "list", 200, Outcome.OK, "new").to_line()
    made = Traffic("http://127.0.0.1:1", "", 1.0, 1, tmp_path, timeline)
    generator = _Locust.__new__(_Locust)
    generator.settings, generator.schedule, generator.total = made._settings[0], None, None
    generator.unread, generator.example, generator.vouched_until = 0, "", 0.0
    generator._health = _Lines(tmp_path / "none")
    generator._observations = _Lines(path_of(tmp_path, OBSERVATIONS, 0))
    path_of(tmp_path, OBSERVATIONS, 0).write_bytes(
        f"{good}\n".encode()
        + b"\xff\xfe,1,2\n"
        + b"nan,1,2,c,o,200,ok,new,\n"
        + f"{good}\n".encode()
    )
    made._generators = [generator]
    made._read()
    assert made._seconds[100].sent == 2
    ((death),) = [e.what for e in read(timeline.path)]
    assert isinstance(death, ObserverDied)
    assert "cannot be read" in death.error
