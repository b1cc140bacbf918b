"""Plain processes of this machine: the way that is always there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import stage_kind


@stage_kind
class Processes:
    """See stage.opening.StageKind."""

    name = "processes"
    turn = 2
    because = "it is always there"

    def refusal(self) -> UsageError | None:
        """See StageKind.refusal."""
        return None

    def open(self, options: StageOptions, reason: str, progress: Callable[[str], None]) -> Stage:
        """See StageKind.open."""
        from rollback_drill.stage.processes import ProcessStage

        return ProcessStage(options, reason, progress)

    def attach(self, where: str, progress: Callable[[str], None]) -> Stage:
        """See Attaches.attach."""
        from rollback_drill.stage.processes import ProcessStage

        return ProcessStage.attach(Path(where), progress)
