"""The record of a drill in which everything held, as small as one can be; and ways to change it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from rollback_drill.breaks.told import FaultAttested, FaultHealed, FaultInjected
from rollback_drill.conduct.told import DrillStarted, Restored, StageUp
from rollback_drill.data.told import LedgerRead, PathRead
from rollback_drill.decide.told import Decided, TriggerFired, TriggersRead
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import (
    Checked,
    CommandEnded,
    CommandOutput,
    CommandStarted,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded, PhaseName, PhaseStarted, Told
from rollback_drill.runbook.told import RunbookRead
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.told import GeneratorSample, TrafficSecond
from rollback_drill.watch.told import LeftAs, ProbeSample

T = 1_000_000.0
RATE = 100
Record = list[Event]
Change = Callable[[Record], Record]


def good() -> Record:
    """A drill in which everything held: two events a second, and their traffic."""
    return _recorded(list(_told()))


def _recorded(payloads: list[Told]) -> Record:
    record = [Event(T + number / 2, what) for number, what in enumerate(payloads)]
    return counted([*record[:-1], *_watched(record[-1].at), record[-1]])


def _told() -> Iterator[Told]:
    yield DrillStarted(
        "processes",
        "asked for",
        ("host-1",),
        "v2",
        "v1",
        "leak",
        "auto",
        "r.md",
        "ab",
        "R",
        60,
        RATE,
        1,
        promises={"RunbookRead": 1},
    )
    yield RunbookRead()
    yield TriggersRead(("Error Rate >10%",))
    yield PhaseStarted(PhaseName.SETUP)
    yield StageUp("")
    yield PhaseStarted(PhaseName.STEADY)
    yield PhaseStarted(PhaseName.FAULT)
    yield FaultInjected("leak", "switched on")
    yield FaultAttested("leak", "kills", True, "1 kill")
    yield TriggerFired("Error Rate >10%", 3, "critical", "rollback", 1.5, ("n",))
    yield Decided(
        "rollback", True, "Error Rate >10%", 3, "critical", 1, "leak", 3, ("n",), 1.5, 150
    )
    yield PhaseStarted(PhaseName.PREPARATION)
    yield from _part("Preparation", 0, "Preparation", "The team knows", command=1)
    yield PhaseStarted(PhaseName.ROLLBACK)
    yield ProcedureChosen(
        1,
        "Application",
        300,
        600,
        "diagnosis",
        step_titles=("Enter",),
        step_budgets_s=(30.0,),
        step_numbers=(1,),
        promises={"PathRead": 1},
    )
    yield from _part("Procedure 1", 1, "Enter", "Maintenance is on", command=2)
    yield PathRead(9, 9, 0, 0, procedure=1)
    yield PhaseStarted(PhaseName.VERIFICATION)
    yield from _part("Final verification", 0, "Checklist", "Lists come", command=3)
    yield Restored(9.0)
    yield PhaseStarted(PhaseName.TEARDOWN)
    yield FaultHealed("leak")
    yield LeftAs(200, {"host-1": 200}, {"list": 200}, {"host-1": False}, {"host-1": "v1"})
    yield LedgerRead(10, 10, 0, 0)
    yield DrillEnded()


def _part(section: str, number: int, title: str, box: str, command: int) -> list[Told]:
    return [
        StepStarted(section, number, title, 30.0, 0.0, 5, ((9, box),), 1),
        CommandStarted(command, section, number, "host-1", "", "true", 7, 30),
        CommandOutput(command, "stdout", "<script>alert(1)</script>\x1b[31m"),
        CommandEnded(command, 0, 0.1),
        Checked(section, number, box, 9, "some_check", Verdict.PASSED, "503"),
        StepEnded(section, number, title, 30.0, 2.0, Verdict.PASSED, "", ""),
    ]


def _watched(at: float) -> Iterable[Event]:
    """Yield what is recorded of the traffic, at the end of the drill."""
    latencies = Histogram([0.01] * RATE).to_text()
    yield Event(at, ProbeSample({"host-1": 200}, {}, 3, 40, {}))
    for second in range(int(T), int(at) + 1):
        whole = TrafficSecond(second, {"ok": RATE}, {"old": 60}, {"details": RATE}, latencies)
        yield Event(at, whole)
        yield Event(float(second), GeneratorSample("0", 0.001, 0.1, 3))


def counted(record: Record) -> Record:
    """Return `record` with an end that says how much there is: only the judge can see the rest."""
    if not record or not isinstance(record[-1].what, DrillEnded):
        return record
    counts = dict(Counter(type(event.what).__name__ for event in record[:-1]))
    end = dataclasses.replace(record[-1].what, recorded=counts)
    return [*record[:-1], Event(record[-1].at, end)]


def without(kind: type[Told]) -> Change:
    """Take all events of a kind away."""
    return lambda record: counted([e for e in record if not isinstance(e.what, kind)])


def changed(kind: type[Told], **fields: object) -> Change:
    """Give all events of a kind other values."""

    def change(record: Record) -> Record:
        assert any(isinstance(event.what, kind) for event in record)
        return [
            Event(e.at, dataclasses.replace(e.what, **fields)) if isinstance(e.what, kind) else e
            for e in record
        ]

    return change


def also(*what: Told) -> Change:
    """Add events just before the end."""

    def change(record: Record) -> Record:
        more = [Event(record[-1].at, one) for one in what]
        return counted([*record[:-1], *more, record[-1]])

    return change


def declared(trigger: str) -> Record:
    """A good drill whose fault is there to set off `trigger`, as far as it says."""
    record = changed(FaultInjected, trigger=trigger)(good())
    start = record[0].what
    assert isinstance(start, DrillStarted)
    promises = {**(start.promises or {}), "TriggerFired": 1}
    return changed(DrillStarted, promises=promises)(record)
