"""What a drill is held with."""

from __future__ import annotations

from dataclasses import dataclass

from rollback_drill.breaks.fault import Fault
from rollback_drill.conduct.guard import Guard
from rollback_drill.conduct.progress import Progress
from rollback_drill.conduct.request import Request
from rollback_drill.data.accounting import Accounting
from rollback_drill.perform.messages import Courier
from rollback_drill.perform.performer import Performer
from rollback_drill.record.timeline import Timeline
from rollback_drill.runbook.model import Runbook
from rollback_drill.stage.model import Stage
from rollback_drill.traffic.live import Traffic


@dataclass(frozen=True, slots=True)
class Rig:
    """What a drill is held with. `rate`: requests per second of its traffic; `webhook`: the URL to
    which people report, with the `token` that it wants.
    """

    request: Request
    rate: float
    runbook: Runbook
    stage: Stage
    fault: Fault
    timeline: Timeline
    traffic: Traffic
    webhook: str
    token: str
    performer: Performer
    accounts: Accounting
    courier: Courier
    guard: Guard
    progress: Progress | None
