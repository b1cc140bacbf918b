"""What the user asked of one drill."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.names import no_such
from rollback_drill.runbook import authority
from rollback_drill.runbook.model import Runbook
from rollback_drill.stage.model import StageOptions

MODES = ("automatic", "operator")


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. `rate` in requests per second; `pace` divides the waits."""

    runbook: Path
    report: Path
    stage: str = "auto"
    fault: str = "connection-exhaustion"
    procedure: str = "auto"
    pace: float = 60.0
    rate: float = 100.0
    seed: int = 1
    options: StageOptions = field(default_factory=StageOptions)
    lead: str = "drill"
    hazard: str = "none"
    round_trip: bool = False
    mode: str = "automatic"  # or "operator": a person performs the runbook
    history: Path | None = None  # the file with earlier drills
    channels: Path | None = None  # the file that says where messages go
    authorized_by: tuple[str, ...] = ()  # roles; none: whoever the runbook's table names
    literal: bool = False  # press on after steps that fail, and look at what they leave behind


def check_request(request: Request, runbook: Runbook) -> None:
    """Raise UsageError when `request` asks for what `runbook` does not have."""
    numbers = [str(procedure.number) for procedure in runbook.procedures]
    if request.procedure not in ("auto", *numbers):
        raise UsageError(
            f"PROCEDURE: auto, {', '.join(numbers)}",
            repr(request.procedure),
            f"these are the procedures of {request.runbook}",
        )
    if request.mode not in MODES:
        raise no_such("MODE", request.mode, MODES, "leave MODE out")
    again = runbook.redeployment
    if again and request.procedure == str(again.number):
        raise UsageError(
            "a procedure that rolls back", f"Procedure {again.number}, which deploys again",
            "use PROCEDURE=2 ROUND_TRIP=1",
        )  # fmt: skip
    authority.check_roles(runbook.authority, request.authorized_by)
