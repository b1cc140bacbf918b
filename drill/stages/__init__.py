"""Where drills happen: one module per stage."""

from __future__ import annotations

from collections.abc import Callable

from drill.errors import UsageError
from drill.stage import Stage, StageOptions
from drill.stages.processes import ProcessStage

NAMES = ("auto", "processes")


def open_stage(name: str, options: StageOptions, progress: Callable[[str], None]) -> Stage:
    """Return the stage called `name`, not yet brought up. Raises UsageError for another name."""
    if name not in NAMES:
        raise UsageError(f"STAGE: {', '.join(NAMES)}", repr(name), "use STAGE=auto")
    reason = "asked for" if name != "auto" else "plain processes, the only stage so far"
    return ProcessStage(options, reason, progress)
