"""A small record of customers who are hit, and what is told of it."""

from __future__ import annotations

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.conduct.told import DrillStarted, Restored
from rollback_drill.decide.told import Decided
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.impact import headlines, impact
from rollback_drill.perform.told import StepEnded, StepStarted
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import LeftAs

T = 1_800_000_000.0
WELL = LeftAs(200, {"host-1": 200}, {"list": 200}, {"host-1": False}, {"host-1": "v1"})
SHUT = LeftAs(
    503,
    {"host-1": 200},
    {"list": 503},
    {"host-1": True},
    {"host-1": "v2"},
    "step 6 “Leave maintenance” (line 231)",
)


def step(title: str, began: float, ended: float, verdict: Verdict = Verdict.PASSED) -> list[Event]:
    """A step from `began` to `ended` seconds after the start of the record."""
    return [
        Event(T + began, StepStarted("Procedure 1", 1, title, 30, 0, 7)),
        Event(
            T + ended,
            StepEnded("Procedure 1", 1, title, 30, ended - began, verdict, "", ""),
        ),
    ]


def second(at: int, good: int, unhappy: str = "0", **bad: int) -> Event:
    outcomes = {"ok": good, **bad}
    return Event(T + at + 1, TrafficSecond(int(T) + at, outcomes, {}, {}, "", unhappy))


def drill(*more: Event, restored_after_s: float | None = 6.0) -> list[Event]:
    """Broken from second 10, decided in second 12, maintenance from 13 to 17, then well."""
    started = DrillStarted(
        "processes",
        "",
        ("host-1",),
        "v2",
        "v1",
        "leak",
        "auto",
        "r.md",
        "ab",
        "R",
        60,
        100,
        1,
        clients=50,
    )
    decided = Decided("rollback", True, "Error Rate >10%", 3, "critical", 1, "", 0, (), 2.0, 200)
    record = [
        Event(T, started),
        *(second(at, 100) for at in range(10)),
        Event(T + 10, FaultInjected("leak", "on")),
        *(second(at, 60, "3", server_error=40) for at in range(10, 13)),
        Event(T + 12, decided),
        *step("Enter maintenance", 13, 14),
        *(second(at, 0, "7", unavailable=100) for at in range(13, 17)),
        *step("Leave maintenance", 16, 17),
        *(second(at, 100) for at in range(17, 30)),
        *more,
    ]
    if restored_after_s is not None:
        record.append(Event(T + 29, Restored(restored_after_s)))
    return sorted(record, key=lambda event: event.at)


def told(record: list[Event]) -> list[str]:
    return headlines(impact(Book(record)))
