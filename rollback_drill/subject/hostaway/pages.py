"""What a page of a list is, in the old format or in the new."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import quote

from rollback_drill.stage.answers import BadAnswer, parse_json

_LONGEST = 4_000  # characters of a cursor: no longer one comes through a URL


@dataclass(frozen=True, slots=True)
class Page:
    """A list answer: its format, the ids in it and the query of the next page ("" at the end);
    its `rows`, and what it says of itself: `count`, `limit`, `offset`, as far as its format does.
    """

    format: str
    ids: tuple[int, ...]
    following: str
    rows: tuple[dict[str, Any], ...] = field(default=(), compare=False, repr=False)
    told: tuple[Any, Any, Any] = (None, None, None)


def page(body: Any, kind: str) -> Page | None:
    """Return the page of `kind` that `body` is, in either format, or None."""
    if not isinstance(body, dict):
        return None
    form = "new" if "items" in body else "old"
    rows = body.get("items" if form == "new" else kind)
    if not isinstance(rows, list):
        return None
    ids: tuple[Any, ...] = tuple([row.get("id") if isinstance(row, dict) else None for row in rows])
    if not all(map(is_whole, ids)):
        return None
    if form == "new":
        cursor = body.get("nextCursor", 0)
        if cursor is not None and not (isinstance(cursor, str) and len(cursor) <= _LONGEST):
            return None
        meta = body.get("meta")
        if not isinstance(meta, dict):
            return None
        following = f"&cursor={quote(cursor, safe='')}" if cursor else ""
        return Page(form, ids, following, tuple(rows), (None, meta.get("limit"), None))
    offset, limit = body.get("offset"), body.get("limit")
    if not is_whole(offset) or not is_whole(limit) or "count" not in body:
        return None
    following = f"&offset={offset + len(ids)}" if ids and len(ids) >= limit else ""
    return Page(form, ids, following, tuple(rows), (body["count"], limit, offset))


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether it is a whole number such as services count and number rows with."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


@functools.lru_cache(maxsize=256)  # many clients read the same pages
def page_of(content: bytes, kind: str) -> Page | None:
    """Return the page of `kind` that `content` is, in either format, or None."""
    try:
        return page(parse_json(content), kind)
    except BadAnswer:
        return None
