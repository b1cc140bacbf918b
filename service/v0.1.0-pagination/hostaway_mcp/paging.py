"""Lists in pages by cursor; by `limit` and `offset` as before where that is switched off."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from hostaway_mcp import cursors
from hostaway_mcp.answers import Refusal, answer
from hostaway_mcp.config import MAX_LIMIT
from hostaway_mcp.logs import fields, log

MAX_OFFSET = 2**31 - 1
# Postgres has no text with a NUL in it.
FilterText = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class Collection:
    """A table that can be listed by its primary key `id`; `filters` are columns to match."""

    name: str
    columns: str
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of the list that a client asked for. `limit` is None when it did not say."""

    limit: int | None
    offset: int
    cursor: str | None


def asked(
    limit: Annotated[int | None, Query(ge=1, le=MAX_LIMIT)] = None,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    cursor: str | None = None,
) -> Asked:
    """Read the query parameters."""
    return Asked(limit, offset, cursor)


def where(collection: Collection, filters: dict[str, str]) -> tuple[list[str], tuple]:
    """Return the conditions and parameters that match `filters`."""
    chosen = [(name, filters[name]) for name in collection.filters if name in filters]
    return [f"{name} = %s" for name, _ in chosen], tuple(value for _, value in chosen)


async def by_offset(
    request: Request, collection: Collection, page: Asked, filters: dict[str, str]
) -> Response:
    """Return the rows from `offset` on in the order of their ids."""
    limit = page.limit or request.app.state.configuration.current.default_limit
    conditions, parameters = where(collection, filters)
    rows = await request.app.state.database.all(
        f"SELECT {collection.columns} FROM {collection.name}"
        + (" WHERE " + " AND ".join(conditions) if conditions else "")
        + " ORDER BY id LIMIT %s OFFSET %s",
        (*parameters, limit, page.offset),
    )
    return answer(
        {collection.name: rows, "count": len(rows), "limit": limit, "offset": page.offset}
    )


async def by_cursor(
    request: Request, collection: Collection, page: Asked, filters: dict[str, str]
) -> Response:
    """Return the rows after those that the cursor's walk has seen; without a cursor the first."""
    state = request.app.state
    config = state.configuration.current
    secret = state.defects.signing_secret(state.settings.cursor_secret)
    walk = cursors.Walk(collection.name, page.limit or config.default_limit, filters)
    after_id, total = None, None
    if page.cursor is not None:
        walk, after_id = _read_cursor(request, secret, collection, page, filters)
        total = state.cursor_cache.total(page.cursor)
        after_id = state.defects.start_after(after_id)
    await state.defects.connect_outside_of_the_pool()
    await state.defects.before_page(state.database)

    conditions, parameters = where(collection, filters)
    if total is None:
        total = await state.totals.of(collection.name, conditions, parameters)
    if after_id is not None:
        conditions, parameters = [*conditions, "id > %s"], (*parameters, after_id)
    rows = await state.database.all(
        f"SELECT {collection.columns} FROM {collection.name}"
        + (" WHERE " + " AND ".join(conditions) if conditions else "")
        + " ORDER BY id LIMIT %s",
        (*parameters, walk.limit + 1),  # one more tells whether there is a next page
    )
    items, following = rows[: walk.limit], None
    if len(rows) > walk.limit:
        following = cursors.issue(secret, walk, items[-1]["id"], config.cursor_ttl_seconds)
        state.cursor_cache.remember(following, total)
    elif state.defects.current.endless_walk:
        following = cursors.issue(secret, walk, 0, config.cursor_ttl_seconds)
    state.defects.keep_for_ever(state.cursor_cache)
    meta = {"limit": walk.limit, "total": total}
    body = {"items": items, "nextCursor": following, "meta": meta}
    return answer(state.defects.shown(body, state.settings.cursor_secret))


def _read_cursor(
    request: Request, secret: bytes, collection: Collection, page: Asked, filters: dict[str, str]
) -> tuple[cursors.Walk, int]:
    try:
        walk, after_id = cursors.read(secret, page.cursor, collection.name, filters)
        if page.limit not in (None, walk.limit):
            raise cursors.BadCursor("foreign", f"the cursor was issued for limit {walk.limit}")
    except cursors.BadCursor as bad:
        request.app.state.protection.note_cursor_error(bad.reason)
        log.warning("Cursor refused", extra=fields(collection=collection.name, reason=bad.reason))
        raise Refusal(400, "invalid_cursor", str(bad)) from None
    return walk, after_id


async def page_of(
    request: Request, collection: Collection, page: Asked, filters: dict[str, str]
) -> Response:
    """Answer a request for a page of `collection` in the format that is switched on."""
    enabled = request.app.state.configuration.current.pagination_enabled
    serve = by_cursor if enabled else by_offset
    response = await serve(request, collection, page, filters)
    request.app.state.protection.note_list(response.body, enabled and page.cursor is not None)
    return response
