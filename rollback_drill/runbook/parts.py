"""What a runbook is made of beside what a drill verifies, by names that another wording keeps.

Who loses a heading, a row or a label loses no line that looks like a mistake: a step is a part of
the one before it then, a trigger one of the tier above, an alternative what is always done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.runbook.model import Procedure, Runbook

_NUMBERS = re.compile(r"\s*[<>≥≤=~]*\s*\d.*")


def parts(runbook: Runbook) -> Iterator[str]:
    """Yield a name for each trigger with its tier, authority, step, alternative of a step, use and
    loss of a procedure, scenario, template, contact, and what people have to do afterwards.
    """
    for trigger in runbook.triggers:
        yield f"trigger, {trigger.severity}: {_NUMBERS.sub('', trigger.name)}"
    for authority in runbook.authority:
        yield f"authority: {authority.severity}"
    for procedure in runbook.procedures:
        yield from _of_procedure(procedure)
    for scenario in runbook.scenarios:
        yield f"scenario {scenario.number}"
    for template in runbook.templates:
        yield f"template: {template.name}"
    for contact in runbook.contacts:
        yield f"contact: {contact.role}"
    said_elsewhere = {one.line for one in runbook.assumed}
    if any(row.line not in said_elsewhere for row in runbook.matrix):
        yield "a decision matrix of its own"
    for checklist in runbook.post_rollback:
        for box in checklist.checkboxes if not checklist.blocks else ():
            yield f"{checklist.title}: {box.text.partition(':')[0]}"


def _of_procedure(procedure: Procedure) -> Iterator[str]:
    name = f"Procedure {procedure.number}"
    if procedure.use_when:
        yield f"{name}: when to use it"
    yield from (f"{name}: drops {one}" for one in procedure.dropped)
    yield from (f"{name}: transforms {one}" for one in procedure.transformed)
    for step in procedure.steps:
        yield f"{name}, step {step.number}"
        if any(block.fallback for block in step.blocks):
            yield f"{name}, step {step.number}: an alternative"
