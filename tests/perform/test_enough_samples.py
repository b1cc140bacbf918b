"""A window lasts until it has the samples that its checks need, and never for ever."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.finding import Finding
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform import enough
from rollback_drill.perform.check import bind, verify
from rollback_drill.perform.checks import clients
from rollback_drill.perform.checks.resources import memory_stable
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.watch import OF_TWO_LOOKS
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.told import Noted, Told
from rollback_drill.runbook.model import Checkbox
from rollback_drill.stage.model import Stage
from rollback_drill.traffic.aggregate import Aggregate
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.live import Traffic
from rollback_drill.watch.told import ProbeSample
from tests.decide.decision_support import runbook

BUSY = "the machine was busy: load 7.9 on 2 cores"


class Clock:
    """A clock of its own: every look takes a quarter of a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 100.0
        monkeypatch.setattr(enough, "now", lambda: self.at)
        monkeypatch.setattr(enough, "wait_until", self._wait)

    def _wait(self, _: str, limit_s: float, *, every_s: float) -> Iterator[float]:
        end = self.at + limit_s
        while self.at < end:
            self.at += every_s
            yield self.at
        raise WaitTimeout("", "", "")


class Clients:
    """Traffic of so many requests a second, from 100 s on, of which none or some fail, and `slow`
    is the share that takes a second.
    """

    def __init__(
        self, clock: Clock, rate: float, every: int = 0, last_s: float = 1e9, slow: float = 0.0
    ) -> None:
        self._clock, self._rate, self._every, self._last_s = clock, rate, every, last_s
        self._slow = slow

    def window(self, start: float, end: float | None = None) -> Aggregate:
        until = min(self._clock.at, self._last_s)
        n = int(max(0.0, until - start) * self._rate)
        bad = n // self._every if self._every else 0
        outcomes = {"ok": n - bad, "server_error": bad}
        late = round(n * self._slow)
        timed = Histogram([0.02] * (n - late) + [1.0] * late)
        return Aggregate(start, until, sent=n, outcomes=outcomes, histogram=timed)


