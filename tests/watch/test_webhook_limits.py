"""Nobody can hold the webhook up, fill the drill's memory by it, or break it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.ground.wait import wait_until
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.watched import reported_to
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.watch import webhook
from rollback_drill.watch.told import Reported
from rollback_drill.watch.webhook import Webhook

GOOD = {"severity": "P0", "title": "nobody can book", "reporter": "on-call"}


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    return Timeline(tmp_path / "timeline.jsonl")


@pytest.fixture
def hook(timeline: Timeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setattr(webhook, "_LIMIT_S", 1.0)
    with reported_to(timeline.record), Webhook(timeline) as made:
        yield made


def key(hook: Webhook) -> dict[str, str]:
    return {"Authorization": f"Bearer {hook.token}"}


def head_of(hook: Webhook, length: int | str) -> bytes:
    told = {"Host": hook.url.removeprefix("http://"), **key(hook), "Content-Length": str(length)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST /incidents HTTP/1.1\r\n{lines}\r\n".encode()


def post(hook: Webhook, content: bytes | str) -> int:
    return http.request("POST", f"{hook.url}/incidents", headers=key(hook), content=content).status


def said(hook: Webhook, text: bytes) -> bytes:
    host, _, port = hook.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(text)
        return connection.recv(4096)


def test_a_body_that_is_too_large_is_refused_without_being_read(hook: Webhook) -> None:
    assert b" 413 " in said(hook, head_of(hook, 9_000_000_000))
    assert b" 400 " in said(hook, head_of(hook, "9" * 5000))
    assert b" 400 " in said(hook, head_of(hook, -1))


@pytest.mark.parametrize(
    "body",
    ["[" * 60_000, '{"severity": ' + "9" * 5000 + "}", r'{"severity": "\ud800"}', b"\xff", "null"],
)
def test_no_body_breaks_it(hook: Webhook, timeline: Timeline, body: bytes | str) -> None:
    assert post(hook, body) == 400
    assert http.request("POST", f"{hook.url}/incidents", headers=key(hook), json=GOOD).status == 202
    assert [type(event.what) for event in read(timeline.path)] == [Reported]


def test_a_post_that_drips_is_ended_while_others_are_taken(hook: Webhook) -> None:
    assert b" 408 " in said(hook, head_of(hook, 100) + b"{")
    assert said(hook, b"POST /inci") == b""  # its first line never ends
    assert http.request("POST", f"{hook.url}/incidents", headers=key(hook), json=GOOD).status == 202


def test_a_crowd_of_silent_connections_holds_no_thread_for_long(hook: Webhook) -> None:
    host, _, port = hook.url.removeprefix("http://").partition(":")
    silent = [
        socket.create_connection((host, int(port))) for _ in range(64)
    ]  # twice as many as are heard at once
    for _ in wait_until("the webhook takes reports again", 60):
        try:
            if (
                http.request("POST", f"{hook.url}/incidents", headers=key(hook), json=GOOD).status
                == 202
            ):
                break
        except NoAnswer:
            continue
    for one in silent:
        one.close()
