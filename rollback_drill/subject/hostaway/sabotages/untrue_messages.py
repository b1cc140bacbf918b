"""Messages that are written, and say what is not so."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage


def _says(name: str, breaks: str, caught_by: str, old: str, new: str) -> Sabotage:
    plants = (Rewrite(old, new),)
    return Sabotage(f"says-{name}", breaks, PlantedIn.MESSAGES, caught_by, plants)


_MAIL = "A recent release was the cause, and we have taken it back. Data lost: $DATA_LOSS."
SABOTAGES = (
    _says(
        "another-severity",
        "the ticket names another severity than the one that was set",
        "incident_opened",
        "- Severity: $SEVERITY\n- Cause as seen",
        "- Severity: P3\n- Cause as seen",
    ),
    _says(
        "another-incident",
        "the team is told of another incident",
        "team_notified",
        "Lead: $LEAD · Incident: $INCIDENT",
        "Lead: $LEAD · Incident: INC-1",
    ),
    _says(
        "no-reason",
        "the team is not told why",
        "team_notified",
        "Why: $REASON\nSeverity",
        "Why: see the ticket\nSeverity",
    ),
    _says(
        "stakeholders-of-another",
        "stakeholders are told of another incident",
        "stakeholders_told",
        "is being rolled back to v0.0.9 ($INCIDENT, $SEVERITY).",
        "is being rolled back to v0.0.9 (INC-1, P3).",
    ),
    _says(
        "another-end",
        "customers are told that it ended when it began",
        "customers_told",
        "between $START and $END UTC our API",
        "between $START and $START UTC our API",
    ),
    _says(
        "no-impact",
        "customers are told that nobody noticed",
        "customers_told",
        "answered some requests with errors: $IMPACT.",
        "answered as usual, but slowly.",
    ),
    _says(
        "nothing-measured",
        "customers are told of their data what nobody measured",
        "customers_told",
        _MAIL,
        _MAIL.replace("Data lost: $DATA_LOSS", "All data of the last year is safe"),
    ),
    _says(
        "unresolved",
        "the ticket says that the incident is unresolved",
        "ticket_resolved",
        "# $INCIDENT: resolved by rolling back",
        "# $INCIDENT: unresolved by rolling back",
    ),
    _says(
        "another-duration",
        "the ticket says that it lasted two minutes",
        "ticket_resolved",
        "- From $START to $END UTC, $DURATION minutes: $IMPACT",
        "- From $START to $END UTC, 2.5 minutes: $IMPACT",
    ),
    _says(
        "still-unavailable",
        "the status page says in the end that the service is unavailable",
        "status_page",
        "The API works again since $END UTC. We are looking for the cause.",
        "The API is unavailable since $END UTC. We are looking for the cause.",
    ),
    _says(
        "team-of-another-release",
        "the team is told another end than the one that was measured",
        "team_told_the_end",
        "runs on v0.0.9 again since $END UTC, after $DURATION minutes",
        "runs on v0.0.9 again, after some minutes",
    ),
)
