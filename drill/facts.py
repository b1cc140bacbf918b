"""What messages after a rollback may say: measured, or not said at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from drill import events
from drill.impact import impact
from drill.paths import NO_WRITES
from drill.record import Record
from drill.timeline import Event


def facts_after(record: Iterable[Event]) -> dict[str, str]:
    """Return the variables of the runbook's closing messages, from what was recorded so far.

    START and END in UTC, DURATION in minutes, ENDPOINTS that failed, DATA_LOSS. What nobody
    measured is left out, so that a message that needs it cannot be written: `set -u` sees to it.
    """
    seen = Record(record)
    facts: dict[str, str] = {}
    onset = next((event.at for event in seen.timed(events.FaultInjected)), None)
    suffered = impact(seen)
    if onset is not None and suffered is not None and suffered.restored:
        facts["START"], facts["END"] = _clock(onset), _clock(onset + suffered.hit_s)
        facts["DURATION"] = f"{suffered.hit_s / 60:.1f}"
        if suffered.requests:
            facts["IMPACT"] = suffered.told()
    ledger = seen.last(events.LedgerRead)
    if ledger is not None:
        facts["DATA_LOSS"] = data_loss(ledger)
    return facts


def data_loss(ledger: events.Fates) -> str:
    """Return what became of acknowledged writes, in words for customers."""
    if not ledger.acknowledged:
        return NO_WRITES
    told = []
    if ledger.lost:
        told.append(f"{ledger.lost} of {ledger.acknowledged} confirmed changes")
    if ledger.damaged:
        told.append(f"{ledger.damaged} confirmed changes were damaged before the rollback")
    text = "; ".join(told) or "none"
    if ledger.dropped:
        text += (
            f" ({ledger.dropped} confirmed changes hold what only the withdrawn release knows: "
            "it is kept in an archive)"
        )
    return text


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")
