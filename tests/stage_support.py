"""How the tests of the stages ask whether a URL serves."""

from __future__ import annotations

import httpx

from drill.wait import wait_until


def status(url: str, path: str = "/health") -> int:
    """Return the status that `url` + `path` answers, 0 when no answer comes."""
    try:
        return httpx.get(url + path, timeout=5).status_code
    except httpx.TransportError:
        return 0


def await_status(url: str, wanted: int, path: str = "/health", limit_s: float = 10) -> None:
    for _ in wait_until(f"{url}{path} answers {wanted}", limit_s):
        if status(url, path) == wanted:
            return
