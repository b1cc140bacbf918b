"""The stable release accepts what its document forbids, or answers otherwise what it refused.

Each leaves the document itself, all good requests and all that the golden set asks as they were.
"""

from __future__ import annotations

import textwrap

from rollback_drill.breaks.sabotage import Edit, Plant, PlantedIn, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering, middleware

_REWRITTEN = """
import json
from datetime import date

_KNOWN = ("reference", "listing_id", "guest_name", "check_in", "check_out", "total_cents", "status")


def mend(asked):
{change}


async def wrap(app, scope, receive, send):
    if scope["method"] != "{method}" or not scope["path"].startswith("/api/reservations"):
        await app(scope, receive, send)
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if isinstance(asked, dict):
        mend(asked)
        body = json.dumps(asked).encode()
    told = [message | {"body": body, "more_body": False}]

    async def replay():
        return told.pop() if told else await receive()

    headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode()))
    await app(dict(scope, headers=headers), replay, send)
"""
_OTHER_METHOD = """
import re


async def wrap(app, scope, receive, send):
    if {condition} and re.fullmatch(r"/api/reservations/[0-9]+", scope["path"]):
        scope = dict(scope, method="{method}")
    await app(scope, receive, send)
"""
_DELETED = """


@router.delete("/{reservation_id}", include_in_schema=False)
async def delete_reservation(request: Request, reservation_id: Id) -> Response:
    row = await request.app.state.database.one(
        "DELETE FROM reservations WHERE id = %s RETURNING id", (reservation_id,)
    )
    return answer(_found(row, reservation_id))
"""


def _sabotage(name: str, breaks: str, *plants: Plant, hosts: int = 1) -> Sabotage:
    return Sabotage(name, breaks, PlantedIn.STABLE, "of_contract", plants, hosts=hosts)


def _mended(name: str, breaks: str, change: str, method: str = "POST", hosts: int = 1) -> Sabotage:
    """What is wrong in a body is silently made good before it is looked at."""
    body = textwrap.indent(textwrap.dedent(change).strip(), "    ")
    code = _REWRITTEN.replace("{change}", body).replace("{method}", method)
    return _sabotage(name, breaks, *middleware(code), hosts=hosts)


def _renamed(name: str, breaks: str, condition: str, method: str) -> Sabotage:
    code = _OTHER_METHOD.replace("{condition}", condition).replace("{method}", method)
    return _sabotage(name, breaks, *middleware(code))


SABOTAGES = (
    _mended(
        "bad-dates-are-made-good",
        "a reservation with a day of arrival that is no date is made for another day",
        """
        try:
            date.fromisoformat(asked["check_in"])
        except (KeyError, TypeError):
            pass
        except ValueError:
            asked["check_in"] = "2029-12-31"
        """,
    ),
    _mended(
        "negative-totals-are-zero",
        "a reservation for a negative sum is made, for nothing",
        """
        if isinstance(asked.get("total_cents"), int):
            asked["total_cents"] = max(0, asked["total_cents"])
        """,
    ),
    _mended(
        "unknown-fields-are-dropped",
        "fields that a reservation has not got are dropped in silence",
        """
        for name in asked.keys() - set(_KNOWN):
            del asked[name]
        """,
    ),
    _mended(
        "missing-names-are-guessed",
        "a reservation without a guest is made for somebody",
        'asked.setdefault("guest_name", "Guest")',
    ),
    _mended(
        "long-names-are-cut",
        "a guest's name that is too long is cut",
        """
        if isinstance(asked.get("guest_name"), str):
            asked["guest_name"] = asked["guest_name"][:200]
        """,
    ),
    _mended(
        "unknown-states-are-confirmed",
        "a change to a state that there is not confirms a reservation",
        """
        if asked.get("status") not in (None, "confirmed", "cancelled", "completed"):
            asked["status"] = "confirmed"
        """,
        method="PATCH",
    ),
    _mended(
        "numbers-are-texts",
        "a change of a guest's name to a number is taken for text",
        """
        if isinstance(asked.get("guest_name"), int):
            asked["guest_name"] = str(asked["guest_name"])
        """,
        method="PATCH",
    ),
    _sabotage(
        "strange-bodies-break-it",
        "a reservation that is a list ends in a server error",
        *answering(
            "answer.status = 500 if ask.body[:2] == b'[n' else answer.status",
            method="POST",
            path="/api/reservations",
        ),
    ),
    _sabotage(
        "unknown-fields-as-html",
        "that a field is unknown is told as HTML",
        *answering(
            """
            if b"unknown" in ask.body and answer.status == 422:
                answer.headers["content-type"] = "text/html"
            """,
            method="PATCH",
            path=r"/api/reservations/\d+",
        ),
    ),
    _sabotage(
        "refused-with-another-status",
        "a change without a body is answered with a status that nobody documents",
        *answering(
            "answer.status = answer.status if ask.body else 411",
            method="PATCH",
            path=r"/api/reservations/\d+",
        ),
    ),
    _sabotage(
        "reservations-can-be-deleted",
        "reservations can be deleted, which no document says",
        Edit("hostaway_mcp/reservations.py", "", _DELETED),
    ),
    _renamed(
        "put-is-patch",
        "a method that is not documented changes reservations",
        'scope["method"] == "PUT"',
        "PATCH",
    ),
    _renamed(
        "any-method-reads",
        "methods that nobody documents read reservations",
        'scope["method"] in ("TRACE", "QUERY")',
        "GET",
    ),
    _mended(
        "one-host-drops-fields",
        "one of two hosts drops fields that it does not know",
        """
        import socket
        for name in asked.keys() - set(_KNOWN) if "2" in socket.gethostname() else ():
            del asked[name]
        """,
        hosts=2,
    ),
)
