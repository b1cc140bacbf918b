"""What becomes of a reservation that is made, changed and read."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import Plant, PlantedIn, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering

_ROW = r"/api/reservations/\d+"


def _sabotage(name: str, breaks: str, *plants: Plant) -> Sabotage:
    return Sabotage(name, breaks, PlantedIn.STABLE, "database_queries", plants)


SABOTAGES = (
    _sabotage(
        "life-details-as-at-first",
        "details stay what they were when they were read first",
        *answering("answer.body = kept.setdefault(ask.path, answer.body)", path=_ROW),
    ),
    _sabotage(
        "life-change-answered-with-the-old",
        "the answer to a change has the old total",
        *answering("answer.body['total_cents'] = 12345", method="PATCH", path=_ROW),
    ),
    _sabotage(
        "life-change-changes-more",
        "a reservation that was changed has another guest",
        *answering(
            """
            if ask.method == "PATCH":
                kept[ask.path] = True
            elif ask.path in kept:
                answer.body["guest_name"] = "Somebody"
            """,
            method="GET|PATCH",
            path=_ROW,
        ),
    ),
    _sabotage(
        "life-made-otherwise",
        "a new reservation is acknowledged with a day less",
        *answering(
            "answer.body['check_out'] = answer.body.get('check_in')",
            method="POST",
            path="/api/reservations",
        ),
    ),
)
