"""Reservations: read, made and changed. A write is acknowledged once it is committed.

New in this release: a client may say by which channel a booking came, and is told that it is kept.
"""

from datetime import date
from typing import Annotated, Literal

import psycopg
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from hostaway_mcp.answers import Refusal, answer
from hostaway_mcp.paging import Asked, Collection, FilterText, asked, page_of

RESERVATIONS = Collection(
    "reservations",
    "id, reference, listing_id, guest_name, check_in, check_out, total_cents, status,"
    " created_at, updated_at",
    ("status",),
)
Id = Annotated[int, Path(ge=0, le=2**63 - 1)]
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Cents = Annotated[int, Field(ge=0, le=2**31 - 1)]
Channel = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]

router = APIRouter(prefix="/api/reservations")


class NewReservation(BaseModel):
    """What a client must say to make a reservation."""

    model_config = ConfigDict(extra="forbid")
    reference: Text
    listing_id: Annotated[int, Field(ge=0, le=2**31 - 1)]
    guest_name: Text
    check_in: date
    check_out: date
    total_cents: Cents
    channel: Channel | None = None

    @model_validator(mode="after")
    def _stay(self) -> "NewReservation":
        if self.check_out <= self.check_in:
            raise ValueError("check_out must be after check_in")
        return self


class Change(BaseModel):
    """What a client may change; at least one of them."""

    model_config = ConfigDict(extra="forbid")
    guest_name: Text | None = None
    status: Literal["confirmed", "cancelled", "completed"] | None = None
    total_cents: Cents | None = None
    channel: Channel | None = None

    @model_validator(mode="after")
    def _something(self) -> "Change":
        if not self.model_dump(exclude_none=True):
            raise ValueError("expected guest_name, status, total_cents or channel")
        return self


@router.get("")
async def list_reservations(
    request: Request, page: Annotated[Asked, Depends(asked)], status: FilterText = None
) -> Response:
    """One page of all reservations, or of those in `status`."""
    filters = {} if status is None else {"status": status}
    return await page_of(request, RESERVATIONS, page, filters)


@router.get("/{reservation_id}")
async def get_reservation(request: Request, reservation_id: Id) -> Response:
    """One reservation."""
    row = await request.app.state.database.one(
        f"SELECT {RESERVATIONS.columns} FROM reservations WHERE id = %s", (reservation_id,)
    )
    return answer(_found(row, reservation_id))


@router.post("")
async def make_reservation(request: Request, new: NewReservation) -> Response:
    """Make a reservation; its reference may be used once (409 the second time)."""
    given = new.model_dump(exclude_none=True)
    try:
        row = await request.app.state.database.one(
            f"INSERT INTO reservations ({', '.join(given)})"
            f" VALUES ({', '.join(['%s'] * len(given))}) RETURNING {_shown(given)}",
            tuple(given.values()),
        )
    except psycopg.errors.UniqueViolation:
        raise Refusal(409, "duplicate_reference", f"{new.reference} exists") from None
    except psycopg.errors.ForeignKeyViolation:
        raise Refusal(422, "unknown_listing", f"there is no listing {new.listing_id}") from None
    return answer(row, 201)


@router.patch("/{reservation_id}")
async def change_reservation(request: Request, reservation_id: Id, change: Change) -> Response:
    """Change what is given and leave the rest."""
    given = change.model_dump(exclude_none=True)
    row = await request.app.state.database.one(
        f"UPDATE reservations SET {', '.join(f'{name} = %s' for name in given)},"
        f" updated_at = now() WHERE id = %s RETURNING {_shown(given)}",
        (*given.values(), reservation_id),
    )
    return answer(_found(row, reservation_id))


def _shown(given: dict) -> str:
    """Return what the answer holds. The channel only for who gave one: on the schema of the release
    before, which has none, everything else still works.
    """
    return RESERVATIONS.columns + (", channel" if "channel" in given else "")


def _found(row: dict | None, reservation_id: int) -> dict:
    if row is None:
        raise Refusal(404, "not_found", f"there is no reservation {reservation_id}")
    return row
