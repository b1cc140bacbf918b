"""Listings: what can be booked."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from hostaway_mcp.answers import Refusal, answer
from hostaway_mcp.paging import Asked, Collection, FilterText, asked, page_of

LISTINGS = Collection(
    "listings", "id, name, city, price_cents, bedrooms, active, updated_at", ("city",)
)
Id = Annotated[int, Path(ge=0, le=2**31 - 1)]

router = APIRouter(prefix="/api/listings")


@router.get("")
async def list_listings(
    request: Request, page: Annotated[Asked, Depends(asked)], city: FilterText = None
) -> Response:
    """One page of all listings, or of those in `city`."""
    return await page_of(request, LISTINGS, page, {} if city is None else {"city": city})


@router.get("/{listing_id}")
async def get_listing(request: Request, listing_id: Id) -> Response:
    """One listing."""
    row = await request.app.state.database.one(
        f"SELECT {LISTINGS.columns} FROM listings WHERE id = %s", (listing_id,)
    )
    if row is None:
        raise Refusal(404, "not_found", f"there is no listing {listing_id}")
    return answer(row)
