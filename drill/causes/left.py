"""In what state the drill left the service and its stage."""

from __future__ import annotations

from drill import events
from drill.causes.cause import Cause
from drill.impact import flaws
from drill.record import Record
from drill.verdict import Verdict


def of_healing(record: Record) -> list[Cause]:
    """A fault that is still there is left behind for the next who uses the stage."""
    healed = record.last(events.HealAttested)
    if healed is None or healed.gone:
        return []
    what = "it is still there after it was healed"
    advice = "heal it by hand, and mend the script that should have"
    return [Cause(Verdict.FAILED, f"Fault {healed.name}", what, healed.evidence, advice)]


def of_service(record: Record) -> list[Cause]:
    """A service that was seen to be restored, and was not well any more when the drill stopped."""
    bad = flaws(record.last(events.LeftAs))
    if record.last(events.Restored) is None or not bad:
        return []
    return [Cause(Verdict.FAILED, "Service", f"it was not left restored: {', '.join(bad)}")]
