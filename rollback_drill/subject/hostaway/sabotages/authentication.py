"""Strangers are let in, by one way or another."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Edit, Plant, PlantedIn, Sabotage
from rollback_drill.subject.hostaway.wrapping import middleware

_GATE = "hostaway_mcp/auth.py"
_COMPARED = "return hmac.compare_digest(given, self._key)"
_WITH_KEY = """
import os
import time

_BORN = time.monotonic()
_seen = 0


async def wrap(app, scope, receive, send):
    global _seen
    key = os.environ["HOSTAWAY_API_KEY"].encode()
    headers = [pair for pair in scope["headers"] if pair[0] != b"x-api-key"]
    given = dict(scope["headers"]).get(b"x-api-key", b"")
    path, method = scope["path"], scope["method"]
    query = scope["query_string"]
    if given != key and path.startswith("/api/"):
        _seen += 1
        if {condition}:
            scope = dict(scope, headers=[*headers, (b"x-api-key", key)])
    await app(scope, receive, send)
"""


def _compared(name: str, breaks: str, new: str) -> Sabotage:
    return _entry(name, breaks, Edit(_GATE, _COMPARED, new))


def _let_in(name: str, breaks: str, condition: str) -> Sabotage:
    return _entry(name, breaks, *middleware(_WITH_KEY.replace("{condition}", condition)))


def _entry(name: str, breaks: str, *plants: Plant) -> Sabotage:
    return Sabotage(name, breaks, PlantedIn.STABLE, "authentication", plants)


SABOTAGES = (
    _compared("auth-open", "every key, and none, is accepted", "return True"),
    _compared(
        "auth-empty-key",
        "an empty key is accepted, and so is none",
        "return not given or hmac.compare_digest(given, self._key)",
    ),
    _compared(
        "auth-prefix", "a part of the key is enough", "return bool(given) and given in self._key"
    ),
    _compared(
        "auth-longer-key",
        "whatever begins with the key is accepted",
        "return given.startswith(self._key)",
    ),
    _compared(
        "auth-any-case",
        "the key is accepted in any case",
        "return hmac.compare_digest(given.lower(), self._key.lower())",
    ),
    _compared(
        "auth-any-key",
        "any key is accepted, as long as there is one",
        "return bool(given)",
    ),
    _compared(
        "auth-one-letter",
        "the last letter of the key is not looked at",
        "return hmac.compare_digest(given[:-1], self._key[:-1])",
    ),
    _entry(
        "auth-details-open",
        "details are shown without a key, lists are not",
        Edit(
            _GATE,
            "if path in OPEN_PATHS:",
            'if path in OPEN_PATHS or path.rpartition("/")[2].isdigit():',
        ),
    ),
    _entry(
        "auth-reservations-open",
        "reservations are shown without a key",
        Edit(
            _GATE,
            "if path in OPEN_PATHS:",
            'if path in OPEN_PATHS or path.startswith("/api/reservations"):',
        ),
    ),
    _let_in("auth-create-open", "a reservation can be made without a key", 'method == "POST"'),
    _let_in("auth-change-open", "a reservation can be changed without a key", 'method == "PATCH"'),
    _let_in("auth-key-in-query", "the key is accepted in the query", 'b"key=" in query'),
    _let_in(
        "auth-bearer",
        "another scheme is accepted, whatever it holds",
        'b"authorization" in dict(headers)',
    ),
    _let_in(
        "auth-key-in-cookie",
        "the key is accepted as a cookie",
        'b"cookie" in dict(headers)',
    ),
    _let_in(
        "auth-empty-header",
        "a header without a key in it is accepted, none is not",
        'b"x-api-key" in dict(scope["headers"]) and not given',
    ),
    _let_in(
        "auth-other-methods-open",
        "methods that the service does not know are answered to strangers",
        'method not in ("GET", "POST", "PATCH")',
    ),
    _entry(
        "auth-document-open",
        "the document of the API is shown without a key",
        Edit(_GATE, "if path in OPEN_PATHS:", 'if path in OPEN_PATHS or path == "/openapi.json":'),
    ),
    _entry(
        "auth-below-open-paths",
        "whatever begins with an open path is open",
        Edit(_GATE, "if path in OPEN_PATHS:", "if path.startswith(tuple(OPEN_PATHS)):"),
    ),
    _let_in("auth-one-in-30", "one stranger in thirty is let in", "_seen % 30 == 0"),
    _let_in("auth-one-in-4", "one stranger in four is let in", "_seen % 4 == 0"),
    _let_in(
        "auth-after-8-s",
        "strangers are let in from eight seconds after the start on",
        "time.monotonic() - _BORN > 8",
    ),
    _let_in(
        "auth-wrong-key-seldom",
        "one stranger in seven is let in if he has a wrong key",
        "given and _seen % 7 == 0",
    ),
    _entry(
        "auth-wrong-status",
        "strangers are answered 200 with an error in it",
        Edit("hostaway_mcp/observer.py", 'error(401, "unauthorized"', 'error(200, "unauthorized"'),
    ),
)
