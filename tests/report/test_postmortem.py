"""The post-mortem: filled with what is known, blank where nobody knows."""

from __future__ import annotations

from pathlib import Path

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.conduct.told import Restored
from rollback_drill.data.told import LedgerRead
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.report.postmortem import document
from rollback_drill.runbook.parse import parse
from rollback_drill.runbook.told import TemplatesRead
from rollback_drill.traffic.told import TrafficSecond

BEGAN = 1_800_000_000.0
RUNBOOK = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
TEMPLATES = TemplatesRead({one.name: one.text for one in RUNBOOK.templates})


def record(*, restored: bool = True) -> list[Event]:
    decided = Decided(
        "rollback", True, "Error Rate >10%", 18, "critical", 1, "", 0, ("n",), 1.5, 150
    )
    found = [
        Event(BEGAN, TEMPLATES),
        Event(BEGAN + 10, FaultInjected("error-rate-critical", "pages fail")),
        Event(
            BEGAN + 11,
            TriggerFired("Error Rate >10%", 18, "critical", "rollback", 1, ("n",)),
        ),
        Event(BEGAN + 12, decided),
        Event(BEGAN + 13, ProcedureChosen(1, "", 300, 600, "diagnosis")),
        *(
            Event(
                BEGAN + second + 1,
                TrafficSecond(int(BEGAN) + second, {"ok": 75, "server_error": 25}, {}, {}, ""),
            )
            for second in range(10, 20)
        ),
        Event(BEGAN + 40, LedgerRead(50, 50, 0, 0)),
    ]
    if restored:
        found.append(Event(BEGAN + 30, Restored(60.0)))
    return sorted(found, key=lambda event: event.at)


def test_what_is_known_is_filled_in() -> None:
    text = document(Book(record()))
    assert "2027-01-15T08:00:11.000Z: errors seen" in text
    assert "2027-01-15T08:00:12.000Z: alert" in text
    assert "2027-01-15T08:00:13.000Z: rollback began" in text
    assert "2027-01-15T08:01:12.000Z: service restored" in text
    assert "Duration: 1.0 minutes (62 s)" in text
    assert "Error rate: 25.0% (250 of 1000 requests)" in text
    assert "None of 50 acknowledged writes was lost" in text


def test_what_nobody_knows_stays_blank() -> None:
    text = document(Book(record(restored=False)))
    assert "- [time]: deployed" in text
    assert "- [time]: service restored" in text
    assert "- Customers: [number]" in text
    assert "- Revenue: [amount]" in text
    assert "- [ ] [test for the cause]" in text


def test_an_empty_record_makes_an_empty_post_mortem() -> None:
    text = document(Book([]))
    assert "- [time]: errors seen" in text
    assert "lost" not in text
