"""The exact run length of a CUSUM against known values, another way to compute it, and chance."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pytest

from bench.optimum import delay_of, optimum
from rollback_drill.decide.detector import Stream, alternatives
from rollback_drill.decide.run_length import (
    Steps,
    mean_run_lengths,
    steps_for,
    steps_of,
    threshold_for,
)

ALPHA = 0.2  # high, so that a bound that does not hold is seen within some thousand runs
N = 4_000
RUNS = 2_000
Chance = Callable[[random.Random], Iterator[bool]]


def run_length(steps: Steps, threshold: int, p: float) -> float:
    return next(islice(mean_run_lengths(steps.up, steps.down, p), threshold - 1, None))


@pytest.mark.parametrize(
    ("p1", "c"),
    [(0.02, 6.0), (0.03, 5.06), (0.035, 4.79), (0.05, 4.24),
     (0.07, 3.84), (0.12, 3.27), (0.2, 2.83), (0.5, 1.8)],
)  # fmt: skip
def test_the_logarithm_of_the_run_length_is_the_threshold_and_a_known_constant(
    p1: float, c: float
) -> None:
    # On a lattice every score between two of its points is as good as the upper one.
    steps = steps_for(0.01, p1)
    threshold = threshold_for(steps, 1e9)
    length = math.log(run_length(steps, threshold, 0.01))
    assert length >= math.log(1e9)
    least, most = length - threshold * steps.unit, length - (threshold - 1) * steps.unit
    assert least - 0.02 <= c <= most + 0.02


@pytest.mark.parametrize(
    ("p", "mean"),
    [(0.02, 3569), (0.035, 804), (0.07, 214), (0.12, 90), (0.2, 42.5), (0.5, 12.5), (1.0, 5)],
)
def test_the_optimum_is_the_known_one(p: float, mean: float) -> None:
    assert optimum(0.01, p, 1e9).mean == pytest.approx(mean, rel=0.015)


@pytest.mark.parametrize(
    ("up", "down", "threshold", "p"),
    [
        (68, 1, 400, 0.01),
        (6, 1, 30, 0.01),
        (6, 1, 30, 0.3),
        (1, 1, 6, 0.05),
        (1, 3, 20, 0.4),
        (1, 3, 20, 0.7),
    ],
)
def test_the_recursion_agrees_with_the_chain_solved_as_a_matrix(
    up: int, down: int, threshold: int, p: float
) -> None:
    stays = np.zeros((threshold, threshold))
    for state in range(threshold):
        if state + up < threshold:
            stays[state, state + up] += p
        stays[state, max(0, state - down)] += 1 - p
    expected = np.linalg.solve(np.eye(threshold) - stays, np.ones(threshold))[0]
    assert run_length(Steps(up, down, 1.0, p), threshold, p) == pytest.approx(expected, rel=1e-5)
    if expected < 1e4:  # request by request it takes too long beyond
        assert delay_of(Steps(up, down, 1.0, p), threshold, p).mean == pytest.approx(
            expected, rel=1e-3
        )


@pytest.mark.parametrize("p0", [1e-6, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999])
def test_the_steps_are_the_likelihood_ratios_of_a_rate_near_the_one_asked_for(p0: float) -> None:
    for p1 in alternatives(p0):
        steps = steps_for(p0, p1)
        assert steps.p1 - p0 == pytest.approx(p1 - p0, rel=0.2)
        down = math.log((1 - steps.p1) / (1 - p0))
        assert -steps.down * steps.unit == pytest.approx(down, rel=1e-6)


@pytest.mark.parametrize(("p0", "p1"), [(0.5, 0.6), (0.00001, 0.00002)])
def test_where_no_chain_is_followed_ville_s_bound_holds(p0: float, p1: float) -> None:
    steps = steps_for(p0, p1)
    assert threshold_for(steps, 1e9) == math.ceil(math.log(1e9) / steps.unit)


@pytest.mark.parametrize(("p0", "p1"), [(0.0, 0.1), (0.1, 0.1), (0.2, 0.1), (0.5, 1.0)])
def test_rates_that_are_none_are_refused(p0: float, p1: float) -> None:
    with pytest.raises(ValueError, match="no rates"):
        steps_for(p0, p1)


def false_alarms(steps: Steps, threshold: int, seed: int = 1) -> float:
    """Return in what share of the runs the score reaches the threshold within N requests."""
    chance = np.random.default_rng(seed)
    scores = np.zeros(RUNS, dtype=np.int64)
    alarmed = np.zeros(RUNS, dtype=bool)
    for _ in range(N):
        hits = chance.random(RUNS) < steps.p0
        scores = np.maximum(0, scores + np.where(hits, steps.up, -steps.down))
        alarmed |= scores >= threshold
    return float(alarmed.mean())


def beyond_chance(share: float) -> bool:
    """Whether a share of the runs is more than α and three standard deviations."""
    return share > ALPHA + 3.0 * math.sqrt(ALPHA * (1.0 - ALPHA) / RUNS)


CASES = [(p0, p1) for p0 in (0.01, 0.05) for p1 in alternatives(p0)]


@pytest.mark.parametrize(("p0", "p1"), CASES)
def test_each_threshold_keeps_its_bound_on_false_alarms(p0: float, p1: float) -> None:
    steps = steps_for(p0, p1)
    assert not beyond_chance(false_alarms(steps, threshold_for(steps, N / ALPHA)))


@pytest.mark.parametrize(("p0", "p1"), [case for case in CASES if case[1] <= 0.2])
def test_a_constant_that_is_wrong_by_one_breaks_it(p0: float, p1: float) -> None:
    steps = steps_for(p0, p1)
    lower = threshold_for(steps, N / ALPHA) - round(1.0 / steps.unit)
    assert beyond_chance(false_alarms(steps, lower))


def independent(chance: random.Random) -> Iterator[bool]:
    for _ in range(N):
        yield chance.random() < 0.01


def spaced(chance: random.Random) -> Iterator[bool]:
    """After a hit none for a while: each depends on what came before, none is likelier than p0."""
    quiet = 0
    for _ in range(N):
        hit = quiet == 0 and chance.random() < 0.01
        quiet = 30 if hit else max(0, quiet - 1)
        yield hit


def spelled(chance: random.Random) -> Iterator[bool]:
    """Spells at p0 and without a hit take turns, and how long they last depends on the hits."""
    left, rate = 200, 0.01
    for _ in range(N):
        hit = chance.random() < rate
        left -= 20 if hit else 1
        if left <= 0:
            left, rate = 200, 0.01 - rate
        yield hit


def clustered(chance: random.Random) -> Iterator[bool]:
    """Half of p0 on average, five in a row on average: within a cluster far above p0."""
    inside = False
    for _ in range(N):
        inside = chance.random() < (0.8 if inside else 0.001)
        yield inside


def alarmed_runs(traffic: Chance, runs: int = 200) -> float:
    alarmed = 0
    for seed in range(runs):
        stream = Stream("errors", 0.01, [0.01])
        stream.set_run_length(stream.scores * N / ALPHA)
        alarmed += any(stream.update(hit, 0.0) for hit in traffic(random.Random(seed)))
    return alarmed / runs


@pytest.mark.parametrize("traffic", [independent, spaced, spelled])
def test_a_stream_keeps_the_bound_whatever_came_before_a_request(traffic: Chance) -> None:
    assert alarmed_runs(traffic) <= ALPHA


def test_clusters_break_it_as_the_docs_say() -> None:
    assert alarmed_runs(clustered, 40) > 0.9


def test_a_step_that_would_not_fall_is_none() -> None:
    assert steps_of(3, 1, 0.5) is None