class Notes:
    """A timeline that remembers."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def record(self, what: Told) -> None:
        assert isinstance(what, Noted)
        self.told.append(what.text)


class Samples(list[tuple[float, ProbeSample]]):
    """What a probe saw up to now: a look every `every_s` seconds, at 90 MB and 2 MB more a second
    for `grows_s`.
    """

    def __init__(self, clock: Clock, every_s: float, grows_s: float = 0.0) -> None:
        super().__init__()
        self._clock, self._every_s, self._grows_s = clock, every_s, grows_s

    def __iter__(self) -> Iterator[tuple[float, ProbeSample]]:
        for i in itertools.count():
            at = 100.0 + i * self._every_s
            if at > self._clock.at:
                return
            size = int(90e6 + 2e6 * min(at - 100.0, self._grows_s))
            yield at, ProbeSample({}, {"host-1": size}, None, None, {"host-1": 0})


def moment(traffic: Clients | None, samples: Samples | None = None) -> Moment:
    host = SimpleNamespace(name="host-1")
    stage = SimpleNamespace(hosts=[host], checks={}, process=True, base_url="http://127.0.0.1:1")
    return Moment(
        stage=cast("Stage", stage), runbook=runbook(), traffic=cast("Traffic", traffic),
        timeline=cast("Timeline", Notes()), tail=None,  # type: ignore[arg-type]
        samples=samples if samples is not None else [], failing="", stable="", pace=60.0,
        window_from=100.0, section="Procedure 1, step 7", busy=lambda: BUSY,
    )  # fmt: skip


def notes(of: Moment) -> list[str]:
    return cast("Notes", of.timeline).told


def test_memory_that_was_seen_four_times_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    here = moment(None, Samples(clock, 1.0))
    clock.at = 103.0  # four looks in the window, on a machine where each takes a second
    found = verify(Checkbox("Memory usage is stable", 9), 7, here)
    assert found.verdict is Verdict.PASSED
    assert clock.at == pytest.approx(107.0)
    assert here.waited.total_s == pytest.approx(4.0)
    (told,) = notes(here)
    assert told.startswith("Procedure 1, step 7: the window was stretched by 4.0 s (host-1: 4 of 8")


@pytest.mark.parametrize(
    ("grows_s", "until", "wanted"),
    [(9.0, 114.5, Verdict.PASSED), (99.0, 120.0, Verdict.FAILED)],
)
def test_growth_is_watched_until_a_warm_up_is_told_from_a_leak(
    grows_s: float, until: float, wanted: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    here = moment(None, Samples(clock, 0.5, grows_s))
    clock.at = 110.0
    found = verify(Checkbox("Memory usage is stable", 9), 7, here)
    assert found.verdict is wanted
    assert clock.at == pytest.approx(until)
    assert "is it a start's warm-up?" in notes(here)[0]


def test_samples_that_do_not_come_are_named_with_the_load_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    here = moment(None, Samples(clock, 5.0))
    found = verify(Checkbox("Memory usage is stable", 9), 7, here)
    assert found.verdict is Verdict.UNKNOWN
    assert re.match(r"host-1: 7 of 8 samples of memory .* no more came in 30 s", found.evidence)
    assert found.evidence.endswith(BUSY)
    assert clock.at == pytest.approx(130.0, abs=0.5)
    again = verify(Checkbox("Memory usage is stable", 9), 7, here)  # the section's patience is over
    assert again.verdict is Verdict.UNKNOWN or clock.at <= 131.0


def test_an_error_rate_is_waited_for_until_it_can_be_proven(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    here = moment(Clients(clock, rate=50.0))
    clock.at = 101.0  # ten minutes at pace 600
    found = verify(Checkbox("Error rate <1%", 9), 7, here)
    assert found.verdict is Verdict.PASSED
    assert 105.5 <= clock.at <= 106.5  # 299 requests


def test_who_could_have_proven_it_is_not_asked_until_the_answer_pleases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    here = moment(Clients(clock, rate=100.0, every=200))
    clock.at = 104.0  # 400 requests, 2 of them failed: more could prove it
    found = verify(Checkbox("Error rate <1%", 9), 7, here)
    assert found.verdict is Verdict.UNKNOWN
    assert clock.at == 104.0
    assert notes(here) == []


def test_traffic_that_has_ended_is_not_waited_for_until_the_patience_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    here = moment(Clients(clock, rate=10.0, last_s=101.0))
    found = verify(Checkbox("Error rate <1%", 9), 7, here)
    assert found.verdict is Verdict.UNKNOWN
    assert "it takes 289 more requests" in found.evidence
    assert clock.at <= 101.0 + enough.STALLED_S + 0.5


def test_enough_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    here = moment(None, Samples(clock, 0.5))
    clock.at = 110.0
    found: Finding = memory_stable(here, cast("re.Match[str]", None))
    assert not found.lacks
    assert verify(Checkbox("Memory usage is stable", 9), 7, here).verdict is Verdict.PASSED
    assert (clock.at, here.waited.total_s) == (110.0, 0.0)


@pytest.mark.parametrize(
    ("slow", "verdict", "looked_at"),
    [
        (0.010, Verdict.PASSED, 105.0),
        (0.035, Verdict.PASSED, 110.0),
        (0.044, Verdict.UNKNOWN, 110.0),  # a third look would prove it
        (0.060, Verdict.UNKNOWN, 110.0),
        (0.065, Verdict.FAILED, 110.0),
        (0.100, Verdict.FAILED, 105.0),
    ],
)
def test_a_slow_tail_that_cannot_be_told_yet_is_looked_at_once_more_and_no_third_time(
    slow: float, verdict: Verdict, looked_at: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "front_health", lambda _: 200)
    clock = Clock(monkeypatch)
    here = moment(Clients(clock, rate=100.0, slow=slow))
    clock.at = 105.0
    found = verify(Checkbox("Response time p95 <500ms", 9), 7, here)
    assert (found.verdict, clock.at) == (verdict, looked_at), found.evidence
    assert "at 97.5 % confidence" in found.evidence
    assert len(notes(here)) == (looked_at > 105.0)
    if verdict is Verdict.UNKNOWN:
        assert "(the second look of two)" in found.evidence


def test_a_second_look_for_which_no_answers_come_says_what_the_first_one_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients, "front_health", lambda _: 200)
    clock = Clock(monkeypatch)
    here = moment(Clients(clock, rate=100.0, slow=0.035, last_s=106.0))
    clock.at = 105.0
    found = verify(Checkbox("Response time p95 <500ms", 9), 7, here)
    assert found.verdict is Verdict.UNKNOWN
    assert "not proven at 97.5 % confidence that the p95 is below 500 ms" in found.evidence
    assert "600 of 1,000 answers are there for a second look" in found.evidence


@pytest.mark.parametrize(("confidence", "kept"), [(OF_TWO_LOOKS, True), (0.9, False)])
def test_two_looks_are_wrong_about_a_tail_at_the_limit_no_more_often_than_one(
    confidence: float, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many slow ones as a p95 at the limit has, drawn for each look; 0.9: looks that are not."""
    monkeypatch.setattr(clients, "OF_TWO_LOOKS", confidence)
    monkeypatch.setattr(clients, "front_health", lambda _: 200)
    binding = bind("Response time p95 <500ms")
    assert binding
    wrong, runs = 0, 400
    for seed in range(runs):
        chance = random.Random(seed)
        slow = [chance.random() < 0.05 for _ in range(1_200)]
        here = moment(None)
        for n in (600, 1_200):
            late = sum(slow[:n])
            timed = Histogram([0.02] * (n - late) + [1.0] * late)
            window = Aggregate(100.0, 101.0, sent=n, outcomes={"ok": n}, histogram=timed)
            seen = SimpleNamespace(window=lambda _, window=window: window)
            found = binding.verify(replace(here, traffic=cast("Traffic", seen)))
            if not found.lacks:
                break
        wrong += found.verdict is Verdict.PASSED
    assert (wrong / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5) is kept
