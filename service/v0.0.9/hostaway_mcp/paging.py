"""Lists in pages by `limit` and `offset`."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from hostaway_mcp.answers import answer
from hostaway_mcp.config import MAX_LIMIT

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
    """The part of the page that a client asked for."""

    limit: int
    offset: int


def asked(
    request: Request,
    limit: Annotated[int | None, Query(ge=1, le=MAX_LIMIT)] = None,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> Asked:
    """Read the query parameters; a limit that is left out is the configured one."""
    return Asked(limit or request.app.state.configuration.current.default_limit, offset)


def where(collection: Collection, filters: dict[str, str]) -> tuple[list[str], tuple]:
    """Return the conditions and parameters that match `filters`."""
    chosen = [(name, filters[name]) for name in collection.filters if name in filters]
    return [f"{name} = %s" for name, _ in chosen], tuple(value for _, value in chosen)


async def by_offset(
    request: Request, collection: Collection, page: Asked, filters: dict[str, str]
) -> Response:
    """Return the rows from `offset` on in the order of their ids."""
    conditions, parameters = where(collection, filters)
    rows = await request.app.state.database.all(
        f"SELECT {collection.columns} FROM {collection.name}"
        + (" WHERE " + " AND ".join(conditions) if conditions else "")
        + " ORDER BY id LIMIT %s OFFSET %s",
        (*parameters, page.limit, page.offset),
    )
    return answer(
        {
            collection.name: rows,
            "count": len(rows),
            "limit": page.limit,
            "offset": page.offset,
        }
    )


async def page_of(
    request: Request, collection: Collection, page: Asked, filters: dict[str, str]
) -> Response:
    """Answer a request for a page of `collection`."""
    return await by_offset(request, collection, page, filters)
