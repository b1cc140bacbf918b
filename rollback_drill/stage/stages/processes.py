"""Plain processes of this machine: the way that is always there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import stage_kind
from rollback_drill.stage.supervision import SUPERVISORD


@stage_kind
class Processes:
    """See stage.opening.StageKind."""

    name = "processes"
    turn = 2
    because = "it is always there"

    def refusal(self) -> UsageError | None:
        """See StageKind.refusal."""
        return None

    def check_options(self, options: StageOptions) -> None:
        """See Picky.check_options."""
        if options.hosts != 1:
            raise UsageError("HOSTS=1 on this stage", str(options.hosts), "use HOSTS=1")
        if options.supervisor != SUPERVISORD.name:
            raise UsageError(
                f"SUPERVISOR={SUPERVISORD.name} on this stage",
                repr(options.supervisor),
                "use STAGE=containers: systemd has to be process 1",
            )

    def open(self, options: StageOptions, reason: str, progress: Callable[[str], None]) -> Stage:
        """See StageKind.open."""
        from rollback_drill.stage.processes import ProcessStage

        return ProcessStage(options, reason, progress)

    def attach(self, where: str, progress: Callable[[str], None]) -> Stage:
        """See Attaches.attach."""
        from rollback_drill.stage.processes import ProcessStage

        return ProcessStage.attach(Path(where), progress)
