"""Whoever was turned away for maintenance stays so until the step that lets clients in."""

from __future__ import annotations

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.judges.maintenance import of_maintenance
from rollback_drill.perform.told import Checked, StepStarted
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded, PhaseName, PhaseStarted
from rollback_drill.traffic.told import TrafficSecond

T = 1_000_000


def box(check: str, verdict: Verdict = Verdict.PASSED) -> Checked:
    return Checked("Procedure 1", 1, check, 1, check, verdict, "seen")


def begins(title: str) -> StepStarted:
    return StepStarted("Procedure 1", 1, title, 60.0, 0.0, 1)


ENTERS = [(1.0, begins("Enter maintenance")), (2.5, box("traffic_stopped"))]
LEAVES = [(8.0, begins("Leave maintenance")), (9.5, box("traffic_flows"))]


@pytest.mark.parametrize(
    ("events", "served", "told"),
    [
        ([*ENTERS, *LEAVES], (0, 1, 2, 8, 9), ""),
        ([*ENTERS, *LEAVES], (4, 5), "14 requests were answered from 2 s after"),
        ([*ENTERS, *LEAVES], (3,), "7 requests were answered from 0 s after"),
        ([*ENTERS, *LEAVES], (7,), "7 requests were answered from 4 s after"),
        ([*ENTERS, (6.0, begins("Restart")), (7.5, box("traffic_flows"))], (6, 7), ""),
        ([*ENTERS, (6.0, begins("Restart")), (7.5, box("maintenance_disabled"))], (5,), "7 requests"),
        ([*ENTERS, (6.0, begins("Restart"))], (5,), ""),  # when they come back nobody says
        ([(2.5, box("traffic_stopped", Verdict.FAILED)), *LEAVES], (4, 5), ""),
        (LEAVES, (4, 5), ""),
        # Another drill goes on, whose clients are let in where the first one was killed.
        ([*ENTERS, (3.0, PhaseStarted(PhaseName.SETUP)), *LEAVES], (5,), ""),
    ],
)  # fmt: skip
def test_nobody_is_served_between(
    events: list[tuple[float, object]], served: tuple[int, ...], told: str
) -> None:
    record = [(0.0, PhaseStarted(PhaseName.SETUP)), *events, (99.0, DrillEnded())]
    for second in range(10):
        outcomes = {"ok": 7, "unavailable": 3} if second in served else {"unavailable": 10}
        record.append((second + 1.0, TrafficSecond(T + second, outcomes, {}, {}, "")))
    book = Book(Event(T + at, what) for at, what in sorted(record, key=lambda one: one[0]))  # type: ignore[arg-type]
    causes = of_maintenance(book)
    assert "; ".join(one.what for one in causes).startswith(told) if told else causes == []
    assert {one.verdict for one in causes} <= {Verdict.FAILED}
