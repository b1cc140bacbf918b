"""What answers look like: JSON, and `{"error": code, "detail": text}` for every error."""

import json
from datetime import date, datetime

import psycopg
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hostaway_mcp.database import message_of


class Refusal(Exception):
    """An error that the client is told: status, code and detail."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(detail)


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def answer(content: object, status: int = 200) -> Response:
    """Return `content` as JSON."""
    body = json.dumps(content, default=_plain, separators=(",", ":")).encode()
    return Response(body, status, media_type="application/json")


def error(status: int, code: str, detail: str) -> Response:
    """Return an error in the one form that errors have."""
    return answer({"error": code, "detail": detail}, status)


async def on_refusal(_request: Request, refusal: Refusal) -> Response:
    """Tell the client what was refused."""
    return error(refusal.status, refusal.code, refusal.detail)


async def on_invalid(_request: Request, invalid: RequestValidationError) -> Response:
    """Name the first field that is wrong."""
    first = invalid.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return error(422, "invalid_request", f"{where}: {first['msg']}")


async def on_http(_request: Request, problem: HTTPException) -> Response:
    """Unknown paths and methods."""
    code = {404: "not_found", 405: "method_not_allowed"}.get(problem.status_code, "http")
    return error(problem.status_code, code, str(problem.detail))


async def on_database(request: Request, problem: psycopg.Error) -> Response:
    """Leave the database's own message for the log; the client gets it too, it holds no data."""
    request.scope["problem"] = message_of(problem)
    return error(500, "database", message_of(problem))


HANDLERS = {
    Refusal: on_refusal,
    RequestValidationError: on_invalid,
    HTTPException: on_http,
    psycopg.Error: on_database,
}
