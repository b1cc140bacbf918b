"""Where drills happen: one module per stage."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.names import no_such
from rollback_drill.stage.containers import ContainerStage
from rollback_drill.stage.engine import engine_problem
from rollback_drill.stage.file import read as read_staging
from rollback_drill.stage.images import base_problem
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.processes import ProcessStage
from rollback_drill.stage.staging import StagingStage

__all__ = ["NAMES", "attach_stage", "containers_problem", "open_stage"]

NAMES = ("auto", "containers", "processes")

Progress = Callable[[str], None]


@functools.cache
def containers_problem() -> str:
    """Return why the container stage cannot be had here, "" when it can."""
    return engine_problem() or base_problem()


def open_stage(name: str, options: StageOptions, progress: Progress) -> Stage:
    """Return the stage called `name`, not yet brought up; `auto`: containers where they can be had.

    A name that ends in ".toml" is the file of a staging environment.

    Raises UsageError for another name, and for containers where no engine answers.
    """
    if name.endswith(".toml"):
        return StagingStage(read_staging(Path(name)), progress)
    if name not in NAMES:
        raise no_such("STAGE", name, (*NAMES, "FILE.toml"), "use STAGE=auto")
    if name == "processes":
        return ProcessStage(options, "asked for", progress)
    problem = containers_problem()
    if not problem:
        reason = "asked for" if name == "containers" else "a container engine answers"
        return ContainerStage(options, reason, progress)
    if name == "containers":
        raise UsageError(
            "a container engine and its base image for STAGE=containers",
            problem,
            "start the engine (DOCKER_HOST names it), install what lacks, or use STAGE=processes",
        )
    return ProcessStage(options, problem, progress)


def attach_stage(where: str, progress: Progress) -> Stage:
    """Return the stage that a dead drill noted as `where`; entering it takes it over as it is.

    Raises UsageError when it is gone.
    """
    if where.endswith(".toml"):
        return StagingStage(read_staging(Path(where)), progress, attach=True)
    return ProcessStage.attach(Path(where), progress)
