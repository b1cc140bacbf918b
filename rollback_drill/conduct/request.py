"""What the user asked of one drill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from rollback_drill.ground.options import (
    AUTHORIZED_BY,
    CHANNELS,
    FAULT,
    GOLDEN,
    HAZARD,
    HISTORY,
    MODE,
    PACE,
    PROCEDURE,
    RATE,
    ROUND_TRIP,
    SEED,
    STAGE,
)
from rollback_drill.runbook import authority
from rollback_drill.stage.model import StageOptions


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. `rate` in requests per second, None for what is usual on the stage;
    `pace` divides the waits.
    """

    runbook: Path
    report: Path
    stage: str = STAGE.value
    fault: str = FAULT.value
    procedure: str = PROCEDURE.value
    pace: float = PACE.value
    rate: float | None = RATE.value
    seed: int = SEED.value
    options: StageOptions = field(default_factory=StageOptions)
    lead: str = "drill"
    hazard: str = HAZARD.value
    round_trip: bool = ROUND_TRIP.value
    mode: str = MODE.value  # or "operator": a person performs the runbook
    history: Path | None = HISTORY.value  # the file with earlier drills
    channels: Path | None = CHANNELS.value  # the file that says where messages go
    golden: Path | None = GOLDEN.value  # answers of a healthy day; none: the stage's own
    authorized_by: tuple[str, ...] = ()  # roles; none: whoever the runbook's table names
    sabotages: tuple[str, ...] = ()  # names of what is planted, see breaks.sabotage

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Request:
        """Return the request that the options of `drill` make, by the names of their fields.

        What of the stage was left open is as it usually is.
        """
        given = {one.name: asked[one.name] for one in fields(cls) if one.name in asked}
        of_stage = (one.name for one in fields(StageOptions) if asked.get(one.name, "") != "")
        given["options"] = StageOptions(**{name: asked[name] for name in of_stage})
        return cls(**given | {"authorized_by": authority.roles_of(asked[AUTHORIZED_BY.field])})
