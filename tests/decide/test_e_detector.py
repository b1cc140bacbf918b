"""The proof for requests that depend on each other: its formula, its promise and its price."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import islice

import pytest

from bench.dependent import Hits, Traffic, autocorrelated, clusters, independent, paused, spells
from rollback_drill.decide.e_detector import OF_ERRORS, OF_LATENCIES, Blocks, EDetector

RATE = 100
ALPHA = 0.2
RUNS = 100
SIGMA = (ALPHA * (1 - ALPHA) / RUNS) ** 0.5


def fed(to: EDetector, hits: Hits, begin: float = 0.0) -> float:
    """Feed at 100 requests a second; return when it was reached, or the end."""
    at = begin
    for i, hit in enumerate(hits):
        at = begin + i / RATE
        to.update(hit, at)
        if to.reached:
            break
    return at


def test_it_is_the_sum_over_all_beginnings_of_the_products_of_the_bets_until_now() -> None:
    subject = EDetector(0.1, Blocks(0.25, 0.15), (0.3, 0.9))
    chance = random.Random(1)
    shares = []
    for block in range(12):
        hits = [chance.random() < 0.15 for _ in range(25)]
        shares.append(sum(hits) / 25)
        for i, hit in enumerate([*hits, *[True] * 15]):  # what ends in the gap does not count
            subject.update(hit, block * 0.4 + i / RATE)
    subject.update(False, 12 * 0.4)
    total = 0.0
    for bet in (3.0, 9.0):
        for begin in range(12):
            product = 1.0
            for share in shares[begin:]:
                product *= 1.0 + bet * (share - 0.1)
            total += product / 2
    assert subject.blocks == 12
    assert subject.value == pytest.approx(total)


KINDS = {
    "errors": (0.01, OF_ERRORS, 0.95),
    "latencies": (0.05, OF_LATENCIES, 0.98),
}
TRAFFICS: dict[str, Traffic] = {
    "independent": independent, "clusters of 5": clusters(5.0), "clusters of 20": clusters(20.0),
    "spells": spells(20.0), "pauses": paused,
}  # fmt: skip


def false_share(made: Callable[[], EDetector], traffic: Traffic, p: float) -> float:
    """Return in how many runs of a healthy service with the share `p` it was reached."""
    reached = 0
    for seed in range(RUNS):
        subject = made()
        n = round(subject.timing.horizon_s * RATE)
        fed(subject, islice(traffic(random.Random(seed), p), n))
        reached += subject.reached
    return reached / RUNS


def maker(
    p: float, timing: Blocks, bets: tuple[float, ...] | None = None
) -> Callable[[], EDetector]:
    """Make detectors of a hundred seconds. `bets`: times 1/p, whatever they prove."""

    def made() -> EDetector:
        subject = EDetector(p, Blocks(timing.block_s, timing.gap_s, 100.0))
        if bets:
            subject.bets = tuple(bet / p for bet in bets)
            subject._scores = [0.0] * len(bets)
        subject.set_bound(ALPHA)
        return subject

    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [*TRAFFICS, "autocorrelated"])
def test_at_the_highest_acceptable_share_it_is_reached_as_seldom_as_promised(
    name: str, kind: str
) -> None:
    p, timing, memory = KINDS[kind]
    traffic = TRAFFICS.get(name) or autocorrelated(memory)
    assert false_share(maker(p, timing), traffic, p) <= ALPHA + 3 * SIGMA


def test_a_bet_that_is_too_large_breaks_the_promise_and_is_refused() -> None:
    assert false_share(maker(0.01, OF_ERRORS, (1.0,)), independent, 0.01) <= ALPHA + 3 * SIGMA
    assert false_share(maker(0.01, OF_ERRORS, (2.0,)), independent, 0.01) > ALPHA + 3 * SIGMA
    with pytest.raises(ValueError, match="negative"):
        EDetector(0.01, OF_ERRORS, (0.2, 1.01))


def test_without_a_gap_and_with_each_request_by_itself_clusters_break_it() -> None:
    assert false_share(maker(0.01, Blocks(0.01, 0.0)), clusters(5.0), 0.01) > ALPHA + 3 * SIGMA


def drilled(p: float = 0.01, timing: Blocks = OF_ERRORS) -> EDetector:
    """Return one as in a drill: one false in a thousand, over six streams."""
    subject = EDetector(p, timing)
    subject.set_bound(1e-3 / 6)
    return subject


def test_a_total_failure_is_proven_within_three_seconds() -> None:
    assert fed(drilled(), iter([True] * 400)) <= 2.9


def test_of_errors_at_two_percent_none_is_lost() -> None:
    subjects = [drilled() for _ in range(60)]
    for seed, subject in enumerate(subjects):
        fed(subject, islice(independent(random.Random(seed), 0.02), 60_000))
    assert all(subject.reached for subject in subjects)


def test_after_a_long_failure_it_is_forgotten_once_nothing_is_left_of_it() -> None:
    subject = drilled()
    for i in range(100_000):
        subject.update(True, i / RATE)
    assert subject.value <= subject.needed * 4
    for i in range(100_000, 160_000):
        subject.update(False, i / RATE)
    assert not subject.reached


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_how_many_more_requests_it_takes_is_told_and_about_right(share: float) -> None:
    chance = random.Random(4)
    subject = drilled()
    fed(subject, islice(independent(chance, share), 130))
    told = subject.requests_left(0.0)
    assert told
    needed = fed(subject, independent(chance, share), 1.3) * RATE - 130
    assert needed / 2 <= told <= needed * 2 + 65
    assert subject.requests_left(0.0) == 0


def test_nobody_can_tell_how_many_it_takes_where_the_share_is_acceptable() -> None:
    subject = drilled()
    fed(subject, islice(independent(random.Random(1), 0.005), 5_000))
    assert subject.requests_left(0.0) is None


def test_a_request_a_minute_is_a_block_of_its_own() -> None:
    subject = drilled()
    for minute in range(6):
        subject.update(True, 60.0 * minute)
    assert subject.reached
    assert subject.blocks == 5
