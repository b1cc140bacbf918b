"""Virtual time: whoever is due first goes on, nothing is waited for, and the course is the same."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator

import pytest

from rollback_drill.ground import clock
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.virtual import NobodyGoesOn, VirtualClock, virtual_time
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.told import ObserverDied
from rollback_drill.record.watched import Watched, reported_to

BEGIN = 1_800_000_000.0


@pytest.fixture
def virtual() -> Iterator[VirtualClock]:
    one = VirtualClock(BEGIN)
    with clock.kept_by(one):
        yield one


def test_hours_pass_at_once(virtual: VirtualClock) -> None:
    began = time.monotonic()
    clock.sleep(36_000)
    assert clock.now() == BEGIN + 36_000
    assert time.monotonic() - began < 60


def test_the_machine_keeps_the_time_again_afterwards() -> None:
    with clock.kept_by(VirtualClock(BEGIN)):
        clock.sleep(1)
    assert abs(clock.now() - time.time()) < 60


def test_whoever_is_due_first_goes_on(virtual: VirtualClock) -> None:
    told = []

    def tick(name: str, every_s: float) -> None:
        for _ in range(3):
            clock.sleep(every_s)
            told.append((name, round(clock.monotonic(), 3)))

    workers = [Watched("slow", tick, "slow", 2.0), Watched("quick", tick, "quick", 0.9)]
    for one in workers:
        one.start()
    for one in workers:
        one.end(60)
    assert told == [
        ("quick", 0.9),
        ("quick", 1.8),
        ("slow", 2.0),
        ("quick", 2.7),
        ("slow", 4.0),
        ("slow", 6.0),
    ]


def test_a_signal_wakes_who_waits_and_a_timeout_does_too(virtual: VirtualClock) -> None:
    signal = clock.signal()
    found = []
    waits = Watched("waits", lambda: found.append((signal.wait(10), clock.monotonic()))).start()
    gives_up = Watched(
        "gives up", lambda: found.append((signal.wait(1), clock.monotonic()))
    ).start()
    clock.sleep(3)
    signal.set()
    waits.end(60)
    gives_up.end(60)
    assert found == [(False, 1.0), (True, 3.0)]


def test_a_lock_is_held_while_time_passes(virtual: VirtualClock) -> None:
    lock = clock.lock()
    told = []

    def hold(name: str) -> None:
        with lock:
            told.append(f"{name} has it")
            clock.sleep(5)
            told.append(f"{name} gives it back")

    workers = [Watched(name, hold, name).start() for name in ("one", "two")]
    for one in workers:
        one.end(60)
    assert told == ["one has it", "one gives it back", "two has it", "two gives it back"]


def test_at_once_takes_as_long_as_the_longest(virtual: VirtualClock) -> None:
    def wait(seconds: float) -> float:
        clock.sleep(seconds)
        return seconds * 2

    assert clock.at_once(wait, [3.0, 1.0, 2.0]) == [6.0, 2.0, 4.0]
    assert clock.monotonic() == 3.0


def test_at_once_tells_of_a_failure_before_it_raises(virtual: VirtualClock) -> None:
    told = []

    def fail(text: str) -> None:
        raise ValueError(text)

    with pytest.raises(ValueError, match="first"):
        clock.at_once(fail, ["first", "second"], lambda: told.append("told"))
    assert told == ["told"]


def test_a_wait_ends_at_its_deadline(virtual: VirtualClock) -> None:
    with pytest.raises(WaitTimeout):
        for _ in wait_until("what never comes", 90):
            pass
    assert clock.monotonic() == pytest.approx(90, abs=0.1)


def test_nobody_is_left_to_go_on(virtual: VirtualClock) -> None:
    with pytest.raises(NobodyGoesOn):
        clock.signal().wait()


def test_whatever_a_worker_dies_of_is_told(virtual: VirtualClock) -> None:
    deaths: list[ObserverDied] = []

    def die() -> None:
        clock.sleep(1)
        raise ValueError("broken")

    with reported_to(deaths.append):
        Watched("observer", die).start().end(60)
    assert [one.observer for one in deaths] == ["observer"]


def test_whoever_still_waits_is_ended_with_the_time_and_told_to_nobody() -> None:
    deaths: list[ObserverDied] = []
    ended: list[str] = []

    def wait_for_ever(name: str) -> None:
        try:
            clock.signal().wait()
        finally:
            ended.append(name)
            with contextlib.suppress(Exception):
                clock.sleep(3_600)  # nobody waits any more

    with virtual_time(BEGIN):
        waiting = [Watched(name, wait_for_ever, name).start() for name in ("one", "two")]
        clock.sleep(1)
        never = Watched("never", wait_for_ever, "never").start()
        assert ended == []
    assert sorted(ended) == ["one", "two"]
    with reported_to(deaths.append):
        del waiting, never
        gc.collect()
    assert deaths == []


def test_time_ends_where_its_block_breaks() -> None:
    ended: list[str] = []

    def wait() -> None:
        try:
            clock.sleep(60)
        finally:
            ended.append("worker")

    def break_off() -> None:
        with virtual_time(BEGIN):
            clock.worker("worker", wait).start()
            clock.sleep(1)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        break_off()
    assert ended == ["worker"]


def test_the_first_to_go_on_is_one_who_has_not_begun(virtual: VirtualClock) -> None:
    begun = clock.signal()
    clock.worker("worker", begun.set).start()
    assert begun.wait(60)
    assert clock.monotonic() == 0.0
