"""Each watch is set off by its planted cause and by no healthy stream; durations are held."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.campaigns.replay import replay
from rollback_drill.decide.decider import Decider
from rollback_drill.decide.lasting import Run
from rollback_drill.record.timeline import Timeline
from rollback_drill.runbook.model import Severity, Trigger
from rollback_drill.traffic.aggregate import Clients, Second
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import ProbeSample
from tests.decide.decision_support import STATUS, matrix, runbook, traffic

# The matrix must not decide before the trigger that is tested.
QUIET = matrix(errors=(0.97, 0.98, 0.985), p95=(20.0, 21.0, 22.0))


def decider(name: str, pace: float = 60.0) -> Decider:
    only = Trigger(Severity.CRITICAL, name, "", 11)
    made = Decider(runbook(triggers=(only,), rows=QUIET), pace)
    assert made.unwatched == []
    made.onset(0.0)
    return made


def stream(
    *parts: tuple[float, float],
    outcome: Outcome = Outcome.SERVER_ERROR,
    slow_s: float = 0.0,
    seed: int = 3,
) -> Iterator[Observation]:
    """Requests at 100 a second, in parts of (seconds, share). Of each part that share ends with
    `outcome`, or well after `slow_s` seconds where that is given.
    """
    chance = random.Random(seed)
    at = 0.0
    for lasts_s, share in parts:
        for _ in range(round(lasts_s * 100)):
            at += 0.01
            bad = chance.random() < share
            is_slow = bad and slow_s
            kind = outcome if bad and not slow_s else Outcome.OK
            due = at - (slow_s if is_slow else 0.02)
            yield Observation(due, due, at, "c1", "list_page", STATUS.get(kind, 0), kind, "new")


def fires_after(made: Decider, seen: Iterator[Observation]) -> float | None:
    """Feed everything; return when the trigger was first told, None when it never was."""
    for i, one in enumerate(seen):
        made.observe(one)
        if i % 10 < 9:
            continue
        if any(event.line == 11 for event, _ in made.newly_fired()):
            return one.done
    return None


CAUSES = (
    # What is watched for, what sets it off, what is healthy beside it.
    ("5xx above 5%", {"share": 0.09}, {"share": 0.02}),
    ("5xx above 5%", {"share": 0.09, "outcome": Outcome.UNAVAILABLE}, {"share": 0.0}),
    ("5xx above 5%", {"share": 1.0}, {"share": 1.0, "outcome": Outcome.REJECTED}),
    ("HTTP 500 errors > 2 %", {"share": 0.04}, {"share": 0.2, "outcome": Outcome.UNAVAILABLE}),
    ("4xx above 10%", {"share": 0.2, "outcome": Outcome.REJECTED}, {"share": 0.2}),
    ("more than 1 in 20 requests fail", {"share": 0.09}, {"share": 0.03}),
    ("p99 latency > 2s", {"share": 0.05, "slow_s": 2.5}, {"share": 0.005, "slow_s": 2.5}),
    ("p99 latency > 2s", {"share": 0.05, "slow_s": 2.0}, {"share": 0.05, "slow_s": 1.9}),
    ("p95 latency > 2s", {"share": 0.12, "slow_s": 2.5}, {"share": 0.03, "slow_s": 2.5}),
    ("p90 latency > 1s", {"share": 0.25, "slow_s": 1.5}, {"share": 0.06, "slow_s": 1.5}),
    ("median response time > 1s", {"share": 0.9, "slow_s": 1.5}, {"share": 0.4, "slow_s": 1.5}),
    ("max latency > 4s", {"share": 0.001, "slow_s": 4.5}, {"share": 0.5, "slow_s": 3.9}),
)  # fmt: skip


@pytest.mark.parametrize(("name", "cause", "healthy"), CAUSES)
def test_a_watch_is_set_off_by_its_cause_and_by_nothing_healthy(
    name: str, cause: dict[str, float], healthy: dict[str, float]
) -> None:
    def part(kind: dict[str, float]) -> Iterator[Observation]:
        rest = {key: value for key, value in kind.items() if key != "share"}
        return stream((10.0, 0.0), (40.0, kind["share"]), **rest)  # type: ignore[arg-type]

    found = fires_after(decider(name), part(cause))
    assert found is not None
    assert found > 10.0
    assert fires_after(decider(name), part(healthy)) is None


@pytest.mark.parametrize("name", ["5xx above 2%", "p99 latency > 2s", "Error rate > 2% for 1 min"])
def test_a_share_at_the_highest_healthy_one_raises_no_alarm(name: str) -> None:
    slow_s = 2.5 if "latency" in name else 0.0
    assert fires_after(decider(name), stream((200.0, 0.01), slow_s=slow_s, seed=5)) is None


LASTING: tuple[tuple[str, dict[str, float]], ...] = (
    ("Error Rate >10% for 5 min", {}),
    ("5xx above 10% for 5 minutes", {}),
    ("p99 latency > 2s for 5 minutes", {"slow_s": 2.5}),
)  # fmt: skip


@pytest.mark.parametrize(("name", "rest"), LASTING)
@pytest.mark.parametrize("share", [1.0, 0.3])
def test_a_burst_that_is_shorter_than_its_duration_does_not_fire_and_a_longer_one_does(
    name: str, rest: dict[str, float], share: float
) -> None:
    # Five minutes at pace 20 are fifteen seconds.
    def fired(lasts_s: float) -> float | None:
        parts = ((10.0, 0.0), (lasts_s, share), (30.0, 0.0))
        return fires_after(decider(name, pace=20.0), stream(*parts, **rest))  # type: ignore[arg-type]

    assert fired(14.0) is None
    found = fired(17.0)
    assert found is not None
    assert 25.0 - 0.2 <= found <= 25.0 + 1.0


def test_a_pause_begins_the_duration_anew() -> None:
    made = decider("Error Rate >10% for 5 min", pace=20.0)
    parts = ((10.0, 0.0), (10.0, 0.5), (3.0, 0.0), (10.0, 0.5), (20.0, 0.0))
    assert fires_after(made, stream(*parts)) is None


def test_healthy_errors_after_a_burst_do_not_make_it_longer() -> None:
    made = decider("Error Rate >10% for 5 min", pace=20.0)
    parts = ((10.0, 0.01), (14.0, 0.5), (60.0, 0.01))
    assert fires_after(made, stream(*parts)) is None


def test_milder_errors_before_it_do_not_count_for_the_duration() -> None:
    made = decider("Error Rate >20% for 5 min", pace=20.0)
    parts = ((30.0, 0.06), (14.0, 0.6), (30.0, 0.06))
    assert fires_after(made, stream(*parts)) is None


def test_a_decision_waits_for_the_duration() -> None:
    made = decider("Error Rate >10% for 5 min", pace=20.0)
    first: float | None = None
    for i, one in enumerate(stream((10.0, 0.0), (30.0, 0.5))):
        made.observe(one)
        if i % 10 == 9 and first is None and made.decide(one.done):
            first = one.done
    assert first is not None
    assert 24.8 <= first <= 29.5  # and at most SHARPEN_S later


@pytest.mark.parametrize("share", [0.12, 0.5])
def test_a_run_lasts_as_long_as_what_made_it(share: float) -> None:
    for seed in range(5):
        run = Run(0.1)
        longest = since = 0.0
        for one in stream((20.0, 0.0), (60.0, share), (20.0, 0.0), seed=seed):
            run.update(one.outcome is not Outcome.OK, one.done)
            if run.lasted_s > longest:
                longest, since = run.lasted_s, run.since
        assert longest <= 60.0 + 1e-9
        assert longest >= 55.0
        assert since >= 20.0


def probe(status: int, other: int = 200) -> ProbeSample:
    return ProbeSample({"host-1": status, "host-2": other}, {}, None, None, {})


@pytest.mark.parametrize(
    ("name", "statuses", "fires"),
    [
        ("Health check failing", [503] * 12, True),
        ("Health check failing", [0] * 12, True),
        ("Health check failing", [503] * 6, False),  # as long as a restart takes
        ("Health check failing", ([503] * 4 + [200]) * 6, False),
        ("Health check failing", [200] * 40, False),
        ("Health checks failing for 10 minutes", [503] * 18, False),
        ("Health checks failing for 10 minutes", [503] * 22, True),
        ("Health checks failing on all hosts", [503] * 22, False),
    ],
)
def test_a_health_check_must_fail_for_as_long_as_it_says(
    name: str, statuses: list[int], fires: bool
) -> None:
    made = decider(name)
    for i, status in enumerate(statuses):
        made.probe(probe(status), i / 2)
    assert bool(made.newly_fired()) is fires


def test_health_checks_of_all_hosts_must_fail_where_the_runbook_says_so() -> None:
    made = decider("Health checks failing on all hosts")
    for i in range(12):
        made.probe(probe(503, 0), i / 2)
    assert made.newly_fired()


@pytest.mark.parametrize("name", ["API down", "Site is down", "no successful request"])
@pytest.mark.parametrize(("lasts_s", "fires"), [(4.0, False), (6.0, True)])
def test_an_outage_without_a_duration_is_longer_than_a_restart(
    name: str, lasts_s: float, fires: bool
) -> None:
    made = decider(name)
    parts = ((10.0, 0.0), (lasts_s, 1.0), (5.0, 0.0))
    assert (fires_after(made, stream(*parts, outcome=Outcome.CONNECTION)) is not None) is fires


def test_a_trigger_that_asks_for_more_leaves_the_others_as_sharp_as_they_were() -> None:
    plain = Decider(runbook(), 60.0)
    more = Trigger(Severity.CRITICAL, "p99 latency > 2s for 5 minutes", "", 18)
    both = Decider(runbook(triggers=(*plain.runbook.triggers, more)), 60.0)
    assert math.log(both.detector.run_length / plain.detector.run_length) < 0.2
    for made in (plain, both):
        made.onset(0.0)
        for one in traffic(400, 0.3):
            made.observe(one)
    first, second = plain.decide(4.0), both.decide(4.0)
    assert first
    assert second
    assert first.trigger == second.trigger == "Error Rate >10%"


@pytest.mark.parametrize(
    ("outcomes", "statuses", "fires"),
    [
        ({"ok": 40, "server_error": 10}, {"500": 10}, {"5xx", "500"}),
        ({"ok": 40, "server_error": 10}, {"501": 10}, {"5xx"}),
        ({"ok": 40, "unavailable": 10}, {"503": 10}, {"5xx"}),
        ({"ok": 40, "server_error": 10}, {}, {"5xx"}),  # an old record
        ({"ok": 30, "rejected": 5, "invalid_cursor": 15}, {"400": 16, "404": 4}, {"400"}),
        ({"ok": 40, "rejected": 10}, {"404": 10}, set()),
        ({"ok": 40, "timeout": 10}, {}, set()),
    ],
)
def test_a_record_tells_what_was_answered_with_which_status(
    outcomes: dict[str, int], statuses: dict[str, int], fires: set[str], tmp_path: Path
) -> None:
    timeline = Timeline(tmp_path / "timeline.jsonl")
    latencies = Histogram([0.02] * 50).to_text()
    for i in range(60):
        kinds, seen = (outcomes, statuses) if i >= 20 else ({"ok": 50}, {})
        second = TrafficSecond(1_000_000 + i, kinds, {}, {}, latencies, "", seen)
        timeline.record(second, 1_000_001.0 + i)
    timeline.close()
    names = {"5xx": "5xx above 5%", "500": "HTTP 500 errors > 2 %", "400": "HTTP 400 above 20%"}
    texts = [Trigger(Severity.MEDIUM, name, "", 11) for name in names.values()]
    said = replay(timeline.path, runbook(triggers=tuple(texts), rows=QUIET))
    assert {event.trigger for _, event in said.fired} == {names[one] for one in fires}


def test_a_second_counts_the_statuses_of_bad_answers() -> None:
    second, clients = Second(), Clients()
    for outcome in (Outcome.OK, Outcome.SERVER_ERROR, Outcome.UNAVAILABLE, Outcome.UNAVAILABLE):
        second.add(Observation(1.0, 1.0, 1.1, "c", "o", STATUS[outcome], outcome, ""), clients)
    second.add(Observation(1.0, 1.0, 1.1, "c", "o", 0, Outcome.CONNECTION, ""), clients)
    assert second.to_event(1).statuses == {"500": 1, "503": 2}
