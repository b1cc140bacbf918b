"""Whatever a service answers, the suite's own requests end in time and with little memory."""

from __future__ import annotations

import ast
import contextlib
import gzip
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_drill.ground.wait import wait_until
from rollback_drill.stage import http
from rollback_drill.stage.answers import BadAnswer, NoAnswer, parse_json
from tests.stage.bad_server import OK, BadServer, bomb, drip, endless, sized

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 1.0


def asked(answer: bytes | Callable[[], Iterator[bytes]], pause_s: float = 0.0) -> NoAnswer:
    with BadServer(answer, pause_s) as server:
        began = time.monotonic()
        with pytest.raises(NoAnswer) as caught:
            http.get(server.url, limit_s=LIMIT_S)
        assert time.monotonic() - began < LIMIT_S + 20
    return caught.value


def test_an_answer_that_drips_ends_at_the_deadline_for_the_whole_of_it() -> None:
    head = OK + b"Content-Length: 1000\r\n\r\n"
    found = asked(lambda: chain([head], drip(b"x" * 100)), 0.05)
    assert found.reason.startswith("no answer within 1 s: ")
    assert found.reason.endswith(" bytes came")


def test_headers_that_drip_end_at_the_deadline() -> None:
    assert "no answer within" in asked(lambda: drip(OK * 10), 0.05).reason


def test_a_server_that_only_ever_promises_to_go_on_ends_at_the_deadline() -> None:
    assert (
        "no answer within"
        in asked(lambda: endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), 0.01).reason
    )


def test_silence_ends_at_the_deadline() -> None:
    assert asked(lambda: drip(b""), 0.05).reason == "no answer within 1 s: 0 bytes came"


def test_an_endless_answer_ends_at_its_size() -> None:
    found = asked(lambda: endless(OK + b"\r\n", b"x" * 60_000))
    assert found.reason == "larger than 2 MB"
    assert found.status == 200


def test_endless_headers_are_a_bad_answer() -> None:
    assert isinstance(asked(lambda: endless(OK, b"X-More: " + b"x" * 5000 + b"\r\n")), BadAnswer)


def test_a_gzip_bomb_is_not_unpacked() -> None:
    packed = bomb(200 * 2**20)
    found = asked(sized(packed, b"Content-Encoding: gzip\r\n"))
    assert found.reason == "larger than 2 MB"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (sized(b"no gzip", b"Content-Encoding: gzip\r\n"), "not gzip"),
        (sized(bomb(5000)[:-9], b"Content-Encoding: gzip\r\n"), "gzip is broken off"),
        (sized(b"x", b"Content-Encoding: br\r\n"), "encoded as br"),
        (OK + b"Content-Length: 100\r\n\r\nhalf", "broken off"),
        (b"hello, this is no HTTP\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello", "no HTTP"),
        (b"", "closed without an answer"),
    ],
)
def test_what_is_no_whole_answer_says_what_it_is(body: bytes, said: str) -> None:
    assert said in asked(body).reason


def test_nobody_who_listens_is_no_answer() -> None:
    with BadServer(b"") as server:
        url = server.url
    with pytest.raises(NoAnswer, match=r"no connection"):
        http.get(url, limit_s=LIMIT_S)
    for wrong in ("no-scheme", "ftp://127.0.0.1/", "http://[:::/", "http://no.such.invalid/"):
        with pytest.raises(NoAnswer):
            http.get(wrong, limit_s=LIMIT_S)


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    away = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
    with BadServer(away) as server:
        assert http.get(server.url).status == 302
        assert server.asked == 1


def test_a_good_answer_is_read_whole_packed_or_not() -> None:
    body = b'{"items": [1, 2]}'
    twice = bomb(0) + gzip.compress(body)
    with BadServer(sized(body, b"X-Kind: a\r\n")) as plain:
        seen = http.get(plain.url, params={"limit": 2})
        assert (seen.json(), seen.ok, seen.headers["x-kind"]) == ({"items": [1, 2]}, True, "a")
    with BadServer(sized(twice, b"Content-Encoding: gzip\r\n")) as packed:
        assert http.get(packed.url).json() == {"items": [1, 2]}


