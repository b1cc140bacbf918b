"""Triggers that sentinels and reports set off: each fires for its defect, and not without it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from rollback_drill.breaks.fault import Scene
from rollback_drill.breaks.faults.nothing import Nothing
from rollback_drill.conduct.attest import break_and_decide
from rollback_drill.decide.decider import FLAPS, HOLD_S, Decider
from rollback_drill.decide.told import NOT_LONG_ENOUGH, Decided, TriggerFired
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.runbook.parse import parse
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.live import Traffic
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.watch.told import Looked, Reported
from tests.decide.decision_support import request, traffic

RUNBOOK = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
BAD, GOOD, BLIND = Verdict.FAILED, Verdict.PASSED, Verdict.UNKNOWN


def decider(pace: float = 60.0) -> Decider:
    made = Decider(RUNBOOK, pace)
    made.onset(0.0)
    return made


def fired(made: Decider) -> set[str]:
    return {event.trigger for event, _ in made.newly_fired()}


def look(made: Decider, sentinel: str, *verdicts: Verdict, every_s: float = 1.0) -> None:
    for number, verdict in enumerate(verdicts, 1):
        made.look(Looked(sentinel, verdict, f"{sentinel} saw it"), number * every_s)


@pytest.mark.parametrize(
    ("sentinel", "trigger"),
    [("integrity", "Data Corruption"), ("security", "Security Breach")],
)
def test_one_proof_is_enough_and_stays_one(sentinel: str, trigger: str) -> None:
    made = decider()
    look(made, sentinel, GOOD, BLIND)
    assert fired(made) == set()
    look(made, sentinel, BAD, GOOD, GOOD)
    assert fired(made) == {trigger}
    found = made.decide(20.0)
    assert found
    assert (found.trigger, found.answer) == (trigger, "roll back at once")
    assert found.evidence[0] == f"{sentinel} saw it"


def test_broken_pages_must_be_seen_twice_in_a_row() -> None:
    made = decider()
    look(made, "pages", BAD, GOOD, BAD, BLIND)
    assert fired(made) == set()
    made.look(Looked("pages", BAD, "again"), 9.0)
    assert fired(made) == {"Feature Broken"}
    assert made.decide(10.0) is None
    assert made.settled(10.0) is None
    found = made.settled(10.0 + HOLD_S)
    assert found
    assert (found.action, found.answer) == ("monitor", "consider a rollback")


@pytest.mark.parametrize(("pace", "least_s"), [(60.0, 5.0), (1.0, 60.0)])
def test_metrics_must_be_missing_for_longer_than_a_restart_takes(
    pace: float, least_s: float
) -> None:
    made = decider(pace)
    for i in range(int(least_s)):
        made.look(Looked("metrics", BAD, "no answer"), 1.0 + i)
    assert fired(made) == set()
    made.look(Looked("metrics", BAD, "no answer"), 1.0 + least_s)
    ((event, at),) = made.newly_fired()
    assert (event.trigger, at) == ("Monitoring Failure", 1.0 + least_s)


def test_a_restart_does_not_count_as_missing_metrics() -> None:
    made = decider()
    look(made, "metrics", *[BAD, BAD, BAD, GOOD] * 5)
    assert fired(made) == set()


@pytest.mark.parametrize(
    ("used", "lists", "fires"),
    [(0, 200, True), (5, 300, True), (0, 30, False), (15, 300, False), (200, 300, False)],
)
def test_low_adoption_must_be_proven(used: int, lists: int, fires: bool) -> None:
    made = decider(pace=8640)
    made.look(Looked("adoption", GOOD, "", {"lists": 1000.0, "used": 700.0}), 0.0)
    made.look(Looked("adoption", GOOD, "", {"lists": 1000.0 + lists, "used": 700.0 + used}), 10.5)
    assert (fired(made) == {"Low Adoption"}) == fires


def test_low_adoption_waits_a_day() -> None:
    made = decider(pace=8640)
    made.look(Looked("adoption", GOOD, "", {"lists": 1.0, "used": 0.0}), 0.0)
    made.look(Looked("adoption", GOOD, "", {"lists": 900.0, "used": 0.0}), 9.5)
    assert fired(made) == set()


@pytest.mark.parametrize(
    ("level", "fires"), [("P0", True), ("p0 (critical)", True), ("P1", False), ("", False)]
)
def test_a_p0_incident(level: str, fires: bool) -> None:
    made = decider()
    made.report(Reported("incident", level or "none", "down", "on-call"), 1.0)
    assert (fired(made) == {"P0 Incident"}) == fires


def test_three_urgent_tickets_are_several_and_a_repeated_one_is_not() -> None:
    made = decider()
    for _ in range(5):
        made.report(Reported("ticket", "high", "empty lists", "Acme"), 1.0)
    made.report(Reported("ticket", "low", "empty lists", "Tiny"), 1.5)
    made.report(Reported("ticket", "urgent", "empty lists", "Bolt"), 2.0)
    assert fired(made) == set()
    made.report(Reported("ticket", "High", "no pages", "Coil"), 3.0)
    ((event, at),) = made.newly_fired()
    assert (event.trigger, at) == ("Customer Escalations", 3.0)


def test_what_was_seen_before_the_onset_is_no_evidence() -> None:
    made = Decider(RUNBOOK, 60.0)
    look(made, "integrity", BAD)
    made.report(Reported("incident", "P0", "down", "on-call"), 1.0)
    made.onset(5.0)
    assert fired(made) == set()


def feed(made: Decider, *parts: tuple[int, float, float]) -> None:
    """Feed (number of requests, share that fails, begin) at 100 a second."""
    for n, share, start in parts:
        for seen in traffic(n, share, start=start):
            made.observe(seen)


def test_a_burst_that_is_over_is_withdrawn() -> None:
    made = decider()
    feed(made, (100, 0.0, 0.0), (25, 1.0, 1.0))
    assert made.decide(1.3) is None  # fired, and waiting for the diagnosis
    assert "Error Rate >10%" in fired(made)
    feed(made, (400, 0.0, 1.3))
    assert made.decide(5.3) is None
    assert made.final(6.0).rollback is False


def test_errors_that_last_are_decided_without_delay() -> None:
    made = decider()
    feed(made, (400, 0.3, 0.0))
    found = made.decide(4.0)
    assert found
    assert found.trigger == "Error Rate >10%"


@pytest.mark.parametrize(("lasts", "decided"), [(300, False), (1_500, True)])
def test_a_spell_of_slowness_is_told_from_slowness_that_stays(lasts: int, decided: bool) -> None:
    made = decider()
    made.set_baseline(Histogram([0.02] * 400))
    answers: list[Decided | None] = []
    parts = [(300, 0.02), (lasts, 0.2), (900, 0.02)]
    requests = itertools.chain.from_iterable(itertools.repeat(s, n) for n, s in parts)
    for i, latency_s in enumerate(requests, 1):
        made.observe(request(Outcome.OK, i / 100, latency_s))
        if i % 10 == 0:
            answers.append(made.decide(i / 100))
    found = [i for i, answer in enumerate(answers) if answer]
    assert bool(found) is decided
    if found:
        assert (
            found[0] / 10 <= 3.0 + 0.5 + HOLD_S
        )  # since the change, which is seen within half a second


def told_of_slowness(*parts: tuple[int, float]) -> dict[str, float]:
    """Feed (number of requests, latency) at 100 a second; return when each trigger was told."""
    made = decider()
    made.set_baseline(Histogram([0.02] * 400))
    told: dict[str, float] = {}
    requests = itertools.chain.from_iterable(itertools.repeat(s, n) for n, s in parts)
    for i, latency_s in enumerate(requests, 1):
        made.observe(request(Outcome.OK, i / 100, latency_s))
        if i % 10 == 0:
            told.update({event.trigger: i / 100 for event, _ in made.newly_fired()})
    return told


@pytest.mark.parametrize("latency_s", [0.05, 0.2])
def test_a_pause_that_makes_thirty_requests_slow_fires_nothing(latency_s: float) -> None:
    assert told_of_slowness((300, 0.02), (30, latency_s), (1_200, 0.02)) == {}


@pytest.mark.parametrize(
    ("latency_s", "trigger"),
    [(0.05, "Performance Degradation 2-3x"), (0.2, "Performance Degradation >3x")],
)
def test_slowness_fires_once_it_has_lasted(latency_s: float, trigger: str) -> None:
    told = told_of_slowness((300, 0.02), (1_200, latency_s))
    assert list(told) == [trigger]
    # Seven blocks of which every request is slow, and the gaps between them.
    assert 3.0 + 6.4 <= told[trigger] <= 3.0 + 7.4 + 0.1


def test_an_alarm_at_the_end_is_not_long_enough_to_say_and_how_much_is_told() -> None:
    made = decider()
    made.set_baseline(Histogram([0.02] * 400))
    for i in range(1, 331):
        made.observe(request(Outcome.OK, i / 100, 0.02 if i <= 300 else 0.2))
    assert fired(made) == set()
    last_word = made.final(3.3)
    assert (last_word.action, last_word.rollback) == (NOT_LONG_ENOUGH, False)
    assert "“Performance Degradation >3x” (line " in last_word.evidence[0]
    assert fired(made) == set()
    for i in range(331, 331 + last_word.more + 40):  # a block more, that the change lies in
        made.observe(request(Outcome.OK, i / 100, 0.2))
    last_word = made.final(i / 100)
    assert (last_word.rollback, last_word.more) == (True, 0)
    assert fired(made) == {last_word.trigger}


@pytest.mark.parametrize(("slow_s", "decided"), [(1.5, False), (20.0, True)])
def test_slowness_that_begins_just_before_the_time_is_over_gets_the_time_to_pass(
    slow_s: float, decided: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock of its own: a hundred requests a second, slow ones from 14 s on, of 15."""
    clock = itertools.count()
    at = [0.0]
    tell: list[Callable[[Observation], None]] = []

    def ticks(_: str, limit_s: float) -> Iterator[float]:
        end = at[0] + limit_s
        while at[0] < end:
            at[0] = next(clock) / 100
            latency_s = 0.2 if 14.0 <= at[0] < 14.0 + slow_s else 0.02
            tell[0](request(Outcome.OK, at[0], latency_s))
            yield at[0]
        raise WaitTimeout("", "", "")

    class Clients:
        def subscribe(self, observe: Callable[[Observation], None]) -> None:
            tell.append(observe)

    class Bare(Nothing):
        def attest(self, scene: Scene) -> tuple[bool, str]:
            return True, "nothing to see"

    monkeypatch.setattr("rollback_drill.conduct.attest.now", lambda: at[0])
    monkeypatch.setattr("rollback_drill.conduct.attest.wait_until", ticks)
    timeline = Timeline(tmp_path / "timeline.jsonl")
    found = break_and_decide(
        cast("Scene", None), Bare(), Decider(RUNBOOK, 60.0), cast("Traffic", Clients()),
        Histogram([0.02] * 400), timeline,
    )  # fmt: skip
    timeline.close()
    told = [one.what for one in read(timeline.path) if isinstance(one.what, TriggerFired)]
    assert (found.rollback, bool(told)) == (decided, decided)


@pytest.mark.parametrize(("bad", "decided"), [(100, True), (20, False)])
def test_bursts_that_come_again_and_again_are_judged_by_their_average(
    bad: int, decided: bool
) -> None:
    made = decider()
    found = []
    for round_ in range(12):
        begin = 10.0 * round_
        feed(made, (bad, 1.0, begin))
        found.append(made.decide(begin + bad / 100))
        feed(made, (900, 0.0, begin + bad / 100))
        found.append(made.decide(begin + bad / 100 + 9.0))
    assert FLAPS == 3
    told = [number for number, one in enumerate(found) if one]
    assert told[:1] == [17] * decided  # when the ninth burst is over: from then on it is proven


def test_answers_given_on_purpose_are_an_outage_and_no_errors() -> None:
    made = decider()
    feed(made, (100, 0.0, 0.0))
    for seen in traffic(800, 1.0, start=1.0, outcome=Outcome.UNAVAILABLE):
        made.observe(seen, on_purpose=True)
    assert made.detector.errors.hits == 0
    assert not made.detector.alarmed
    assert fired(made) == {"Complete Service Failure"}  # 8 s; five minutes at pace 60 are 5 s
