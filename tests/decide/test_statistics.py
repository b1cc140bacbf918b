"""Bounds against scipy as the oracle, and their properties."""

from __future__ import annotations

import bisect
import math
import random
from dataclasses import dataclass

import numpy as np
import pytest
import scipy  # loads `stats`, which takes a second, when it is asked for
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rollback_drill.decide.statistics import (
    error_rate_proven_below,
    lower_bound,
    more_needed,
    p95_proven_below,
    proportion,
    quantile_bounds,
    quantile_upper_bound,
    share_sentence,
    theil_sen,
    upper_bound,
)
from rollback_drill.ground.verdict import Verdict
from rollback_drill.traffic.histogram import Histogram


@dataclass
class Sorted:
    values: list[float]

    @property
    def count(self) -> int:
        return len(self.values)

    def count_above(self, limit_s: float) -> int:
        return len(self.values) - bisect.bisect_left(self.values, limit_s)


counts = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None)  # the first one loads what it needs
@given(counts)
def test_proportion_equals_scipys_exact_interval(hits_n: tuple[int, int]) -> None:
    hits, n = hits_n
    expected = scipy.stats.binomtest(hits, n).proportion_ci(0.95, method="exact")
    found = proportion(hits, n)
    assert found.low == pytest.approx(expected.low, abs=1e-9)
    assert found.high == pytest.approx(expected.high, abs=1e-9)


@given(counts)
def test_one_sided_bounds_equal_scipys(hits_n: tuple[int, int]) -> None:
    hits, n = hits_n
    less = scipy.stats.binomtest(hits, n, alternative="less").proportion_ci(0.95, method="exact")
    greater = scipy.stats.binomtest(hits, n, alternative="greater").proportion_ci(
        0.95, method="exact"
    )
    assert upper_bound(hits, n) == pytest.approx(less.high, abs=1e-9)
    assert lower_bound(hits, n) == pytest.approx(greater.low, abs=1e-9)


@given(counts, st.sampled_from([0.01, 0.05, 0.1, 0.2]))
def test_verdict_follows_from_the_bounds(hits_n: tuple[int, int], limit: float) -> None:
    hits, n = hits_n
    proof = error_rate_proven_below(hits, n, limit)
    assert (proof.verdict is Verdict.PASSED) == (upper_bound(hits, n) < limit)
    assert (proof.verdict is Verdict.FAILED) == (lower_bound(hits, n) >= limit)


def test_one_percent_takes_299_good_requests() -> None:
    assert error_rate_proven_below(0, 298, 0.01).verdict is Verdict.UNKNOWN
    assert error_rate_proven_below(0, 299, 0.01).verdict is Verdict.PASSED
    assert more_needed(0, 0, 0.01) == 299


def test_p95_takes_59_quick_requests() -> None:
    assert p95_proven_below(0, 58, 0.5).verdict is Verdict.UNKNOWN
    assert p95_proven_below(0, 59, 0.5).verdict is Verdict.PASSED


def test_nothing_observed_is_unknown_never_passed() -> None:
    assert error_rate_proven_below(0, 0, 0.5).verdict is Verdict.UNKNOWN
    assert p95_proven_below(0, 0, 0.5).verdict is Verdict.UNKNOWN


def test_a_broken_service_is_proven_above_the_limit() -> None:
    proof = error_rate_proven_below(40, 100, 0.01)
    assert proof.verdict is Verdict.FAILED
    assert "40 of 100 requests failed" in proof.sentence
    assert p95_proven_below(40, 100, 0.5).verdict is Verdict.FAILED


def test_an_unknown_says_how_many_more_requests_it_takes() -> None:
    proof = error_rate_proven_below(0, 200, 0.01)
    assert "it takes 99 more requests" in proof.sentence


@given(counts, st.sampled_from([0.01, 0.05]))
def test_more_needed_is_the_least_number_that_suffices(
    hits_n: tuple[int, int], limit: float
) -> None:
    hits, n = hits_n
    more = more_needed(hits, n, limit)
    assert more is not None
    assume(more > 0)
    assert upper_bound(hits, n + more) < limit
    assert more == 1 or upper_bound(hits, n + more - 1) >= limit


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="5 of 4"):
        upper_bound(5, 4)


def test_the_sentence_reads_well() -> None:
    assert share_sentence(412, 1024, "failed") == (
        "412 of 1,024 requests failed (40.2 %, 95 % interval 37.2–43.3 %)"
    )


