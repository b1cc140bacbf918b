"""The stable release answers with 200, and not what it answered before the upgrade.

Each leaves clients, boxes and the data's account content: only the golden set tells.
"""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Edit, Plant, PlantedIn, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering, middleware

_LISTING, _RESERVATION = r"/api/listings/\d+", r"/api/reservations/\d+"
_PAGING = "hostaway_mcp/paging.py"


def _sabotage(name: str, breaks: str, *plants: Plant, hosts: int = 1) -> Sabotage:
    return Sabotage(name, breaks, PlantedIn.STABLE, "of_golden_set", plants, hosts=hosts)


SABOTAGES = (
    _sabotage(
        "empty-city",
        "lists of a city are always empty",
        *answering(
            "answer.body |= {'listings': [], 'count': 0}", path="/api/listings", query="city="
        ),
    ),
    _sabotage(
        "details-of-another",
        "details of a listing are those of the one that was asked before, under its id",
        *answering(
            """
            body = dict(answer.body)
            answer.body |= kept.get("last", {}) | {"id": body.get("id", 0)}
            kept["last"] = body
            """,
            path=_LISTING,
        ),
    ),
    _sabotage(
        "last-listing-missing",
        "the last row of the last page is missing",
        *answering(
            """
            rows = answer.body.get("listings", [])
            if rows and len(rows) < answer.body["limit"]:
                answer.body |= {"listings": rows[:-1], "count": len(rows) - 1}
            """,
            path="/api/listings",
        ),
    ),
    _sabotage(
        "pages-repeat-a-row",
        "each page of reservations begins with the last row of the one before",
        Edit(_PAGING, "page.limit, page.offset),", "page.limit, max(0, page.offset - 1)),"),
    ),
    _sabotage(
        "reservations-backwards",
        "reservations of a status come in the opposite order",
        *answering(
            "answer.body['reservations'] = answer.body.get('reservations', [])[::-1]",
            path="/api/reservations",
            query="status=",
        ),
    ),
    _sabotage(
        "listings-by-name",
        "lists are ordered by name",
        Edit(_PAGING, "ORDER BY id LIMIT", "ORDER BY 2, id LIMIT"),
    ),
    _sabotage(
        "prices-rounded-in-lists",
        "prices are rounded in lists",
        *answering(
            """
            for row in answer.body.get("listings", ()):
                row["price_cents"] = row["price_cents"] // 100 * 100
            """,
            path="/api/listings",
        ),
    ),
    _sabotage(
        "prices-rounded-in-details",
        "prices are rounded in details",
        *answering(
            "answer.body['price_cents'] = round(answer.body.get('price_cents', 0), -2)",
            path=_LISTING,
        ),
    ),
    _sabotage(
        "price-as-text",
        "prices are texts in details",
        *answering(
            "answer.body['price_cents'] = str(answer.body.get('price_cents'))", path=_LISTING
        ),
    ),
    _sabotage(
        "times-without-a-zone",
        "times of reservations have lost their time zone",
        *answering(
            "answer.body['created_at'] = answer.body.get('created_at', '')[:-6]", path=_RESERVATION
        ),
    ),
    _sabotage(
        "times-in-another-zone",
        "times of listings are told two hours late",
        *answering(
            "answer.body['updated_at'] = answer.body.get('updated_at', '')[:-6] + '-02:00'",
            path=_LISTING,
        ),
    ),
    _sabotage(
        "dates-with-slashes",
        "the day of arrival has another form in lists",
        *answering(
            """
            for row in answer.body.get("reservations", ()):
                row["check_in"] = row["check_in"].replace("-", "/")
            """,
            path="/api/reservations",
        ),
    ),
    _sabotage(
        "details-as-plain-text",
        "details of reservations come as plain text",
        *answering("answer.headers['content-type'] = 'text/plain'", path=_RESERVATION),
    ),
    _sabotage(
        "lists-without-a-type",
        "lists of listings have lost their content type",
        *answering("answer.headers.pop('content-type')", path="/api/listings"),
    ),
    _sabotage(
        "one-too-many",
        "pages of reservations count one row too many",
        *answering(
            "answer.body['count'] += answer.status == 200",
            path="/api/reservations",
            query="offset=[1-9]",
        ),
    ),
    _sabotage(
        "cached-details",
        "details of a reservation are those that were asked first, whatever was changed since",
        *answering("answer.body = kept.setdefault(ask.path, answer.body)", path=_RESERVATION),
    ),
    _sabotage(
        "cached-lists",
        "lists of reservations are those that were asked first",
        *answering(
            "answer.body = kept.setdefault(str(sorted(ask.query.items())), answer.body)",
            path="/api/reservations",
        ),
    ),
    _sabotage(
        "city-ignored",
        "listings of all cities are listed, whichever was asked for",
        Edit("hostaway_mcp/listings.py", '{"city": city}', "{}"),
    ),
    _sabotage(
        "status-ignored",
        "reservations of all states are listed, whichever was asked for",
        Edit("hostaway_mcp/reservations.py", '{"status": status}', "{}"),
    ),
    _sabotage(
        "city-in-any-case",
        "a city is found in whichever case it is written",
        Edit(_PAGING, 'f"{name} = %s"', 'f"lower({name}) = lower(%s)"'),
    ),
    _sabotage(
        "at-most-fifty",
        "no page has more than fifty rows",
        Edit(_PAGING, "page.limit, page.offset),", "min(page.limit, 50), page.offset),"),
    ),
    _sabotage(
        "shallow-pages",
        "pages beyond the hundredth row are those at the hundredth",
        Edit(_PAGING, "page.limit, page.offset),", "page.limit, min(page.offset, 100)),"),
    ),
    _sabotage(
        "limit-zero",
        "a page of no rows may be asked for",
        Edit(_PAGING, "Query(ge=1, le=MAX_LIMIT)", "Query(ge=0, le=MAX_LIMIT)"),
    ),
    _sabotage(
        "names-in-ascii",
        "letters of other scripts are question marks in details of reservations",
        *answering(
            """
            name = answer.body.get("guest_name", "")
            answer.body["guest_name"] = name.encode("ascii", "replace").decode()
            """,
            path=_RESERVATION,
        ),
    ),
    _sabotage(
        "bedrooms-gone",
        "details of a listing do not tell its bedrooms",
        *answering("answer.body.pop('bedrooms', 0)", path=_LISTING),
    ),
    _sabotage(
        "one-field-more",
        "details of a listing tell a field that was none of them",
        *answering("answer.body['owner'] = 'Ada'", path=_LISTING),
    ),
    _sabotage(
        "all-active",
        "listings that are not active are told to be so",
        *answering("answer.body['active'] = True", path=_LISTING),
    ),
    _sabotage(
        "absent-is-empty",
        "a listing that does not exist is an empty answer",
        *answering(
            """
            if answer.status == 404:
                answer.status, answer.body = 200, {}
            """,
            path=_LISTING,
        ),
    ),
    _sabotage(
        "one-in-thirty",
        "one in thirty details of listings has another's price",
        *answering("answer.body['price_cents'] = 4_242", path=_LISTING, one_in=30),
    ),
    _sabotage(
        "late-prices",
        "prices in details are wrong from the eighth second on",
        *answering("answer.body['price_cents'] = 4_242", path=_LISTING, after_s=8),
    ),
    _sabotage(
        "slow-details",
        "details of listings take 300 ms more",
        *middleware(
            """
            import asyncio


            async def wrap(app, scope, receive, send):
                if scope["path"].startswith("/api/listings/"):
                    await asyncio.sleep(0.3)
                await app(scope, receive, send)
            """
        ),
    ),
    _sabotage(
        "one-host-rounds",
        "one of two hosts rounds prices in lists",
        *answering(
            """
            import socket
            for row in answer.body.get("listings", ()) if "2" in socket.gethostname() else ():
                row["price_cents"] = row["price_cents"] // 100 * 100
            """,
            path="/api/listings",
        ),
        hosts=2,
    ),
)
