"""A wrapped release changes the answers that it is to change, and no others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from rollback_drill.subject.hostaway.wrapping import answering, middleware

Served = list[tuple[int, Any]]


class Core:
    """An application that answers every request alike, as an observer holds one."""

    def __init__(self) -> None:
        self.app: Any = self.answer
        self.seen: list[int] = []

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        told = {"path": scope["path"], "sent": body.decode()}
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(told).encode()})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            if "status" in message:
                self.seen.append(message["status"])
            await send(message)

        await self.app(scope, receive, note)


def wrapped(edits: Any) -> tuple[Any, Core]:
    """The application as the release would make it with `edits`."""
    module, app = edits
    space: dict[str, Any] = {"__name__": "wrapped"}
    exec(compile(module.new, module.path, "exec"), space)
    core = Core()
    how = "inside" if ".inside(" in app.new else "around"
    return space[how](lambda: core, space["wrap"])(), core


def ask(
    app: Any, path: str = "/api/listings", method: str = "GET", body: bytes = b""
) -> tuple[int, Any]:
    told: list[Any] = []
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "path": path,
        "method": method,
        "query_string": b"limit=2",
        "headers": [],
    }
    asyncio.run(app(scope, receive, send))
    return told[0]["status"], json.loads(told[1]["body"])


def test_answers_are_changed_as_told() -> None:
    change = "answer.status = 418\nanswer.body['limit'] = ask.query['limit']"
    app, core = wrapped(answering(change, path="/api/listings"))
    assert ask(app) == (418, {"path": "/api/listings", "sent": "", "limit": "2"})
    assert ask(app, "/health") == (200, {"path": "/health", "sent": ""})
    assert ask(app, method="POST")[0] == 200
    assert core.seen == [200, 200, 200]


def test_inside_the_release_counts_what_was_changed() -> None:
    app, core = wrapped(answering("answer.status = 500", inside=True))
    assert ask(app)[0] == 500
    assert core.seen == [500]


def test_one_in_so_many() -> None:
    app, _ = wrapped(answering("answer.status = 500", one_in=3))
    assert [ask(app)[0] for _ in range(6)] == [200, 200, 500, 200, 200, 500]


def test_only_after_a_while() -> None:
    app, _ = wrapped(answering("answer.status = 500", after_s=3600))
    assert ask(app)[0] == 200


def test_only_with_such_a_query() -> None:
    app, _ = wrapped(answering("answer.status = 500", query="offset="))
    assert ask(app)[0] == 200


def test_what_was_sent_reaches_the_release_and_the_change() -> None:
    app, _ = wrapped(answering("answer.body['saw'] = ask.body.decode()", method="POST"))
    assert ask(app, method="POST", body=b"hello")[1] == {
        "path": "/api/listings", "sent": "hello", "saw": "hello",
    }  # fmt: skip


def test_something_may_stay() -> None:
    app, _ = wrapped(
        answering("answer.body = kept.setdefault(ask.path, answer.body | {'n': ask.number})")
    )
    assert ask(app)[1] == ask(app)[1]


def test_middleware_of_ones_own() -> None:
    code = """
        async def wrap(app, scope, receive, send):
            await app(dict(scope, path="/other"), receive, send)
    """
    app, _ = wrapped(middleware(code))
    assert ask(app)[1]["path"] == "/other"


def test_two_go_together_as_two_modules() -> None:
    one, other = answering("answer.status = 500"), answering("answer.status = 501")
    assert one[0].path != other[0].path
    assert one[0].path == answering("answer.status = 500")[0].path


@pytest.mark.parametrize("failing", [True, False])
def test_the_failing_release_can_be_wrapped_too(failing: bool) -> None:
    assert {one.failing for one in answering("pass", failing=failing)} == {failing}
