"""Whether the service can work, and whether it should get traffic."""

import os
import time

from fastapi import APIRouter, Request
from starlette.responses import Response

from hostaway_mcp import __version__
from hostaway_mcp.answers import answer
from hostaway_mcp.logs import fields, log

router = APIRouter()
_STARTED = time.monotonic()


def _state(request: Request, problem: str | None) -> dict[str, object]:
    return {
        "status": "unavailable" if problem else "ok",
        "version": __version__,
        "database": problem or "ok",
        "pid": os.getpid(),
        "uptime_s": round(time.monotonic() - _STARTED, 1),
        "context_protection": request.app.state.protection.state(),
    }


@router.get("/health")
async def health(request: Request) -> Response:
    """200, or 503 when the database cannot be reached. Maintenance does not matter here."""
    problem = await request.app.state.database.problem()
    if problem:
        log.error("Database unreachable", extra=fields(error=problem))
    return answer(_state(request, problem), 503 if problem else 200)


@router.get("/ready")
async def ready(request: Request) -> Response:
    """What the load balancer asks: 503 in maintenance too."""
    if request.app.state.settings.maintenance_file.exists():
        return await maintenance()
    return await health(request)


@router.get("/maintenance")
async def maintenance() -> Response:
    """Always 503: a load balancer that asks here takes the host out."""
    return answer({"status": "maintenance"}, 503)
