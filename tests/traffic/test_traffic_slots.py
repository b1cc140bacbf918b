"""Windows between tenths of a second hold what was due in them, and nothing that is under way."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rollback_drill.record.timeline import Timeline
from rollback_drill.traffic.live import Traffic, _Lines, _Locust
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.schedule import SLOTS, Schedule
from rollback_drill.traffic.slots import Slots

START, RATE = 1_000.04, 50.0


def ok(due: float, outcome: Outcome = Outcome.OK) -> Observation:
    return Observation(due, due, due + 0.01, "c000", "details", 200, outcome, "")


@pytest.fixture
def traffic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Traffic:
    """Traffic that was observed for 400 s, but for one request that is under way since 399.57 s."""
    made = Traffic("http://127.0.0.1:1", "", RATE, 1, tmp_path, Timeline(tmp_path / "t.jsonl"))
    generator = _Locust.__new__(_Locust)
    generator.schedule, generator.total = Schedule(START, RATE), None
    generator.vouched_until, generator.unread = 0.0, 0
    generator._health = generator._observations = _Lines(tmp_path / "none")
    made._generators = [generator]
    clock = START
    monkeypatch.setattr("rollback_drill.traffic.live.now", lambda: clock)
    for i in range(math.floor(400 * RATE)):
        due = generator.schedule.due(i)
        if due != pytest.approx(START + 399.52):
            made._take(ok(due, Outcome.SERVER_ERROR if due < START + 200 else Outcome.OK))
        if i % 25 == 0:
            clock = due
            made._complete()
    clock = START + 400
    made._complete()
    return made


@pytest.mark.parametrize(
    ("start", "end"), [(1_330.0, 1_331.0), (1_330.13, 1_333.77), (1_330.3, 1_330.4), (1_000, 1_390)]
)
def test_it_holds_what_was_due_in_it(traffic: Traffic, start: float, end: float) -> None:
    seen = traffic.window(start, end)
    assert start <= seen.start < start + 0.1
    assert end - 0.1 < seen.until <= end
    dues = [Schedule(START, RATE).due(i) for i in range(20_000)]
    assert seen.sent == sum(seen.start <= due < seen.until for due in dues)


def test_it_ends_before_the_first_tenth_with_a_request_under_way(traffic: Traffic) -> None:
    seen = traffic.window(START + 390)
    assert seen.until == pytest.approx(1_399.5)
    late = traffic.window(START + 399.6)
    assert (late.sent, late.until) == (0, late.start)


def test_nothing_from_before_it_counts(traffic: Traffic) -> None:
    begin = START + 200 + 0.06
    assert traffic.window(begin).failures == 0
    assert traffic.window(begin - 0.2).failures > 0


def test_one_that_began_minutes_ago_is_made_of_whole_seconds(traffic: Traffic) -> None:
    seen = traffic.window(1_050.35, 1_100.35)
    assert (seen.start, seen.until) == (1_051, 1_100)
    assert seen.sent == 49 * RATE
    from_of_old = traffic.window(0)
    assert from_of_old.sent == sum(
        Schedule(START, RATE).due(i) < from_of_old.until for i in range(20_000)
    )


def test_only_the_last_minutes_are_kept(traffic: Traffic) -> None:
    assert len(traffic._slots._seen) < 200 * SLOTS


def test_nothing_is_known_before_it_began() -> None:
    slots = Slots()
    first, until = slots.bounds(1_000.0, None)
    assert first == until
