"""The running service, where its URL is given: it is asked a few questions by GET, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.begin.clue import Clue
from rollback_drill.begin.looks.documents import document_clues
from rollback_drill.ground.errors import UsageError
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer

_HEALTH = ("/health", "/healthz", "/v1/__lbheartbeat__", "/__lbheartbeat__", "/ready", "/readyz",
           "/ping", "/api/health", "/actuator/health", "/status")  # fmt: skip
_DOCUMENTS = ("/openapi.json", "/v1/__api__", "/swagger.json", "/v3/api-docs", "/docs/openapi.json",
              "/api/openapi.json")  # fmt: skip
_LIMIT_S = 5.0


def look_at_service(url: str) -> Iterator[Clue]:
    """Yield where it answers. Raises UsageError when nothing answers there at all."""
    if not re.match(r"https?://[^/\s@?#]+(/[^\s?#]*)?$", url):
        raise UsageError(
            "URL: http://… or https://…, with no password and no query",
            "another",
            "set URL=http://127.0.0.1:8000",
        )
    base = url.rstrip("/")
    yield Clue("stage.base_url", base, "URL, which answered")
    answers = {path: _ask(base + path) for path in (*_HEALTH[:1], "/")}
    if not any(answers.values()):
        raise UsageError(f"a service at {base}", "no answer", "start it, or leave URL out")
    for path in _HEALTH:
        if (answer := answers.get(path) or _ask(base + path)) and answer.status == 200:
            yield Clue("service.health", path, f"{base}{path} answered 200")
            break
    metrics = _ask(f"{base}/metrics")
    if metrics and metrics.ok and re.search(r"^# (?:HELP|TYPE) ", metrics.text, re.MULTILINE):
        yield Clue("service.metrics", "/metrics", f"{base}/metrics answered with metrics")
    else:
        yield Clue("service.metrics", "", f"{base}/metrics answered with no metrics")
    for path in _DOCUMENTS:
        answer = _ask(base + path)
        if answer and answer.ok:
            try:
                document = answer.json()
            except NoAnswer:
                continue
            if isinstance(document, dict) and ("openapi" in document or "swagger" in document):
                yield Clue("service.document", path, f"{base}{path} answered with the document")
                for one in document_clues(document, base + path):
                    yield from _answered(one, base) if one.place == "reads" else (one,)
                break


def _answered(reads: Clue, base: str) -> Iterator[Clue]:
    """Yield those of the `reads` that answer well, else those that want a key first."""
    statuses = {path: answer.status for path in reads.value if (answer := _ask(base + path))}
    good = [path for path, status in statuses.items() if 200 <= status < 300]
    guarded = [path for path, status in statuses.items() if status in (401, 403)]
    if good:
        yield Clue("reads", good, f"{reads.where}, answered well")
    elif guarded:
        yield Clue("reads", guarded, f"{reads.where}, answered that a key is needed")


def _ask(url: str) -> http.Answer | None:
    try:
        return http.get(url, limit_s=_LIMIT_S)
    except NoAnswer:
        return None
