"""Breaks the release, has the symptom attested, and waits for the detector's decision."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterator

from rollback_drill.breaks.fault import Fault, Scene
from rollback_drill.breaks.told import FaultAttested, FaultInjected
from rollback_drill.decide.decider import HOLD_S, Decider
from rollback_drill.decide.told import Decided
from rollback_drill.decide.trigger import TIER_ACTIONS
from rollback_drill.ground import clock
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.timeline import Event, Timeline
from rollback_drill.record.watched import Watched
from rollback_drill.runbook.model import Runbook
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.live import Traffic
from rollback_drill.traffic.observation import Observation
from rollback_drill.watch.told import Looked

_ATTEST_EVERY_S = 0.25
_ATTEST_GRACE_S = 120.0  # two hundred requests with their own limits may be under way


class Hearing:
    """What is told to the decider, and from when on. Safe to use from several threads.

    While a fault is being injected its own restarts fail requests, and until its symptom was seen
    nobody knows that it bites: what comes is kept. Once somebody has seen it, judging begins with
    the beginning of that look: requests that were due before, and what sentinels saw, are dropped.
    Kills, log lines and reports count from the injection on: they tell a restart from a failure.
    """

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._lock = clock.lock()
        self._kept: list[Observation | Event] | None = []
        self._since = math.inf

    def observe(self, observation: Observation) -> None:
        """Take a finished request in."""
        with self._lock:
            self._take(observation)

    def listen(self, event: Event) -> None:
        """Take in what was recorded."""
        with self._lock:
            self._take(event)
        attested = event.what
        if isinstance(attested, FaultAttested) and attested.seen:
            self.begin(attested.since)

    def begin(self, since: float) -> None:
        """Begin to judge, by what was due or looked at after `since`; does nothing twice."""
        with self._lock:
            if self._kept is None:
                return
            kept, self._kept, self._since = self._kept, None, since
            self._decider.onset(since)
            for one in kept:
                self._take(one)

    @contextlib.contextmanager
    def decider(self) -> Iterator[Decider]:
        """Keep everybody else off the decider."""
        with self._lock:
            yield self._decider

    def _take(self, one: Observation | Event) -> None:
        if self._kept is not None:
            self._kept.append(one)
        elif isinstance(one, Observation):
            if one.due >= self._since:
                self._decider.observe(one)
        elif one.at >= self._since or not isinstance(one.what, Looked):
            self._decider.take(one)


def break_and_decide(
    scene: Scene,
    fault: Fault,
    decider: Decider,
    traffic: Traffic,
    baseline: Histogram,
    timeline: Timeline,
) -> Decided:
    """Inject `fault`, and return the decision, which is recorded as well.

    The fault's symptom is looked for beside the detector, by somebody who shares nothing with it.
    Judging begins when it was seen (see `Hearing`). A fault that is there to set off one trigger is
    given the time that this takes. Without a decision within the fault's `watch_s` seconds, and for
    a fault of the release as long as the runbook's triggers have to last on top, and HOLD_S more
    where something has just begun that may pass, it is the decider's last word.
    """
    decider.set_baseline(baseline)
    wanted, calls_for = expectation(decider.runbook, fault)
    watch_s = fault.watch_s + (decider.longest_s if fault.ours else 0.0)
    hearing = Hearing(decider)
    began = now()
    traffic.subscribe(hearing.observe)
    timeline.subscribe(hearing.listen, "detector")
    how = fault.inject(scene)
    injected = now()
    took_s = injected - began
    timeline.record(FaultInjected(fault.name, how, wanted, calls_for, took_s, fault.damages), began)
    decided: Decided | None = None
    fired: set[str] = set()

    def tell_what_fired() -> None:
        with hearing.decider() as one:
            new = one.newly_fired()
        for event, at in new:
            fired.add(event.trigger)
            timeline.record(event, at)

    def decide() -> None:
        nonlocal decided
        with hearing.decider() as one:
            decided = decided or one.decide(now()) or one.settled(now())
        tell_what_fired()

    with _attesting(scene, fault, timeline) as seen:
        with contextlib.suppress(WaitTimeout):
            for _ in wait_until("a decision and an attested symptom", watch_s):
                decide()
                if decided and seen.is_set() and (not wanted or wanted in fired):
                    break
        with contextlib.suppress(WaitTimeout):
            for _ in wait_until("what began last to pass or to last", HOLD_S):
                decide()
                with hearing.decider() as one:
                    if decided or not one.may_pass(now()):
                        break
    if not seen.is_set():
        hearing.begin(injected)  # nobody saw it: what clients saw is told all the same
    with hearing.decider() as one:
        decided = decided or one.final(now())
    tell_what_fired()
    timeline.record(decided)
    return decided


def expectation(runbook: Runbook, fault: Fault) -> tuple[str, str]:
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
def _attesting(scene: Scene, fault: Fault, timeline: Timeline) -> Iterator[clock.Signal]:
    """Look for the fault's symptom until it is seen or the block ends; set the event when seen."""
    seen = clock.signal()
    over = clock.signal()

    def look() -> None:
        evidence, since = "nobody could look", now()
        while not seen.is_set():
            since = now()
            try:
                bites, evidence = fault.attest(scene)
            except Exception as error:  # whatever a broken service does to it
                bites, evidence = False, f"could not look: {type(error).__name__}: {error}"
            if bites:
                seen.set()
            elif over.wait(_ATTEST_EVERY_S):
                break
        timeline.record(FaultAttested(fault.name, fault.symptom, seen.is_set(), evidence, since))

    thread = Watched("observer of the symptom", look).start()
    try:
        yield seen
    finally:
        over.set()
        thread.end(_ATTEST_GRACE_S)
