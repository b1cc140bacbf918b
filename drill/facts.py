"""What messages after a rollback may say: measured, or not said at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from drill import events
from drill.observation import Outcome
from drill.timeline import Event


def facts_after(record: Iterable[Event]) -> dict[str, str]:
    """Return the variables of the runbook's closing messages, from what was recorded so far.

    START and END in UTC, DURATION in minutes, ENDPOINTS that failed, DATA_LOSS. What nobody
    measured is left out, so that a message that needs it cannot be written: `set -u` sees to it.
    """
    onset: float | None = None
    decided: float | None = None
    restored: float | None = None
    ledger: events.LedgerRead | None = None
    seconds: list[events.TrafficSecond] = []
    for event in record:
        match event.what:
            case events.FaultInjected():
                onset = event.at
            case events.Decided():
                decided = event.at
            case events.Restored(after_s=after) if decided is not None and restored is None:
                restored = decided + after
            case events.LedgerRead() as ledger:
                pass
            case events.TrafficSecond() as second:
                seconds.append(second)
    facts: dict[str, str] = {}
    if onset is not None and restored is not None:
        facts["START"], facts["END"] = _clock(onset), _clock(restored)
        facts["DURATION"] = f"{(restored - onset) / 60:.1f}"
        between = [one for one in seconds if int(onset) <= one.second <= restored]
        sent = sum(sum(one.outcomes.values()) for one in between)
        failed = sent - sum(one.outcomes.get(Outcome.OK, 0) for one in between)
        if sent:
            facts["IMPACT"] = f"{failed} of {sent} requests failed ({failed / sent:.0%})"
    if ledger is not None:
        facts["DATA_LOSS"] = data_loss(ledger)
    return facts


def data_loss(ledger: events.LedgerRead) -> str:
    """Return what became of acknowledged writes, in words for customers."""
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
