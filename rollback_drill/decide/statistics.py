"""Bounds instead of point estimates: proportions, quantiles, trends. Sources stand by each.

`scipy.stats` takes a second to load; the functions that are needed here stand in `scipy.special`,
which takes a third: a drill has it loaded while its stage comes up (`load_bounds`). The tests ask
`scipy.stats`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist, median
from typing import Protocol

from rollback_drill.ground.verdict import Verdict

CONFIDENCE = 0.95  # what the sentences call proven; one-sided, unless an interval is named
P95 = 0.95
_BLOCK_S = 10.0  # block means of this length are all but independent for memory and latency
_BLOCKS = 6  # at the least, for short windows: fewer cannot exclude "no trend" at 95 %
_MOST_NEEDED = 10_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence bounds, in the estimate's unit."""

    low: float
    estimate: float
    high: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What a sample proves about a limit. `bound` is the confidence bound that decided.

    PASSED: proven below; FAILED: proven at or above; UNKNOWN: more evidence is needed.
    `too_few`: so much more that this many could not have proven it, whatever they had been.
    """

    verdict: Verdict
    bound: float
    sentence: str
    too_few: bool = False


class LatencyCounts(Protocol):
    """What a baseline's histogram must tell."""

    @property
    def count(self) -> int:
        """How many latencies were recorded."""
        ...

    def count_above(self, limit_s: float) -> int:
        """How many of them were `limit_s` seconds or longer, within the histogram's resolution."""
        ...


def load_bounds() -> None:
    """Load what the bounds are computed with, so that the first of them does not take longer."""
    import scipy.special  # noqa: F401


