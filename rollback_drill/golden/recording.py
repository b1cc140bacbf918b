"""Records a golden set where the suite does not bring the stable release up itself."""

from __future__ import annotations

import shlex
from dataclasses import replace

from rollback_drill.ground.clock import iso, now
from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.contracting import record_contract
from rollback_drill.stage.host import look
from rollback_drill.stage.questioning import record_golden
from rollback_drill.stage.staging import StagingStage
from rollback_drill.subject.documents import Contract, Documented
from rollback_drill.subject.questions import Asks, GoldenSet

_LIMIT_S = 30.0


def record_on(stage: StagingStage, seed: int) -> GoldenSet:
    """Ask the stable release through the front door of `stage`, within its limits; nothing is
    deployed. Raises UsageError when another one is deployed, StageError.
    """
    subject = stage.subject
    if not isinstance(subject, Asks):
        raise UsageError(
            "a service that can be asked for a golden set",
            f"{subject.name!r}",
            "give its subject the method `questions`",
        )
    is_there = (
        f"git describe --tags --always; "
        f'[ "$(git rev-parse HEAD)" = "$(git rev-parse {shlex.quote(stage.stable)}^{{commit}})" ]'
    )
    for host in stage.hosts:
        found = look(host, is_there, limit_s=_LIMIT_S)
        if not found.ok:
            raise UsageError(
                f"{stage.stable}, the stable release, deployed on {host.name}",
                found.stdout.strip() or found.stderr.strip()[-200:] or "no release",
                "record a golden set before the upgrade, or after a rollback that held",
            )
    limits = stage.limits
    source = f"what {stage.stable} answered on {stage.name}, {iso(now())}"
    pause_s = 1 / limits.rate if limits else 0.0
    url = stage.base_url
    golden = record_golden(subject, stage, url, stage.stable, seed, source, pause_s)
    if stage.no_document or not isinstance(subject, Documented):
        return replace(golden, contract=Contract(why=stage.no_document))
    contract = record_contract(subject, stage, url, seed, writes=False, pause_s=pause_s)
    return replace(golden, contract=contract)
