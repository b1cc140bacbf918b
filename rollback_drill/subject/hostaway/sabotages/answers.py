"""What is rolled back to answers now and then, or for a moment, what cannot be true.

When nobody writes any more all of it is right again: only who holds each answer sees it.
"""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Edit, Plant, PlantedIn, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering

_LISTINGS, _RESERVATIONS = "/api/listings", "/api/reservations"
_RESERVATION = r"/api/reservations/\d+"
_ROWS = "hostaway_mcp/reservations.py"
_YOUNG = """
from datetime import datetime, timedelta, timezone

def young(text):
    return datetime.now(timezone.utc) - datetime.fromisoformat(text) < timedelta(seconds=3)

rows = answer.body.get("reservations", [])
"""


def _sabotage(name: str, breaks: str, *plants: Plant) -> Sabotage:
    return Sabotage(f"answers-{name}", breaks, PlantedIn.STABLE, "of_answers", plants)


SABOTAGES = (
    _sabotage(
        "kept-for-a-moment",
        "details of a reservation are kept for five seconds, though it is changed meanwhile",
        *answering(
            """
            import time
            at, body = kept.get(ask.path, (0.0, None))
            if body and time.monotonic() - at < 5:
                answer.body = body
            else:
                kept[ask.path] = time.monotonic(), answer.body
            """,
            path=_RESERVATION,
        ),
    ),
    _sabotage(
        "late-in-lists",
        "a new reservation is in no list for three seconds",
        *answering(
            _YOUNG
            + """
rows = [row for row in rows if not young(row["created_at"])]
answer.body |= {"reservations": rows, "count": len(rows)}
""",
            path=_RESERVATIONS,
        ),
    ),
    _sabotage(
        "late-in-filters",
        "a reservation that was changed is missing for three seconds where its state is asked for",
        *answering(
            _YOUNG
            + """
rows = [
    row for row in rows if row["updated_at"] == row["created_at"] or not young(row["updated_at"])
]
answer.body |= {"reservations": rows, "count": len(rows)}
""",
            path=_RESERVATIONS,
            query="status=",
        ),
    ),
    _sabotage(
        "change-moves-creation",
        "a change also sets when the reservation was made",
        Edit(
            _ROWS,
            'f" updated_at = now() WHERE',
            'f" created_at = now(), updated_at = now() WHERE',
        ),
    ),
    _sabotage(
        "change-leaves-its-time",
        "a change does not tell that the reservation was touched",
        Edit(_ROWS, 'f" updated_at = now() WHERE', 'f" updated_at = updated_at WHERE'),
    ),
    _sabotage(
        "change-seldom-wrong",
        "one in thirty answers to a change has a cent too much",
        *answering(
            "answer.body['total_cents'] = answer.body.get('total_cents', 0) + 1",
            method="PATCH",
            path=_RESERVATION,
            one_in=30,
        ),
    ),
    _sabotage(
        "new-seldom-wrong",
        "one in thirty new reservations is acknowledged for another listing",
        *answering(
            "answer.body['listing_id'] = answer.body.get('listing_id', 0) + 1",
            method="POST",
            path=_RESERVATIONS,
            one_in=30,
        ),
    ),
    _sabotage(
        "count-seldom-wrong",
        "one in thirty pages after the first counts one row too many",
        *answering(
            "answer.body['count'] = answer.body.get('count', 0) + 1",
            path=_LISTINGS,
            query="offset=[1-9]",
            one_in=30,
        ),
    ),
    _sabotage(
        "page-seldom-shifted",
        "one in thirty pages after the first leaves a row out",
        Edit(
            "hostaway_mcp/paging.py",
            "page.limit, page.offset),",
            'page.limit, page.offset + (page.offset > 0 and __import__("random").random() < 0.03)),',
        ),
    ),
    _sabotage(
        "row-seldom-twice",
        "one in thirty lists has its second row twice, and its third not at all",
        *answering(
            """
            rows = answer.body.get("listings", [])
            if len(rows) > 2:
                rows[2] = rows[1]
            """,
            path=_LISTINGS,
            one_in=30,
        ),
    ),
    _sabotage(
        "city-seldom-mixed",
        "one in ten lists of a city has a row of another",
        *answering(
            """
            for row in answer.body.get("listings", [])[1:2]:
                row["city"] = "Elsewhere"
            """,
            path=_LISTINGS,
            query="city=",
            one_in=10,
        ),
    ),
    _sabotage(
        "seldom-gone",
        "one in thirty details of a reservation says that there is none",
        *answering(
            "answer.status, answer.body = 404, {'error': 'not_found'}",
            path=_RESERVATION,
            one_in=30,
        ),
    ),
    _sabotage(
        "seldom-another-in-lists",
        "one in thirty lists of reservations has a guest of another row",
        *answering(
            """
            rows = answer.body.get("reservations", [])
            if len(rows) > 1:
                rows[-1]["guest_name"] = rows[0]["guest_name"] + "'s friend"
            """,
            path=_RESERVATIONS,
            one_in=30,
        ),
    ),
    Sabotage(
        "answers-of-the-code-that-stays",
        "with the feature off, one in thirty lists of reservations has a cent more in its last row",
        PlantedIn.FAILING,
        "of_answers",
        answering(
            """
            for row in answer.body.get("reservations", [])[-1:]:
                row["total_cents"] = row["total_cents"] + 1
            """,
            path=_RESERVATIONS,
            one_in=30,
            failing=True,
        ),
        procedure=3,
    ),
    Sabotage(
        "answers-one-twice",
        "a reservation that is sent again is made again, under another reference",
        PlantedIn.STABLE,
        "of_repeats",
        (
            Edit(
                _ROWS,
                """        raise Refusal(409, "duplicate_reference", f"{new.reference} exists") from None
""",
                """        new.reference += " again"
        return await make_reservation(request, new)
""",
            ),
        ),
    ),
)
