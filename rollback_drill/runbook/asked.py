"""What a drill asks of a runbook: has it such a procedure, may these roles?"""

from __future__ import annotations

from collections.abc import Sequence

from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.authority import check_roles
from rollback_drill.runbook.model import Runbook


def check_asked(runbook: Runbook, procedure: str, roles: Sequence[str]) -> None:
    """Raise UsageError when `procedure` ("auto", or a number) is none of `runbook` that rolls back,
    or when one of `roles` is none of its table.
    """
    numbers = [str(one.number) for one in runbook.procedures]
    if procedure not in ("auto", *numbers):
        raise UsageError(
            f"PROCEDURE: auto, {', '.join(numbers)}",
            repr(procedure),
            f"these are the procedures of {runbook.path}",
        )
    again = runbook.redeployment
    if again and procedure == str(again.number):
        raise UsageError(
            "a procedure that rolls back",
            f"Procedure {again.number}, which deploys again",
            "use PROCEDURE=2 ROUND_TRIP=1",
        )
    check_roles(runbook.authority, roles)
