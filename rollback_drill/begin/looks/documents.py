"""The service's OpenAPI document, a file or as the service gives it: what clients may read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from rollback_drill.begin.clue import Clue
from rollback_drill.begin.folder import Folder

_MOST = 12  # reads: enough to choose from
_TECHNICAL = (
    "health",
    "metrics",
    "ready",
    "live",
    "heartbeat",
    "version",
    "openapi",
    "docs",
    "ping",
)


def look_at_documents(folder: Folder) -> Iterator[Clue]:
    """Yield what the first OpenAPI document in the repository says."""
    for name in folder.called("openapi*.json", "openapi*.y*ml", "swagger*.json", "swagger*.y*ml"):
        found = list(document_clues(_read(folder.text(name)), name))
        if found:
            yield from found
            return


def _read(text: str) -> object:
    try:
        return json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        return None


def document_clues(document: object, where: str) -> Iterator[Clue]:
    """Yield reads that need nothing to be known, and the header in which a key is sent."""
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(paths, dict):
        return
    base = str(document.get("basePath") or "").rstrip("/")
    reads = [
        f"{base}{path}"
        for path, methods in paths.items()
        if isinstance(path, str)
        and isinstance(methods, dict)
        and isinstance(methods.get("get"), dict)
        and "{" not in path
        and path.strip("/")
        and not any(word in path.lower() for word in _TECHNICAL)
        and not any(_needed(one) for one in _parameters(methods))
    ]
    if reads:
        yield Clue("reads", reads[:_MOST], f"{where}: GET without parameters")
    for one in _schemes(document):
        if one.get("type") == "apiKey" and one.get("in") == "header" and one.get("name"):
            yield Clue("service.key_header", str(one["name"]), f"{where}: security scheme")
            return
        if one.get("type") == "http" or one.get("type") == "basic":
            yield Clue("service.key_header", "Authorization", f"{where}: security scheme")
            return


def _parameters(methods: Mapping[str, Any]) -> list[Any]:
    own, shared = methods["get"].get("parameters"), methods.get("parameters")
    return [*(own if isinstance(own, list) else ()), *(shared if isinstance(shared, list) else ())]


def _needed(parameter: object) -> bool:
    return isinstance(parameter, dict) and bool(parameter.get("required"))


def _schemes(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    parts = document.get("components")
    held = parts.get("securitySchemes") if isinstance(parts, dict) else None
    held = held or document.get("securityDefinitions")
    return [one for one in held.values() if isinstance(one, dict)] if isinstance(held, dict) else []
