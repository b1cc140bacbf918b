"""Whatever is sent to the webhook: it answers or hangs up, lives on, and records what is a report."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from hypothesis import strategies as st

from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.watched import reported_to
from rollback_drill.stage import http
from rollback_drill.watch import webhook
from rollback_drill.watch.told import Reported
from rollback_drill.watch.webhook import Webhook
from steps.fix_examples import Examples

GOOD = {"severity": "P0", "title": "nobody can book", "reporter": "on-call"}
LINES = (
    *("POST /incidents HTTP/1.1", "POST /tickets HTTP/1.0", "POST /incidents", "GET / HTTP/9.9"),
    *("POST http://127.0.0.1/incidents HTTP/1.1", "POST /incidents?a=b HTTP/1.1", "\0\xff", ""),
    *(
        "POST //incidents HTTP/1.1",
        "POST /" + "a" * 70_000 + " HTTP/1.1",
        "PUT /incidents HTTP/1.1",
    ),
)
HEADERS = (
    *("Host: HOST", "Authorization: Bearer KEY", "Authorization: bearer  KEY", "Authorization: Basic KEY"),
    *("Host: elsewhere.example", "Origin: null", "Content-Length: SIZE", "Content-Length: 0", "Content-Length: -1"),
    *("Content-Length: ٣", "Content-Length: 1_0", "Content-Length: " + "9" * 30, "Content-Length: 999999"),
    *("Transfer-Encoding: chunked", "Expect: 100-continue", "X: " + "y" * 70_000, "X", ": y", " folded: z"),
    *("Connection: keep-alive", "Authorization: Bearer \xff", "Content-Type: text/plain"),
)  # fmt: skip
BODIES = st.one_of(
    st.fixed_dictionaries(
        {name: st.text(max_size=300) | st.integers() | st.none() for name in ("severity", "priority", "title", "reporter")}
    ).map(lambda body: json.dumps(body).encode()),
    st.just(json.dumps(GOOD).encode()),
    st.binary(max_size=40),
    st.sampled_from((b"", b"[" * 9000, b"4\r\nabcd\r\n0\r\n\r\n", b'{"severity": "P0", "severity": "P1"}')),
)  # fmt: skip
USUAL = ("Host: HOST", "Authorization: Bearer KEY", "Content-Length: SIZE")
REQUESTS = st.tuples(
    st.sampled_from((LINES[0],) * 8 + LINES),
    st.just(USUAL) | st.lists(st.sampled_from(HEADERS), max_size=5),
    BODIES,
)


def test_nothing_that_is_sent_breaks_it(
    examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_LIMIT_S", 0.2)
    timeline = Timeline(tmp_path / "timeline.jsonl")
    with reported_to(timeline.record), Webhook(timeline) as hook:
        place = hook.url.removeprefix("http://")
        host, _, port = place.partition(":")
        answers, trusted = [], 0

        def send(example: tuple[str, list[str], bytes]) -> None:
            nonlocal trusted
            line, headers, body = example
            trusted += any(one.endswith(" KEY") and "earer" in one for one in headers)
            told = "\r\n".join((line, *headers, "", ""))
            told = told.replace("HOST", place).replace("KEY", hook.token)
            raw = told.replace("SIZE", str(len(body))).encode("utf-8", "surrogateescape") + body
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                try:
                    connection.sendall(raw)
                    connection.shutdown(socket.SHUT_WR)
                    answers.append(connection.recv(4096))
                except TimeoutError:
                    raise
                except OSError:  # it hung up
                    answers.append(b"")

        examples.hold(60, REQUESTS, send)
        key = {"Authorization": f"Bearer {hook.token}"}
        assert http.request("POST", f"{hook.url}/incidents", headers=key, json=GOOD).status == 202
    events = [event.what for event in read(timeline.path)]
    assert {type(one) for one in events} == {Reported}
    accepted = sum(b" 202 " in one.partition(b"\r\n")[0] for one in answers)
    assert accepted <= len(events) - 1 <= trusted
    assert accepted
    assert not any(hook.token.encode() in one for one in answers)
