"""Triggers that nobody can watch for any more, or that come too late."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage

# By name: what it says, and what it says then.
_REWORDED = {
    "corruption": (
        "Data Corruption**: records are damaged or acknowledged writes are gone",
        "Bad Feeling**: something is not as it was",
    ),
    "breach": (
        "Security Breach**: requests pass without authentication, or data is shown to the wrong people",
        "Bad Guests**: somebody is where he should not be",
    ),
    "outage": (
        "Complete Service Failure**: the API is unavailable to everybody for >5 minutes",
        "Bad Day**: nothing goes right",
    ),
    "incident": (
        "P0 Incident**: several customers cannot do their business",
        "Bad News**: somebody important is not amused",
    ),
    "leak": (
        "Memory Leak**: the service is killed for memory (OOM) again and again",
        "Bad Habit**: it eats too much",
    ),
    "escalations": (
        "Customer Escalations**: several urgent tickets about the API",
        "Bad Press**: people talk about us",
    ),
    "monitoring": (
        "Monitoring Failure**: the health of the system can no longer be seen",
        "Bad Weather**: nobody knows what comes",
    ),
    "feature": (
        "Feature Broken**: pages repeat, skip or never end while everything else works",
        "Bad Taste**: it is not what was hoped for",
    ),
    "adoption": (
        "Low Adoption**: <5% of list requests use cursors 24 hours after the release",
        "Bad Name**: nobody likes it",
    ),
}


def _reworded(name: str, old: str, new: str) -> Sabotage:
    return Sabotage(
        f"trigger-{name}-unwatched",
        f"nobody can watch for the trigger that says “{new.replace('**', '')}”",
        PlantedIn.RUNBOOK,
        f"of_triggers: Trigger “{new.partition('**')[0]}”",
        (Rewrite(old, new),),
    )


def _numbers(name: str, breaks: str, fault: str, *rewrites: tuple[str, str]) -> Sabotage:
    plants = tuple(Rewrite(old, new) for old, new in rewrites)
    return Sabotage(
        f"trigger-{name}", breaks, PlantedIn.RUNBOOK, "of_rollback", plants, fault=fault
    )


SABOTAGES = (
    *(_reworded(name, *words) for name, words in _REWORDED.items()),
    _numbers(
        "errors-too-late",
        "the error rate must be four times as high before anybody acts",
        "error-rate-critical",
        (
            "**Error Rate >10%**: more than one request in ten fails",
            "**Error Rate >60%**: more than six requests in ten fail",
        ),
    ),
    _numbers(
        "slowness-too-late",
        "answers may take fifty times as long before anybody acts",
        "slow-pages-5x",
        (
            "**Performance Degradation >3x**: answers take more than three times as long",
            "**Performance Degradation >50x**: answers take more than fifty times as long",
        ),
    ),
    Sabotage(
        "trigger-outage-too-late",
        "nobody may be served for an hour before anybody acts",
        PlantedIn.RUNBOOK,
        "of_document: Runbook, comes-too-late",
        (
            Rewrite(
                "unavailable to everybody for >5 minutes",
                "unavailable to everybody for >90 minutes",
            ),
        ),
        fault="frozen-service",
    ),
)
