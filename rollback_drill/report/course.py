"""The course of a drill: what was seen in equal stretches of it, and when nobody looked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rollback_drill.perform.maintenance import spans
from rollback_drill.record.book import Book
from rollback_drill.traffic.histogram import Histogram, merged
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import ProbeSample

_MOST = 200  # slices: what a picture can show
_PROBE_GAP_S = 3.0  # probes look twice a second; a look may take as long as a service hangs


@dataclass(frozen=True, slots=True)
class Slice:
    """What was seen from `begin` to `end` (Unix seconds): requests a second, latencies in seconds,
    memory in bytes, connections. None: not observed. `planned`: turned away in maintenance.
    """

    begin: float
    end: float
    good: float | None = None
    failed: float | None = None
    planned: float | None = None
    p50_s: float | None = None
    p95_s: float | None = None
    memory: float | None = None
    connections: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody observed `what`: "traffic", or "the service"."""

    what: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Course:
    """All stretches from `begin`, when something was observed first, to `end`; and the gaps."""

    begin: float
    end: float
    stretches: tuple[Slice, ...]
    gaps: tuple[Gap, ...]


def course(book: Book, most: int = _MOST) -> Course | None:
    """Return the course of a drill in at most `most` stretches of whole seconds; None of a record
    in which nothing was observed.
    """
    seconds = book.every(TrafficSecond)
    samples = book.moments(ProbeSample)
    # Nothing is to be seen while a stage is built or filled, which can take minutes.
    seen = [*(float(one.second) for one in seconds), *(at for at, _ in samples)]
    if not seen:
        return None
    begin = float(math.floor(min(seen)))
    end = max(book.events[-1].at, max((one.second + 1.0 for one in seconds), default=0.0))
    width = max(1, math.ceil((end - begin) / most))
    number = max(1, math.ceil((end - begin) / width))
    asked: list[list[TrafficSecond]] = [[] for _ in range(number)]
    looked: list[list[ProbeSample]] = [[] for _ in range(number)]
    for one in seconds:
        asked[min(number - 1, int((one.second - begin) // width))].append(one)
    for at, sample in samples:
        looked[min(number - 1, int((at - begin) // width))].append(sample)
    turned_away = book.ask(spans)
    stretches = (
        _stretch(begin + n * width, begin + (n + 1) * width, asked[n], looked[n], turned_away)
        for n in range(number)
    )
    gaps = [*_unasked(seconds), *_unlooked([at for at, _ in samples])]
    return Course(begin, end, tuple(stretches), tuple(gaps))


def _stretch(
    begin: float,
    end: float,
    asked: Sequence[TrafficSecond],
    looked: Sequence[ProbeSample],
    maintenance: Sequence[tuple[float, float]],
) -> Slice:
    memory = [sum(one.rss_bytes.values()) for one in looked if one.rss_bytes]
    used = [one.connections for one in looked if one.connections is not None]
    limit = [one.connection_limit for one in looked if one.connection_limit]
    most = max(memory, default=None), max(used, default=None), max(limit, default=None)
    if not asked:
        return Slice(begin, end, None, None, None, None, None, *most)
    seconds = len({one.second for one in asked})
    good = sum(one.good for one in asked)
    planned = sum(_planned(one, maintenance) for one in asked)
    failed = sum(one.failed for one in asked) - planned
    latencies = merged(Histogram.from_text(one.histogram) for one in asked)
    p50, p95 = None, None
    if latencies.count:
        p50, p95 = latencies.quantile(0.5), latencies.quantile(0.95)
    rates = good / seconds, failed / seconds, planned / seconds
    return Slice(begin, end, *rates, p50, p95, *most)


def _planned(one: TrafficSecond, maintenance: Sequence[tuple[float, float]]) -> int:
    """Return how many of a second were turned away on purpose, as `judge.impact` counts them."""
    if not any(begin < one.second + 1 and one.second < end for begin, end in maintenance):
        return 0
    return one.outcomes.get(Outcome.UNAVAILABLE, 0)


def _unasked(seconds: Sequence[TrafficSecond]) -> Iterator[Gap]:
    known = sorted({one.second for one in seconds})
    for one, other in pairwise(known):
        if other > one + 1:
            yield Gap("traffic", one + 1.0, float(other))


def _unlooked(times: Iterable[float]) -> Iterator[Gap]:
    known = sorted(times)
    for one, other in pairwise(known):
        if other - one > _PROBE_GAP_S:
            yield Gap("the service", one, other)
