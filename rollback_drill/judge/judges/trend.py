"""Does a rollback take longer than it used to? A ratio to earlier drills, with their noise."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence

from scipy.special import stdtrit

from rollback_drill.conduct.told import EarlierDrills, Restored
from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging

LEAST = 5
"""Fewer earlier drills say nothing about how much their times vary."""
LEVEL = 0.99
_WORTH = 1.25  # a smaller ratio is nobody's regression, however sure
_LEAST_SPREAD = math.log(1.1)  # of times: as if no machine were more even than that


@judging(170)
def of_trend(book: Book) -> Iterator[Cause]:
    """A rollback that takes provably longer than it used to."""
    restored, earlier = book.last(Restored), book.last(EarlierDrills)
    if restored is None or earlier is None:
        return
    verdict, told = judge_restore_time(restored.after_s, earlier.restored_s)
    if verdict is Verdict.FAILED:
        advice = "find what made it slower, or remove the lines of HISTORY that no longer compare"
        yield Cause(verdict, "Time to restore", "a regression", told, advice)


def judge_restore_time(restored_s: float, earlier: Sequence[float]) -> tuple[Verdict, str]:
    """Judge a time to restore by those of `earlier` drills, both in seconds.

    Failed when it lies above the one-sided prediction interval for one more value of a lognormal
    distribution, exp(m + t·s·√(1 + 1/n)) (Hahn and Meeker, Statistical Intervals, 4.7 with logs),
    and is a quarter above their median as well. Unknown with too few of them.
    """
    n = len(earlier)
    if n < LEAST:
        return Verdict.UNKNOWN, f"{n} earlier drills compare, {LEAST} are needed"
    limit = _reach(earlier)
    median = statistics.median(earlier)
    told = (
        f"restored after {restored_s:.1f} s, {restored_s / median:.2f} of the median of {n} "
        f"earlier drills ({median:.1f} s); {LEVEL:.0%} of such drills stay below {limit:.1f} s"
    )
    worse = restored_s > limit and restored_s > _WORTH * median
    return (Verdict.FAILED if worse else Verdict.PASSED), told


def regression_limit(earlier: Sequence[float]) -> float | None:
    """Return above which time to restore (s) a drill fails after `earlier` ones, None where they
    are too few to say.
    """
    if len(earlier) < LEAST:
        return None
    return max(_reach(earlier), _WORTH * statistics.median(earlier))


def _reach(earlier: Sequence[float]) -> float:
    """Return the upper end of the prediction interval."""
    n = len(earlier)
    logs = [math.log(value) for value in earlier]
    spread = max(statistics.stdev(logs), _LEAST_SPREAD)
    reach = float(stdtrit(n - 1, LEVEL)) * spread * math.sqrt(1 + 1 / n)
    return math.exp(statistics.fmean(logs) + reach)