def test_one_client_asks_over_one_connection_and_each_time_with_a_deadline_of_its_own() -> None:
    with BadServer(sized(b"1")) as server, http.Client(server.url, limit_s=LIMIT_S) as client:
        assert client.get("/a").json() == 1
        for _ in wait_until("the server closed it", 60):
            if server.closed:
                break
        assert client.get("/b").json() == 1  # over a new one


def test_memory_stays_bounded_whatever_comes() -> None:
    asks = (
        "import resource, sys; from rollback_drill.stage import http; from rollback_drill.stage.answers import NoAnswer\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for url in sys.argv[1:]:\n"
        "    try: http.get(url, limit_s=2).json()\n"
        "    except NoAnswer as no: print(no.reason)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    packed = sized(bomb(500 * 2**20), b"Content-Encoding: gzip\r\n")
    with (
        BadServer(lambda: endless(OK + b"\r\n", b"x" * 60_000)) as storm,
        BadServer(packed) as bombed,
        BadServer(sized(b"[" + b"[]," * 600_000 + b"[]]")) as many,
    ):
        urls = (storm.url, bombed.url, many.url)
        done = subprocess.run(
            [sys.executable, "-c", asks, *urls], capture_output=True, text=True, cwd=ROOT, check=True
        )  # fmt: skip
    *reasons, grown_mb = done.stdout.split("\n")[:-1]
    assert reasons == ["larger than 2 MB"] * 2
    assert int(grown_mb) < 120
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # it is measured at all


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a":' * 5000, "nested too deeply"),
        ("1" * 5000, "not JSON"),
        ("NaN", "not JSON"),
        ("[-Infinity]", "not JSON"),
        ("1e999", "not JSON"),
        ('{"a": 1, "a": 2}', "twice"),
        (r'"\ud800"', "not Unicode"),
        (r'{"\udfff": 1}', "not Unicode"),
        (b"\xff\xfe", "not Unicode"),
        (b"\xed\xa0\x80", "not Unicode"),
        ("", "not JSON"),
    ],
)
def test_json_that_nothing_can_be_done_with_is_a_bad_answer(text: str | bytes, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        parse_json(text if isinstance(text, bytes) else text.encode())


def test_json_that_looks_strange_and_is_right_is_read() -> None:
    assert parse_json(rb'"\ud83d\ude00"') == "😀"
    assert parse_json(b'\xef\xbb\xbf{"a": [1.5, null]}') == {"a": [1.5, None]}


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_bad_answer(content: bytes) -> None:
    with contextlib.suppress(BadAnswer):
        parse_json(content)


# Who else may speak HTTP by itself, and why.
OTHERS = {
    "rollback_drill/stage/http.py": "this is the one",
    "rollback_drill/stage/connections.py": "the network below it",
    "rollback_drill/stage/container_host.py": "the same streams' errors",
    "rollback_drill/stage/conformance.py": "what the library takes for an answer; nothing is sent by it",
    "rollback_drill/stage/execution.py": "a command's streams, which are no answer; bounded by rollback_drill.stage.output",
}


def test_no_other_module_speaks_http_by_itself() -> None:
    found = []
    for folder in ("rollback_drill", "steps", "features", "examples"):
        for path in (ROOT / folder).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if name in OTHERS:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = (
                    [alias.name for alias in node.names] if isinstance(node, ast.Import)
                    else [f"{node.module}"] if isinstance(node, ast.ImportFrom) and not node.level
                    else []
                )  # fmt: skip
                found += [
                    f"{name}: {one}" for one in names
                    if one.split(".")[0] in ("httpx", "httpcore", "requests", "aiohttp")
                    or one in ("urllib.request", "http.client")
                ]  # fmt: skip
    assert found == []
