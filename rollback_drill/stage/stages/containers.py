"""Containers: the way that is taken wherever an engine answers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.util import find_spec

from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.model import Stage, StageOptions
from rollback_drill.stage.opening import stage_kind


@functools.cache
def containers_problem() -> str:
    """Return why the container stage cannot be had here, "" when it can."""
    for name in ("docker", "testcontainers"):
        if find_spec(name) is None:
            return f"the package {name} is not installed (rollback-drill[containers])"
    from rollback_drill.stage.engine import engine_problem
    from rollback_drill.stage.images import base_problem

    return engine_problem() or base_problem()


@stage_kind
class Containers:
    """See stage.opening.StageKind."""

    name = "containers"
    turn = 1
    because = "a container engine answers"

    def refusal(self) -> UsageError | None:
        """See StageKind.refusal."""
        problem = containers_problem()
        if not problem:
            return None
        return UsageError(
            "a container engine and its base image for STAGE=containers",
            problem,
            "start the engine (DOCKER_HOST names it), install what lacks, or use STAGE=processes",
        )

    def open(self, options: StageOptions, reason: str, progress: Callable[[str], None]) -> Stage:
        """See StageKind.open."""
        from rollback_drill.stage.containers import ContainerStage

        return ContainerStage(options, reason, progress)
