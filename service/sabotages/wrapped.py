"""Runs within a release, which gets a copy: ASGI middleware that changes what it answers."""

import json
import re
import time
from urllib.parse import parse_qsl

_BORN = time.monotonic()


def around(create, wrap):
    """Return `create` so that what it makes is served through `wrap`: what counts and logs inside
    sees nothing of it.
    """
    return lambda *given: _Through(create(*given), wrap)


def inside(create, wrap):
    """Return `create` so that `wrap` is within what counts and logs."""

    def made(*given):
        outer = create(*given)
        within = outer
        while type(within).__name__ == "_Through":  # also that of another copy
            within = within.app
        within.app = _Through(within.app, wrap)
        return outer

    return made


class _Through:
    def __init__(self, app, wrap):
        self.app, self.wrap = app, wrap

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            await self.wrap(self.app, scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Ask:
    """What a client asked. `number`: how many like it there were."""

    def __init__(self, scope, body, number):
        self.method, self.path, self.body, self.number = (
            scope["method"],
            scope["path"],
            body,
            number,
        )
        self.query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        self.headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}


class Answer:
    """What the release answers. `body`: JSON as Python has it, else bytes."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in headers}
        self.plain = False
        try:
            self.body = json.loads(body)
        except ValueError:
            self.body, self.plain = body, True

    def parts(self):
        """Return it for an ASGI server."""
        body = self.body
        if not isinstance(body, bytes):
            body = json.dumps(body, separators=(",", ":")).encode()
        if self.status not in (204, 304):
            self.headers["content-length"] = str(len(body))
        pairs = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in self.headers.items()]
        return self.status, pairs, body


def answers(change, method, path, query, one_in, after_s):
    """Return middleware by which `change` works on every `one_in`th answer to such a request."""
    kept, count = {}, 0

    async def wrap(app, scope, receive, send):
        nonlocal count
        wanted = (
            re.fullmatch(method, scope["method"])
            and re.fullmatch(path, scope["path"])
            and re.search(query, scope["query_string"].decode("latin-1"))
            and time.monotonic() - _BORN >= after_s
        )
        if not wanted:
            await app(scope, receive, send)
            return
        count += 1
        if count % one_in:
            await app(scope, receive, send)
            return
        asked, body, more = [], b"", True
        while more:
            message = await receive()
            asked.append(message)
            body += message.get("body", b"")
            more = message.get("more_body", False)

        async def replay():
            return asked.pop(0) if asked else await receive()

        start, told = {}, b""

        async def take(message):
            nonlocal start, told
            if message["type"] == "http.response.start":
                start = message
            else:
                told += message.get("body", b"")

        await app(scope, replay, take)
        answer = Answer(start["status"], start["headers"], told)
        change(Ask(scope, body, count), answer, kept)
        status, headers, told = answer.parts()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": told})

    return wrap
