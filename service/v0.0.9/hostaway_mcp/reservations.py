"""Reservations: read, made and changed. A write is acknowledged once it is committed."""

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

    @model_validator(mode="after")
    def _something(self) -> "Change":
        if not self.model_dump(exclude_none=True):
            raise ValueError("expected guest_name, status or total_cents")
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
    try:
        row = await request.app.state.database.one(
            "INSERT INTO reservations"
            " (reference, listing_id, guest_name, check_in, check_out, total_cents)"
            f" VALUES (%s, %s, %s, %s, %s, %s) RETURNING {RESERVATIONS.columns}",
            (
                new.reference,
                new.listing_id,
                new.guest_name,
                new.check_in,
                new.check_out,
                new.total_cents,
            ),
        )
    except psycopg.errors.UniqueViolation:
        raise Refusal(409, "duplicate_reference", f"{new.reference} exists") from None
    except psycopg.errors.ForeignKeyViolation:
        raise Refusal(422, "unknown_listing", f"there is no listing {new.listing_id}") from None
    return answer(row, 201)


@router.patch("/{reservation_id}")
async def change_reservation(request: Request, reservation_id: Id, change: Change) -> Response:
    """Change what is given and leave the rest."""
    row = await request.app.state.database.one(
        "UPDATE reservations SET guest_name = coalesce(%s, guest_name),"
        " status = coalesce(%s, status), total_cents = coalesce(%s, total_cents),"
        f" updated_at = now() WHERE id = %s RETURNING {RESERVATIONS.columns}",
        (change.guest_name, change.status, change.total_cents, reservation_id),
    )
    return answer(_found(row, reservation_id))


def _found(row: dict | None, reservation_id: int) -> dict:
    if row is None:
        raise Refusal(404, "not_found", f"there is no reservation {reservation_id}")
    return row
