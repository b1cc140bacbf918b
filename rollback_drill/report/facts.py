"""What messages after a rollback may say: measured, or not said at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.data.paths import data_loss
from rollback_drill.data.told import LedgerRead
from rollback_drill.judge.impact import impact
from rollback_drill.record.book import Record
from rollback_drill.record.timeline import Event


def facts_after(record: Iterable[Event]) -> dict[str, str]:
    """Return the variables of the runbook's closing messages, from what was recorded so far.

    START and END in UTC, DURATION in minutes, ENDPOINTS that failed, DATA_LOSS. What nobody
    measured is left out, so that a message that needs it cannot be written: `set -u` sees to it.
    """
    seen = Record(record)
    facts: dict[str, str] = {}
    onset = next((event.at for event in seen.timed(FaultInjected)), None)
    suffered = impact(seen)
    if onset is not None and suffered is not None and suffered.restored:
        facts["START"], facts["END"] = _clock(onset), _clock(onset + suffered.hit_s)
        facts["DURATION"] = f"{suffered.hit_s / 60:.1f}"
        if suffered.requests:
            facts["IMPACT"] = suffered.told()
    ledger = seen.last(LedgerRead)
    if ledger is not None:
        facts["DATA_LOSS"] = data_loss(ledger)
    return facts


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")