def upper_bound(hits: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided Clopper–Pearson upper bound of a proportion; 1 for n = 0.

    The p at which P(X ≤ hits) = 1 − confidence: the quantile `confidence` of
    Beta(hits + 1, n − hits). Clopper & Pearson, Biometrika 26 (1934).
    """
    from scipy.special import betaincinv

    _check_counts(hits, n)
    return 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, confidence))


def lower_bound(hits: int, n: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided Clopper–Pearson lower bound of a proportion; 0 for n = 0.

    The quantile 1 − confidence of Beta(hits, n − hits + 1). See `upper_bound`.
    """
    from scipy.special import betaincinv

    _check_counts(hits, n)
    return 0.0 if hits == 0 else float(betaincinv(hits, n - hits + 1, 1.0 - confidence))


def proportion(hits: int, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the two-sided Clopper–Pearson interval: both one-sided bounds at (1 + c) / 2."""
    side = (1.0 + confidence) / 2.0
    estimate = hits / n if n else math.nan
    return Interval(lower_bound(hits, n, side), estimate, upper_bound(hits, n, side))


def share_sentence(hits: int, n: int, what: str, confidence: float = CONFIDENCE) -> str:
    """Return "412 of 1,024 requests failed (40.2 %, 95 % interval 37.2–43.3 %)"."""
    if n == 0:
        return f"no requests were seen, so nothing is known of how many {what}"
    seen = proportion(hits, n, confidence)
    return (
        f"{hits:,} of {n:,} requests {what} ({percent_text(seen.estimate)}, "
        f"{confidence * 100:g} % interval {seen.low * 100:.1f}–{percent_text(seen.high)})"
    )


def percent_text(share: float) -> str:
    """Return "40.2 %" for 0.402."""
    return f"{share * 100:.1f} %"


def error_rate_proven_below(
    failures: int, n: int, limit: float, confidence: float = CONFIDENCE
) -> Proof:
    """Judge whether the error rate is below `limit` (a fraction).

    Passed when the Clopper–Pearson upper bound is below it, failed when the lower bound is at
    or above it. Without a failure, 1 % takes ⌈ln 0.05 / ln 0.99⌉ = 299 requests.
    """
    return _share_below(
        failures, n, limit, confidence, "failed", f"the error rate is below {limit * 100:g} %"
    )


def p95_proven_below(
    count_above_limit: int,
    n: int,
    limit_s: float,
    confidence: float = CONFIDENCE,
    quantile: float = P95,
) -> Proof:
    """Judge whether the 95th percentile of latency is below `limit_s` seconds.

    p95 < T is the same as P(latency ≥ T) < 5 %, a proportion: see `error_rate_proven_below`.
    `count_above_limit`: latencies of at least `limit_s`. It takes 59 requests at the least.
    """
    return _share_below(
        count_above_limit,
        n,
        round(1.0 - quantile, 9),
        confidence,
        f"took {limit_s * 1000:g} ms or longer",
        f"the p{quantile * 100:g} is below {limit_s * 1000:g} ms",
    )


def more_needed(hits: int, n: int, limit: float, confidence: float = CONFIDENCE) -> int | None:
    """Return how many more requests, none of them a hit, prove the share below `limit`.

    None when that takes more than ten million.
    """
    low, high = n, max(2 * n, 64)
    while upper_bound(hits, high, confidence) >= limit:
        low, high = high, 2 * high
        if high > _MOST_NEEDED:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if upper_bound(hits, middle, confidence) < limit:
            high = middle
        else:
            low = middle
    return high - n


def _share_below(
    hits: int, n: int, limit: float, confidence: float, what: str, claim: str
) -> Proof:
    seen = share_sentence(hits, n, what)
    upper = upper_bound(hits, n, confidence)
    how = f"at {confidence * 100:g} % confidence"
    if n and upper < limit:
        bound = f"at most {percent_text(upper)}"
        return Proof(Verdict.PASSED, upper, f"{seen}; {bound}: {claim} {how}")
    lower = lower_bound(hits, n, confidence)
    if lower >= limit:
        bound = f"at least {percent_text(lower)}"
        return Proof(Verdict.FAILED, lower, f"{seen}; {bound}: it is refuted {how} that {claim}")
    more = more_needed(hits, n, limit, confidence)
    need = f"{more:,} more" if more is not None else "too many more"
    return Proof(
        Verdict.UNKNOWN,
        upper,
        f"{seen}; at most {percent_text(upper)}: not proven {how} that {claim}; "
        f"it takes {need} requests of which none counts against it",
        too_few=upper_bound(0, n, confidence) >= limit,
    )


def quantile_bounds(
    sample: Sequence[float], quantile: float = P95, confidence: float = CONFIDENCE
) -> tuple[float | None, float | None]:
    """Return one-sided lower and upper bounds of a quantile from a sorted `sample`.

    None where the sample is too small (the upper bound of the p95 needs n ≥ 59). Order statistics
    (Conover, Practical Nonparametric Statistics, 3.2): X₍ᵢ₎ ≤ quantile unless fewer than i
    values fall at or below it, and that number is Binomial(n, quantile).
    """
    n = len(sample)
    if n == 0:
        return None, None
    upper = _upper_rank(n, quantile, confidence)
    # By symmetry: count the values above the quantile instead of those below it.
    lower = _upper_rank(n, 1.0 - quantile, confidence)
    return (
        None if lower is None else sample[n - lower],
        None if upper is None else sample[upper - 1],
    )


def quantile_upper_bound(
    counts: LatencyCounts, quantile: float = P95, confidence: float = CONFIDENCE
) -> float | None:
    """Return an upper confidence bound, in seconds, of a quantile of a latency histogram.

    The smallest T such that P(latency ≥ T) is proven below 1 − quantile (`upper_bound`), which
    is the order-statistic bound within the histogram's resolution. None: too few values.
    """
    n = counts.count
    share = round(1.0 - quantile, 9)

    def proven(limit_s: float) -> bool:
        return upper_bound(counts.count_above(limit_s), n, confidence) < share

    high = 0.001
    while not proven(high):
        high *= 2.0
        if high > 86_400.0:
            return None
    low = 0.0
    for _ in range(40):
        middle = (low + high) / 2.0
        low, high = (low, middle) if proven(middle) else (middle, high)
    return high


def theil_sen(
    times: Sequence[float],
    values: Sequence[float],
    *,
    block_s: float | None = None,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Return the trend of `values` per second with one-sided bounds at `confidence`.

    The median of all pairwise slopes (Theil 1950) with Sen's interval (1968, JASA 63), as in
    `scipy.stats.theilslopes`, on means of blocks of `block_s` seconds: samples that follow each
    other closely are correlated, and their interval would be too narrow. The default is 10 s,
    less where the window is short. Fewer than 5 blocks prove nothing: the bounds are infinite.
    Raises ValueError when `times` and `values` differ in length.
    """
    if len(times) != len(values):
        raise ValueError(f"{len(times)} times but {len(values)} values")
    if len(times) < 2 or times[-1] <= times[0]:
        return Interval(-math.inf, 0.0, math.inf)
    span = times[-1] - times[0]
    length = block_s if block_s is not None else min(_BLOCK_S, span / _BLOCKS)
    blocks: dict[int, list[tuple[float, float]]] = {}
    last = max(0, math.ceil(span / length) - 1)  # the very last sample opens no block of its own
    for at, value in zip(times, values, strict=True):
        blocks.setdefault(min(last, int((at - times[0]) / length)), []).append((at, value))
    x = [sum(at for at, _ in block) / len(block) for block in blocks.values()]
    y = [sum(value for _, value in block) / len(block) for block in blocks.values()]
    if len(x) < 2:
        return Interval(-math.inf, 0.0, math.inf)
    slopes = sorted((b - a) / (t - s) for (s, a), (t, b) in combinations(zip(x, y, strict=True), 2))
    slope = median(slopes)
    if len(x) < 5:
        return Interval(-math.inf, slope, math.inf)
    low, high = _sens_ranks(y, len(slopes), confidence)
    return Interval(slopes[low], slope, slopes[high])


def _sens_ranks(values: Sequence[float], slopes: int, confidence: float) -> tuple[int, int]:
    """Return where in that many sorted slopes the one-sided bounds lie, by the normal approximation
    of Kendall's statistic, with its correction for values that come more than once (Sen 1968).
    """

    def variance(n: int) -> int:
        return n * (n - 1) * (2 * n + 5)

    ties = sum(variance(count) for count in Counter(values).values() if count > 1)
    sigma = math.sqrt((variance(len(values)) - ties) / 18)
    reach = NormalDist().inv_cdf(confidence) * sigma
    low, high = round((slopes - reach) / 2) - 1, round((slopes + reach) / 2)
    return max(low, 0), min(high, slopes - 1)


def _upper_rank(n: int, quantile: float, confidence: float) -> int | None:
    """Return the smallest rank j with P(Binomial(n, quantile) < j) ≥ confidence, else None."""
    from scipy.special import bdtr, bdtrik

    below = math.ceil(bdtrik(confidence, n, quantile))
    # The inverse is that of a continuous function: it may lie one beyond the first that is enough.
    if below > 0 and bdtr(below - 1, n, quantile) >= confidence:
        below -= 1
    return below + 1 if below + 1 <= n else None


def _check_counts(hits: int, n: int) -> None:
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no proportion")
