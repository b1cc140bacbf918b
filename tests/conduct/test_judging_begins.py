"""From when on a release is judged, and what is credited to the detector."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from rollback_drill.breaks.fault import LatentDefect, Scene
from rollback_drill.breaks.told import FaultAttested, FaultInjected
from rollback_drill.campaigns.simulation import simulate
from rollback_drill.conduct.attest import Hearing, break_and_decide
from rollback_drill.conduct.worlds import Draw
from rollback_drill.decide.decider import Decider
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.told import Told
from rollback_drill.report.summary import key_numbers
from rollback_drill.runbook.parse import parse
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.live import Traffic
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.watch.told import Looked, ProbeSample
from tests.decide.decision_support import request
from tests.judge.record_support import also, changed, declared

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = parse(ROOT / "runbook" / "rollback.md")


@dataclass
class Service:
    """A clock of its own, and clients: a hundred requests a second, of which some fail."""

    fails: Callable[[float], bool]
    at: float = 0.0
    look_began: float = 0.0  # the last look for the symptom, which has a thread of its own
    tell: list[Callable[[Observation], None]] = field(default_factory=list)

    def subscribe(self, observe: Callable[[Observation], None]) -> None:
        self.tell.append(observe)

    def now(self) -> float:
        at = self.at
        if threading.current_thread() is not threading.main_thread():
            self.look_began = at
        return at

    def run(self, seconds: float) -> Iterator[float]:
        end = self.at + seconds
        while self.at < end:
            self.at += 0.01
            outcome = Outcome.UNAVAILABLE if self.fails(self.at) else Outcome.OK
            for tell in self.tell:
                tell(request(outcome, self.at))
            yield self.at

    def wait(self, _: str, limit_s: float) -> Iterator[float]:
        yield from self.run(limit_s)
        raise WaitTimeout("", "", "")


class Restarting(LatentDefect):
    """A fault that is made by a restart: nobody answers for six seconds, half of it afterwards."""

    name = "restarting"
    symptom = "every second request fails"
    trigger = "error rate *>"
    watch_s = 30.0

    def __init__(self, service: Service, bites_at: float) -> None:
        self._service, self._bites_at = service, bites_at

    def inject(self, scene: Scene) -> str:
        for _ in self._service.run(3.0):
            pass
        return "the service was restarted with a defect"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        # The clock may go on meanwhile: what counts is when the look began.
        return self._service.look_began >= self._bites_at, "looked"


def held(
    service: Service, bites_at: float, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Decided, list[Told]]:
    monkeypatch.setattr("rollback_drill.conduct.attest.now", service.now)
    monkeypatch.setattr("rollback_drill.conduct.attest.wait_until", service.wait)
    monkeypatch.setattr("rollback_drill.conduct.attest._ATTEST_EVERY_S", 0.0)
    timeline = Timeline(directory / "timeline.jsonl")
    decided = break_and_decide(
        cast("Scene", None), Restarting(service, bites_at), Decider(RUNBOOK, 60.0),
        cast("Traffic", service), Histogram([0.02] * 400), timeline,
    )  # fmt: skip
    timeline.close()
    return decided, [event.what for event in read(timeline.path)]


def test_a_restart_that_makes_the_fault_is_no_failure_of_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(lambda at: at < 6.0)  # and well afterwards: the defect does nothing
    decided, record = held(service, 6.5, tmp_path, monkeypatch)
    assert not decided.rollback
    assert [one for one in record if isinstance(one, TriggerFired)] == []


def test_what_is_detected_counts_from_the_look_that_saw_the_symptom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(lambda at: at < 6.0 or (at > 6.5 and round(at * 100) % 2 == 0))
    decided, record = held(service, 6.6, tmp_path, monkeypatch)
    assert decided.rollback
    (injected,) = (one for one in record if isinstance(one, FaultInjected))
    (attested,) = (one for one in record if isinstance(one, FaultAttested))
    assert injected.took_s == pytest.approx(3.0, abs=0.05)
    assert attested.since == service.look_began >= 6.6
    assert 0.05 < decided.detected_after_s < 1.0
    assert decided.trigger == "Error Rate >10%"


def test_a_trigger_that_has_to_last_is_given_that_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "runbook" / "rollback.md").read_text(encoding="utf-8")
    text = text.replace("**Error Rate >10%**", "**Error Rate >10% for 50 minutes**")
    text = text.replace("| Critical | >10% |", "| Critical | >99% |").replace("5-10% |", "5-99% |")
    path = tmp_path / "runbook.md"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(f"{__name__}.RUNBOOK", parse(path))
    service = Service(lambda at: round(at * 100) % 2 == 0)
    decided, _ = held(service, 0.0, tmp_path, monkeypatch)
    # Fifty seconds, and a patience of thirty; “prepare a rollback” was certain before.
    assert decided.trigger == "Error Rate >10% for 50 minutes"
    assert 49.5 <= decided.detected_after_s <= 51.0


def decider() -> Decider:
    return Decider(RUNBOOK, 60.0)


def attested(since: float) -> FaultAttested:
    return FaultAttested("f", "s", True, "e", since)


def test_requests_that_were_due_before_the_symptom_are_dropped_and_kills_are_not(
    tmp_path: Path,
) -> None:
    made = decider()
    hearing = Hearing(made)
    timeline = Timeline(tmp_path / "timeline.jsonl")
    timeline.subscribe(hearing.listen, "detector")
    for i in range(300):
        hearing.observe(request(Outcome.UNAVAILABLE, i / 100))
    for kills in (0, 1, 2):
        timeline.record(ProbeSample({}, {"h": 1}, None, None, {"h": kills}), float(kills))
    timeline.record(Looked("security", Verdict.FAILED, "open"), 2.5)
    assert made.detector.n == 0
    timeline.record(attested(2.0), 3.0)
    assert made.detector.n == 98  # due from 2.0 on, seen until 2.99
    hearing.observe(request(Outcome.OK, 3.5, latency_s=1.6))  # due before
    hearing.observe(request(Outcome.OK, 3.6))
    assert made.detector.n == 99
    told = {event.trigger for event, _ in made.newly_fired()}
    assert {"Memory Leak", "Security Breach"} <= told
    timeline.close()


def test_a_symptom_that_nobody_saw_leaves_the_last_word_with_what_clients_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(lambda at: at > 4.0)
    decided, _ = held(service, 1e9, tmp_path, monkeypatch)
    assert decided.rollback  # and the verdict is unknown, since the fault did not bite


FIRED = TriggerFired("P0 Incident", 9, "critical", "rollback", 1.0, ("n",))
OWN = TriggerFired("Memory Leak", 15, "high", "rollback", 12.3, ("n",))


def test_a_trigger_other_than_the_faults_own_is_named_and_nothing_is_credited() -> None:
    record = declared("Memory Leak")
    judgement = judge(Book(also(FIRED)(record)))
    assert judgement.verdict is Verdict.FAILED
    assert "“Memory Leak”, which this fault is there for, did not fire; " in judgement.reason
    assert "“P0 Incident” did" in judgement.reason
    told = judgement.to_json()["decision"]
    assert isinstance(told, dict)
    assert (told["detected_after_s"], told["requests_to_detect"]) == (None, None)
    assert "P0 Incident" in told["uncredited"]
    assert "no detection is credited: the trigger “Memory Leak”" in "\n".join(
        key_numbers(judgement)
    )


def test_a_decision_by_another_trigger_is_not_credited_although_the_own_one_fired_later() -> None:
    record = declared("Memory Leak")
    judgement = judge(Book(also(OWN)(record)))
    assert judgement.verdict is Verdict.PASSED
    assert judgement.detected_after_s is None
    assert "the decision rests on “Error Rate >10%”; “Memory Leak”" in judgement.uncredited


def test_the_own_trigger_is_credited_and_the_summary_says_from_when_on() -> None:
    record = declared("Error Rate >10%")
    injected = next(e.at for e in record if isinstance(e.what, FaultInjected))
    record = changed(FaultAttested, since=injected + 2.5)(record)
    judgement = judge(Book(record))
    assert (judgement.verdict, judgement.detected_after_s) == (Verdict.PASSED, 1.5)
    assert (
        "detected after 1.5 s and 150 requests from its symptom on, seen 2.5 s after it was made: "
        "Error Rate >10%"
    ) in key_numbers(judgement)


def test_a_kill_before_the_first_look_behind_the_injection_is_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a machine that is so busy that whoever looks for kills comes late.
    monkeypatch.setattr("rollback_drill.watch.probe.PROBE_EVERY_S", 4.0)
    _, path = simulate(Draw(1, "cursor-cache-leak"), ROOT / "runbook" / "rollback.md", tmp_path)
    events = list(read(path))
    kinds = [type(one.what) for one in events]
    kills = [
        max(sum(one.what.oom_kills.values()) for one in part if isinstance(one.what, ProbeSample))
        for part in (events[: kinds.index(FaultInjected)], events[: kinds.index(Decided)])
    ]
    (decided,) = (one.what for one in events if isinstance(one.what, Decided))
    assert f"was killed for memory {kills[1] - kills[0]} times" in " ".join(decided.evidence)
