"""The stable release answers, and what it answers is wrong."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Sabotage
from rollback_drill.subject.hostaway.wrapping import answering

SABOTAGES = (
    Sabotage(
        "reservations-fail",
        "lists of reservations are answered with 500",
        PlantedIn.STABLE,
        "endpoints_functional",
        answering("answer.status = 500", path="/api/reservations", inside=True),
    ),
)
