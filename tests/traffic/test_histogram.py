import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_drill.traffic.histogram import RELATIVE_ERROR, SMALLEST_S, Histogram, buckets, merged

latencies = st.lists(st.floats(min_value=2 * SMALLEST_S, max_value=1_000.0), min_size=1)
quantiles = st.floats(min_value=0.0, max_value=1.0)
# Logarithms and powers are rounded too, by far less than a millionth of the bound.
_BOUND = RELATIVE_ERROR * (1 + 1e-6)


@given(latencies, quantiles)
def test_a_quantile_is_within_one_percent_of_numpys(values: list[float], q: float) -> None:
    true = float(np.quantile(values, q, method="inverted_cdf"))
    near = sorted(values)
    rank = max(1, math.ceil(q * len(values) * (1 - 1e-12)))
    # numpy and we may round a rank that is almost a whole number to different neighbours.
    candidates = (true, near[rank - 1])
    found = Histogram(values).quantile(q)
    assert any(abs(found - candidate) <= _BOUND * candidate for candidate in candidates)


@given(latencies, st.floats(min_value=2 * SMALLEST_S, max_value=1_000.0))
def test_count_above_errs_only_within_one_percent(values: list[float], limit: float) -> None:
    found = Histogram(values).count_above(limit)
    assert sum(v > limit * (1 + 2 * _BOUND) for v in values) <= found
    assert found <= sum(v > limit * (1 - 2 * _BOUND) for v in values)


@given(st.lists(latencies, min_size=1))
def test_merging_equals_counting_everything_in_one(parts: list[list[float]]) -> None:
    whole = merged(map(Histogram, parts))
    assert whole == Histogram(value for part in parts for value in part)
    assert whole.count == sum(map(len, parts))


@given(st.lists(st.floats(min_value=0.0, max_value=1e9)))
def test_text_brings_back_the_same_histogram(values: list[float]) -> None:
    histogram = Histogram(values)
    again = Histogram.from_text(histogram.to_text())
    assert again == histogram
    assert again.count == histogram.count == sum(count for _, count in buckets(again))


@pytest.mark.parametrize("spread", [0.1, 0.5, 2.0])
def test_a_second_of_a_hundred_requests_takes_less_than_600_bytes(spread: float) -> None:
    draw = random.Random(7)
    values = [draw.lognormvariate(-4, spread) for _ in range(100)]
    assert len(Histogram(values).to_text().encode()) < 600


def test_extremes_are_kept_in_the_outermost_buckets() -> None:
    histogram = Histogram([-1.0, 0.0, SMALLEST_S / 10, 1e30])
    assert histogram.quantile(0.5) == pytest.approx(SMALLEST_S, rel=0.02)
    assert histogram.count_above(1e5) == 1
    assert Histogram.from_text(histogram.to_text()) == histogram


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not a latency"):
        Histogram([value])


def test_nothing_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="nothing was counted"):
        Histogram().quantile(0.95)


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_a_quantile_outside_0_to_1_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Histogram([1.0]).quantile(q)


@pytest.mark.parametrize("text", ["x", "1*0", "3 0", "3 -1", "-2", "1*2*3", "99999999"])
def test_a_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a histogram|invalid literal"):
        Histogram.from_text(text)
