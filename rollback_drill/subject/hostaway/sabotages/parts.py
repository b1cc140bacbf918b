"""A heading, a row or a label of the runbook is gone, and what stood below it is another's now."""

from __future__ import annotations

from rollback_drill.breaks.sabotage import PlantedIn, Rewrite, Sabotage


def _gone(name: str, breaks: str, line: str, part: str, procedure: int = 1) -> Sabotage:
    return Sabotage(
        f"part-{name}",
        breaks,
        PlantedIn.RUNBOOK,
        f"of_document: Runbook, gone {part}",
        (Rewrite(f"{line}\n", ""),),
        procedure=procedure,
    )


SABOTAGES = (
    _gone(
        "high-tier",
        "triggers of the second tier stand under the first",
        "### High priority: roll back within 1 hour",
        "trigger, high: Memory Leak",
    ),
    _gone(
        "medium-tier",
        "triggers of the third tier stand under the second",
        "### Medium priority: consider a rollback",
        "trigger, medium: Low Adoption",
    ),
    _gone(
        "trigger",
        "one trigger is gone",
        "- **Memory Leak**: the service is killed for memory (OOM) again and again",
        "trigger, high: Memory Leak",
    ),
    _gone(
        "authority",
        "nobody says who may decide at the second severity",
        "| P1 (High) | Engineering Lead or above |",
        "authority: P1 (High)",
    ),
    _gone(
        "last-step",
        "the last step is a part of the one before it, without a budget of its own",
        "#### Step 2: Verify that the feature is off (1 minute)",
        "Procedure 3, step 2",
        procedure=3,
    ),
    _gone(
        "alternative",
        "what was to be done only if the downgrade fails is always done",
        "**Alternative: restore from the safety backup (if the downgrade fails)**",
        "Procedure 2, step 4: an alternative",
        procedure=2,
    ),
    _gone(
        "scenario",
        "a scenario is gone, and its symptom is the one before's",
        "### Scenario 3: Memory leak",
        "scenario 3",
    ),
    _gone(
        "follow-up",
        "what people have to do within a day is due at once",
        "### Within 24 hours",
        "Within 24 hours: Root cause",
    ),
)
