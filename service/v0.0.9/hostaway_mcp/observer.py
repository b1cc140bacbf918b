"""Around every request: the API key, metrics, the request log, and errors nobody expected."""

import time

from hostaway_mcp import metrics
from hostaway_mcp.answers import error
from hostaway_mcp.auth import OPEN_PATHS
from hostaway_mcp.logs import fields, log

KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


class Observer:
    """ASGI middleware, in one layer because each costs time on every request."""

    def __init__(self, app, gate, configuration) -> None:
        self.app, self.gate, self.configuration = app, gate, configuration

    async def __call__(self, scope, receive, send) -> None:
        """Serve one connection event of the ASGI server."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        status = 0

        async def note_status(message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        path = scope["path"]
        try:
            if self.gate.admits(path, scope["headers"]):
                await self.app(scope, receive, note_status)
            else:
                refusal = error(401, "unauthorized", "expected a valid X-API-Key header")
                await refusal(scope, receive, note_status)
        except Exception as unexpected:
            scope["problem"] = unexpected
            if status:
                raise  # the answer has begun: the server can only cut the connection
            await error(500, "internal", "see the log")(scope, receive, note_status)
        finally:
            self._note(scope, status, time.perf_counter() - start)

    def _note(self, scope, status: int, seconds: float) -> None:
        # Paths and methods are the client's words: only known ones may become label values.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in KNOWN_METHODS else "other"
        metrics.observe(method, route, status, seconds)
        said = {
            "method": method,
            "path": scope["path"],
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        problem = scope.get("problem")
        if problem is not None:
            log.error(
                "Request failed",
                extra=fields(**said, error=str(problem)),
                exc_info=problem if isinstance(problem, Exception) else None,
            )
        elif self.configuration.current.log_requests and scope["path"] not in OPEN_PATHS:
            log.info("Request answered", extra=fields(**said))
