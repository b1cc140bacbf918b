"""Asks a service that is described by its operations; see `traffic.interface`."""

from __future__ import annotations

import uuid

from rollback_drill.stage import http
from rollback_drill.stage.model import Stage
from rollback_drill.traffic.interface import Operation

_TIMEOUT_S = 5.0


def ask(
    stage: Stage, url: str, operation: Operation, *, key: str | None = None, reference: str = ""
) -> http.Answer:
    """Send one request of `operation` to `url`, with the stage's key, another `key`, or none ("").

    Raises NoAnswer when no answer comes.
    """
    chosen = stage.api_key if key is None else key
    headers = {stage.interface.key_header: chosen} if chosen else {}
    reference = reference or f"check-{uuid.uuid4()}"
    body = operation.filled(operation.body, reference, 1)
    if body:
        headers["Content-Type"] = "application/json"
    path = operation.filled(operation.path, reference, 1)
    return http.request(
        operation.method, url + path, headers=headers, content=body or None, limit_s=_TIMEOUT_S
    )


def read_back(stage: Stage, operation: Operation, reference: str) -> http.Answer:
    """Ask for a write of `operation` again, through the front door."""
    path = operation.filled(operation.read_back, reference)
    headers = {stage.interface.key_header: stage.api_key} if stage.api_key else {}
    return http.get(stage.base_url + path, headers=headers, limit_s=_TIMEOUT_S)
