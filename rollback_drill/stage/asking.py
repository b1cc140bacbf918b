"""Sends one request of an operation by which a service is described; see `traffic.interface`."""

from __future__ import annotations

import uuid

from rollback_drill.stage import http
from rollback_drill.subject.subject import Place
from rollback_drill.traffic.interface import Operation

_TIMEOUT_S = 5.0


def send(
    place: Place, url: str, operation: Operation, *, key: str | None = None, reference: str = ""
) -> http.Answer:
    """Send one request of `operation` to `url`, with the stage's key, another `key`, or none ("").

    Raises NoAnswer when no answer comes.
    """
    headers = keyed(place, key)
    reference = reference or f"check-{uuid.uuid4()}"
    body = operation.filled(operation.body, reference, 1)
    if body:
        headers["Content-Type"] = "application/json"
    path = operation.filled(operation.path, reference, 1)
    return http.request(
        operation.method, url + path, headers=headers, content=body or None, limit_s=_TIMEOUT_S
    )


def keyed(place: Place, key: str | None = None) -> dict[str, str]:
    """Return the headers of a customer with the stage's key, another `key`, or none ("")."""
    chosen = place.api_key if key is None else key
    return {place.interface.key_header: chosen} if chosen else {}
