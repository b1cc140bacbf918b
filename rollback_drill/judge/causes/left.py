"""In what state the drill left the service and its stage."""

from __future__ import annotations

from rollback_drill.breaks.told import HealAttested
from rollback_drill.conduct.told import Restored
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.record.book import Record
from rollback_drill.watch.told import LeftAs, flaws


def of_healing(record: Record) -> list[Cause]:
    """A fault that is still there is left behind for the next who uses the stage."""
    healed = record.last(HealAttested)
    if healed is None or healed.gone:
        return []
    what = "it is still there after it was healed"
    advice = "heal it by hand, and mend the script that should have"
    return [Cause(Verdict.FAILED, f"Fault {healed.name}", what, healed.evidence, advice)]


def of_service(record: Record) -> list[Cause]:
    """A service that was seen to be restored, and was not well any more when the drill stopped."""
    bad = flaws(record.last(LeftAs))
    if record.last(Restored) is None or not bad:
        return []
    return [Cause(Verdict.FAILED, "Service", f"it was not left restored: {', '.join(bad)}")]
