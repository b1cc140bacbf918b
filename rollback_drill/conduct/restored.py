"""Which release a procedure leaves behind."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.conduct.rig import Rig
from rollback_drill.runbook.model import Procedure


def brings_back_stable(rig: Rig, procedure: Procedure) -> bool:
    """Whether `procedure` deploys the stable release, by what its blocks say."""
    if procedure is rig.runbook.redeployment:
        return False
    return any(rig.stage.stable in script for script in _scripts(procedure))


def _scripts(procedure: Procedure) -> Iterator[str]:
    for step in procedure.steps:
        for block in step.blocks:
            yield from (one.script for one in block.alternatives)