@pytest.mark.parametrize("p", [0.005, 0.05, 0.3])
def test_bounds_cover_the_truth_as_often_as_they_say(p: float) -> None:
    n = 400
    hits = np.arange(n + 1)
    chance = scipy.stats.binom.pmf(hits, n, p)
    wrong_high = sum(c for k, c in zip(hits, chance, strict=True) if upper_bound(int(k), n) < p)
    wrong_low = sum(c for k, c in zip(hits, chance, strict=True) if lower_bound(int(k), n) > p)
    assert wrong_high <= 0.05
    assert wrong_low <= 0.05


@settings(deadline=None)
@given(st.integers(59, 800), st.integers(0, 10_000))
def test_quantile_bounds_equal_scipys(n: int, seed: int) -> None:
    sample = sorted(random.Random(seed).random() for _ in range(n))
    low, high = quantile_bounds(sample)
    upper = scipy.stats.quantile_test(
        sample, q=0.5, p=0.95, alternative="less"
    ).confidence_interval(0.95)
    lower = scipy.stats.quantile_test(
        sample, q=0.5, p=0.95, alternative="greater"
    ).confidence_interval(0.95)
    assert high == upper.high
    assert low == lower.low


def test_quantile_bounds_of_small_samples_are_none() -> None:
    assert quantile_bounds([]) == (None, None)
    assert quantile_bounds([0.1] * 58)[1] is None
    assert quantile_bounds([0.1] * 59)[1] == 0.1


@given(st.integers(59, 500), st.integers(0, 10_000))
def test_the_histograms_bound_is_the_samples_bound(n: int, seed: int) -> None:
    sample = sorted(random.Random(seed).random() for _ in range(n))
    assert quantile_upper_bound(Sorted(sample)) == pytest.approx(
        quantile_bounds(sample)[1], abs=1e-6
    )


def test_the_bound_of_a_real_histogram_is_the_samples_within_its_resolution() -> None:
    chance = random.Random(1)
    sample = sorted(chance.expovariate(50) for _ in range(400))
    exact = quantile_bounds(sample)[1]
    assert quantile_upper_bound(Histogram(sample)) == pytest.approx(exact, rel=0.02)


def test_the_histograms_bound_needs_enough_values() -> None:
    assert quantile_upper_bound(Sorted([0.01] * 58)) is None


def test_theil_sen_on_single_samples_equals_scipys() -> None:
    noise = random.Random(3)
    y = [3.0 * i + noise.gauss(0, 5) for i in range(30)]
    slope, _, low, high = scipy.stats.theilslopes(y, list(range(30)), alpha=0.9)
    found = theil_sen([float(i) for i in range(31)], [*y, y[-1]], block_s=1.0)
    assert found.estimate == pytest.approx(slope, rel=0.02)
    assert found.low == pytest.approx(low, rel=0.05)
    assert found.high == pytest.approx(high, rel=0.05)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("grain", [0.0, 2.0], ids=["all differ", "many are equal"])
def test_theil_sen_equals_scipys(confidence: float, grain: float) -> None:
    for seed in range(40):
        noise = random.Random(seed)
        n = noise.randrange(6, 40)
        y = [noise.gauss(0.1 * i, 3) for i in range(n)]
        y = [round(value / grain) * grain if grain else value for value in y]
        # The very last sample opens no block of its own: it is the second one of the last.
        slope, _, low, high = scipy.stats.theilslopes(y, range(n), alpha=1 - 2 * (1 - confidence))
        found = theil_sen(
            [*range(n), n - 1 + 1e-9], [*y, y[-1]], block_s=1.0 - 1e-12, confidence=confidence
        )
        assert (found.low, found.estimate, found.high) == pytest.approx((low, slope, high))


def _walk(seed: int, slope: float, n: int = 240) -> tuple[list[float], list[float]]:
    """Half-second samples of an autocorrelated level around a trend."""
    noise, level, values = random.Random(seed), 0.0, []
    for i in range(n):
        level = 0.8 * level + noise.gauss(0, 1.0)
        values.append(100.0 + slope * i / 2 + level)
    return [i / 2 for i in range(n)], values


def test_autocorrelated_noise_is_rarely_called_a_trend() -> None:
    alarms = sum(theil_sen(*_walk(seed, 0.0)).low > 0.0 for seed in range(400))
    assert alarms <= 0.09 * 400  # 5 % nominal; plain samples give three times that


def test_a_leak_is_proven() -> None:
    assert all(theil_sen(*_walk(seed, 0.2)).low > 0.05 for seed in range(50))


def test_too_few_blocks_prove_nothing() -> None:
    found = theil_sen([0.0, 1.0, 2.0], [1.0, 2.0, 3.0])
    assert found.low == -math.inf
    assert theil_sen([], []).low == -math.inf
    with pytest.raises(ValueError, match="2 times but 1 values"):
        theil_sen([0.0, 1.0], [1.0])
