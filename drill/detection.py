"""Breaks the release, has the symptom attested, and waits for the detector's decision."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from drill import events
from drill.clock import now
from drill.decision import Decider
from drill.errors import DrillError, WaitTimeout
from drill.fault import Fault
from drill.histogram import Histogram
from drill.observation import Observation
from drill.stage import Stage
from drill.timeline import Event, Timeline
from drill.traffic import Traffic
from drill.wait import wait_until

LIMIT_S = 60.0  # a fault that nobody noticed after a minute of traffic is not going to be
_ATTEST_EVERY_S = 0.25


def break_and_decide(
    stage: Stage,
    fault: Fault,
    decider: Decider,
    traffic: Traffic,
    baseline: Histogram,
    timeline: Timeline,
) -> events.Decided:
    """Inject `fault`, and return the decision, which is recorded as well.

    The fault's symptom is looked for beside the detector, by somebody who shares nothing with it.
    Without a decision to roll back within LIMIT_S seconds it is the decider's last word.
    """
    lock = threading.Lock()

    def observe(observation: Observation) -> None:
        with lock:
            decider.observe(observation)

    def listen(event: Event) -> None:
        with lock:
            if isinstance(event.what, events.ProbeSample):
                decider.probe(event.what, event.at)
            elif isinstance(event.what, events.LogLine):
                decider.log(event.what, event.at)

    decider.set_baseline(baseline)
    onset = now()
    decider.onset(onset)
    traffic.subscribe(observe)
    timeline.subscribe(listen)
    timeline.record(events.FaultInjected(fault.name, fault.inject(stage)), onset)
    decided: events.Decided | None = None
    with _attesting(stage, fault, timeline) as seen, contextlib.suppress(WaitTimeout):
        for _ in wait_until("a decision and an attested symptom", LIMIT_S):
            with lock:
                decided = decided or decider.decide(now())
            if decided and seen.is_set():
                break
    with lock:
        decided = decided or decider.final(now())
    timeline.record(decided)
    return decided


@contextlib.contextmanager
def _attesting(stage: Stage, fault: Fault, timeline: Timeline) -> Iterator[threading.Event]:
    """Look for the fault's symptom until it is seen or the block ends; set the event when seen."""
    seen = threading.Event()
    over = threading.Event()

    def look() -> None:
        evidence = "nobody could look"
        while not seen.is_set():
            try:
                bites, evidence = fault.attest(stage)
            except DrillError as error:
                bites, evidence = False, str(error)
            if bites:
                seen.set()
            elif over.wait(_ATTEST_EVERY_S):
                break
        timeline.record(events.FaultAttested(fault.name, fault.symptom, seen.is_set(), evidence))

    thread = threading.Thread(target=look, name="attest", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
