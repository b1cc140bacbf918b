"""Breaks the release, has the symptom attested, and waits for the detector's decision."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator

from drill import events
from drill.clock import now
from drill.decision import HOLD_S, Decider
from drill.errors import WaitTimeout
from drill.fault import Fault, Scene
from drill.histogram import Histogram
from drill.observation import Observation
from drill.runbook.model import Runbook
from drill.timeline import Event, Timeline
from drill.traffic import Traffic
from drill.trigger import TIER_ACTIONS
from drill.wait import wait_until
from drill.watched import Watched

_ATTEST_EVERY_S = 0.25
_ATTEST_GRACE_S = 120.0  # two hundred requests with their own limits may be under way


def break_and_decide(
    scene: Scene,
    fault: Fault,
    decider: Decider,
    traffic: Traffic,
    baseline: Histogram,
    timeline: Timeline,
) -> events.Decided:
    """Inject `fault`, and return the decision, which is recorded as well.

    The fault's symptom is looked for beside the detector, by somebody who shares nothing with it,
    and no decision counts before it was seen. A fault that is there to set off one trigger is given
    the time that this takes. Without a decision within the fault's `watch_s` seconds, and HOLD_S
    more where something has just begun that may pass, it is the decider's last word.
    """
    lock = threading.Lock()

    def observe(observation: Observation) -> None:
        with lock:
            decider.observe(observation)

    def listen(event: Event) -> None:
        with lock:
            decider.take(event)

    decider.set_baseline(baseline)
    wanted, calls_for = _expectation(decider.runbook, fault)
    onset = now()
    decider.onset(onset)
    traffic.subscribe(observe)
    timeline.subscribe(listen, "detector")
    how = fault.inject(scene)
    timeline.record(events.FaultInjected(fault.name, how, wanted, calls_for), onset)
    decided: events.Decided | None = None
    fired: set[str] = set()

    def tell_what_fired() -> None:
        with lock:
            new = decider.newly_fired(now())
        for event, at in new:
            fired.add(event.trigger)
            timeline.record(event, at)

    def decide() -> None:
        nonlocal decided
        with lock:
            decided = decided or decider.decide(now()) or decider.settled(now())
        tell_what_fired()

    with _attesting(scene, fault, timeline) as seen:
        with contextlib.suppress(WaitTimeout):
            for _ in wait_until("a decision and an attested symptom", fault.watch_s):
                decide()
                if decided and seen.is_set() and (not wanted or wanted in fired):
                    break
        with contextlib.suppress(WaitTimeout):
            for _ in wait_until("what began last to pass or to last", HOLD_S):
                decide()
                with lock:
                    if decided or not decider.may_pass(now()):
                        break
    with lock:
        decided = decided or decider.final(now())
    tell_what_fired()
    timeline.record(decided)
    return decided


def _expectation(runbook: Runbook, fault: Fault) -> tuple[str, str]:
    """Return the name of the trigger that `fault` must set off, and the action that is called for.

    A runbook without such a trigger is only held to roll back.
    """
    if not fault.ours:
        return "", "no rollback"
    if fault.trigger:
        for trigger in runbook.triggers:
            if re.search(fault.trigger, trigger.name, re.IGNORECASE):
                return trigger.name, TIER_ACTIONS[trigger.severity]
    return "", "rollback"


@contextlib.contextmanager
def _attesting(scene: Scene, fault: Fault, timeline: Timeline) -> Iterator[threading.Event]:
    """Look for the fault's symptom until it is seen or the block ends; set the event when seen."""
    seen = threading.Event()
    over = threading.Event()

    def look() -> None:
        evidence = "nobody could look"
        while not seen.is_set():
            try:
                bites, evidence = fault.attest(scene)
            except Exception as error:  # whatever a broken service does to it
                bites, evidence = False, f"could not look: {type(error).__name__}: {error}"
            if bites:
                seen.set()
            elif over.wait(_ATTEST_EVERY_S):
                break
        timeline.record(events.FaultAttested(fault.name, fault.symptom, seen.is_set(), evidence))

    thread = Watched("observer of the symptom", look).start()
    try:
        yield seen
    finally:
        over.set()
        thread.end(_ATTEST_GRACE_S)
