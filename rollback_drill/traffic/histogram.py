"""A mergeable histogram of latencies whose quantiles are within 1 % of the true ones.

Buckets grow by a constant factor, as in DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully
mergeable quantile sketch with relative-error guarantees", VLDB 2019): a value x falls into bucket
ceil(log(x) / log(gamma)) with gamma = (1 + e) / (1 - e), and the bucket's representative is never
further than e * x away from x. Only buckets that hold something take room.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

RELATIVE_ERROR = 0.01
SMALLEST_S = 1e-6  # anything shorter counts as this: no clock here is finer
_LARGEST_S = 1e6
_MOST = 2**53  # in a bucket: beyond, a float cannot count
_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(_GAMMA)
_FIRST = math.ceil(math.log(SMALLEST_S) / _LOG_GAMMA)
_LAST = math.ceil(math.log(_LARGEST_S) / _LOG_GAMMA) - _FIRST


class Histogram:
    """Counts of latencies in seconds. Two equal histograms hold the same buckets."""

    __slots__ = ("_buckets", "count")

    def __init__(self, latencies: Iterable[float] = ()) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        for latency in latencies:
            self.add(latency)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self._buckets == other._buckets

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Histogram.from_text({self.to_text()!r})"

    def add(self, seconds: float) -> None:
        """Count one latency. Raises ValueError for what is not a finite number.

        Anything below a microsecond, negative too, counts as a microsecond.
        """
        if not math.isfinite(seconds):
            raise ValueError(f"not a latency: {seconds!r}")
        index = _index(seconds)
        self._buckets[index] = self._buckets.get(index, 0) + 1
        self.count += 1

    def merge(self, other: Histogram) -> None:
        """Add everything that `other` has counted."""
        mine = self._buckets
        for index, number in other._buckets.items():
            mine[index] = mine.get(index, 0) + number
        self.count += other.count

    def quantile(self, q: float) -> float:
        """Return the latency in seconds at quantile `q` (0–1): the one of rank ceil(q * count).

        Within 1 % of that latency. Raises ValueError when nothing was counted.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies between 0 and 1, not {q!r}")
        if not self.count:
            raise ValueError("nothing was counted, so there is no quantile")
        # The product may exceed a whole number by rounding alone: 0.07 * 100 is 7.000000000000001.
        rank = max(1, math.ceil(q * self.count * (1 - 1e-12)))
        seen = 0
        for index, number in sorted(self._buckets.items()):
            seen += number
            if seen >= rank:
                return _representative(index)
        raise AssertionError("counts do not add up")

    def count_above(self, threshold_s: float) -> int:
        """Return how many latencies were above `threshold_s`.

        Those within 1 % of the threshold may be counted on either side.
        """
        return sum(n for index, n in self._buckets.items() if _representative(index) > threshold_s)

    def to_text(self) -> str:
        """Return a compact text: for each bucket its distance from the one before, times count."""
        parts, before = [], 0
        for index, number in sorted(self._buckets.items()):
            parts.append(f"{index - before}" if number == 1 else f"{index - before}*{number}")
            before = index
        return " ".join(parts)

    @classmethod
    def from_text(cls, text: str) -> Histogram:
        """Parse `to_text`'s text. Raises ValueError when it is not such a text."""
        histogram = cls()
        index = 0
        for position, part in enumerate(text.split()):
            step, _, number = part.partition("*")
            distance, count = int(step), int(number or "1")
            index += distance
            if not 1 <= count <= _MOST or distance < min(position, 1) or not 0 <= index <= _LAST:
                raise ValueError(f"not a histogram: {text[:80]!r}")
            histogram._buckets[index] = count
            histogram.count += count
        return histogram


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """Return one histogram of everything that `histograms` have counted."""
    whole = Histogram()
    for histogram in histograms:
        whole.merge(histogram)
    return whole


def buckets(histogram: Histogram) -> Iterator[tuple[float, int]]:
    """Yield (representative latency in seconds, count), shortest first."""
    for index, number in sorted(histogram._buckets.items()):
        yield _representative(index), number


def _index(seconds: float) -> int:
    if seconds <= SMALLEST_S:
        return 0
    return min(_LAST, math.ceil(math.log(seconds) / _LOG_GAMMA) - _FIRST)


def _representative(index: int) -> float:
    # Bucket i holds (gamma^(i-1), gamma^i]; this point is equally far, relatively, from both ends.
    return float(2 * _GAMMA ** (index + _FIRST) / (_GAMMA + 1))
