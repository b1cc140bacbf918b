"""How many lists a host was asked for since its start, and how many of these by cursor."""

from __future__ import annotations

from typing import Any

from rollback_drill.stage.answers import BadAnswer
from rollback_drill.stage.http import Answer

_STATE = "context_protection"  # of /health, in releases that have the feature
_MOST = 2.0**53


def lists_counted(answer: Answer) -> tuple[float, float] | None:
    """Return both as /health tells them, None of a release without the feature.

    Raises BadAnswer where that is no count.
    """
    body = answer.json()
    state = body.get(_STATE) if isinstance(body, dict) else None
    if not isinstance(state, dict):
        return None
    lists = _number(state.get("list_requests", 0), _MOST)
    return lists, float(round(lists * _number(state.get("pagination_adoption", 0.0), 1.0)))


def _number(value: Any, most: float) -> float:
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    if not whole or not 0 <= value <= most:
        raise BadAnswer("/health does not count lists")
    return float(value)
