"""Do the service's own metrics agree with what its clients counted in the same time?

Compared is the last time in which no process began anew, once the rollback took effect: all hosts
together against all clients. Whatever the suite asked by itself is known; what nobody can know (who
got an answer after his patience was over) lies between a least and a most.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rollback_drill.record.book import Book
from rollback_drill.traffic.histogram import Histogram, buckets
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.metrics.told import Counted

_LEAST_S = 2.0  # a shorter time is not compared
_LEAST_REQUESTS = 100
_SLACK = 5.0  # requests: those of commands on the hosts, such as the runbook's own
_EDGE_S = 0.05  # of requests that nobody can put on one side of a page that was read
_UNDER_WAY = 2.0  # times as many as clients' waits let one expect may be under way at an end
# Of what was answered while a page was read, which takes as long as an answer, as many again were
# under way.
_ASKED_MEANWHILE = 2.0
_UNSURE = (Outcome.UNAVAILABLE, Outcome.CONNECTION, Outcome.TIMEOUT)
_BY_OTHERS = ("502", "503", "504")  # a load balancer answers so as well
_TIMES_SLOWER, _LATER_S = 2.0, 0.05  # than clients saw, a service cannot have been by itself
_TIMES_FASTER = 200.0  # than the fastest tenth saw: a unit is at least a thousand times another
_FASTEST = 0.1
_GOOD = "2"
_CLASSES = {_GOOD: "good answers", "4": "refusals (4xx)", "5": "errors (5xx)"}

Readings = Sequence[tuple[float, Counted]]


@dataclass(frozen=True, slots=True)
class Span:
    """What counters of all hosts grew by from `begin` to `end` (Unix seconds); see `Counted`.

    `bursts`: by status, what the suite asked while the first and the last page were read: it may
    stand in them or not.
    """

    begin: float
    end: float
    requests: Mapping[str, int]
    timed: int
    total_s: float
    asked: Mapping[str, int]
    alone: bool
    within_s: float = 0.0
    bursts: Mapping[str, int] = field(default_factory=dict)

    @property
    def counted(self) -> int:
        """All requests."""
        return sum(self.requests.values())


@dataclass(slots=True)
class Answered:
    """What was answered meanwhile, to clients and to the suite itself: by the status' first figure,
    and of `unsure` ones nobody knows by whom and how. `edges`: how many more or fewer they may be,
    since nobody knows when in the first and the last second they were given; `bursts`: how many of
    the suite's own may stand in the pages that are compared or not; `under_way`: how many of the
    clients' are to be expected to have been at the one end or the other, whichever had more.
    `fast_s`: what the fastest tenth of clients waited at the most, `mean_s` what they waited on
    average.
    """

    surely: dict[str, float] = field(default_factory=dict)
    edges: dict[str, float] = field(default_factory=dict)
    bursts: dict[str, float] = field(default_factory=dict)
    unsure: float = 0.0
    sent: float = 0.0
    under_way: float = 0.0
    fast_s: float = math.nan
    mean_s: float = math.nan

    def add(self, status: str, count: float, share: float = 1.0) -> None:
        """Count answers of a status, given in a second of which a `share` belongs to the time."""
        edge = count * max(share, 1.0 - share) if share < 1.0 else 0.0
        count *= share
        self.edges[status[0]] = self.edges.get(status[0], 0.0) + edge
        if status == "0" or status in _BY_OTHERS:
            self.unsure += count
        else:
            self.surely[status[0]] = self.surely.get(status[0], 0.0) + count

    @property
    def least(self) -> float:
        """How many requests the service must have had."""
        return sum(self.surely.values())


def last_span(book: Book, since: float) -> Span | None:
    """Return the last time in which the process of no host began anew, from `since` on; None where
    there is none that all hosts were read in.

    It ends before the last second of traffic: nobody knows when in it that stopped.
    """
    until = max((one.second for one in book.every(TrafficSecond)), default=0)
    read = ((one.read_at or at, one) for at, one in book.moments(Counted))
    readings = [(at, one) for at, one in read if at <= until]
    hosts = dict.fromkeys(one.host for _, one in readings)
    runs = [_last_run([r for r in readings if r[1].host == host], since) for host in hosts]
    if not runs or not all(runs):
        return None
    begin, end = max(run[0][0] for run in runs), min(run[-1][0] for run in runs)
    firsts, lasts = [_at(run, begin) for run in runs], [_at(run, end) for run in runs]
    if end <= begin:
        return None
    grown: dict[str, int] = {}
    for sign, of_all in ((-1, firsts), (1, lasts)):
        for one in of_all:
            for status, count in one.requests.items():
                grown[status] = grown.get(status, 0) + sign * count
    return Span(
        begin,
        end,
        grown,
        sum(one.timed for one in lasts) - sum(one.timed for one in firsts),
        sum(one.total_s for one in lasts) - sum(one.total_s for one in firsts),
        {k: count - firsts[0].asked.get(k, 0) for k, count in lasts[0].asked.items()},
        all(one.alone for one in lasts),
        max(one.within_s for one in (*firsts, *lasts)),
        _bursts((*firsts, *lasts)),
    )


def _bursts(readings: Sequence[Counted]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in readings:
        before = one.asked if one.asked_before is None else one.asked_before
        for status, count in one.asked.items():
            found[status] = found.get(status, 0) + count - before.get(status, 0)
    return found


def sure_since(book: Book, since: float) -> float:
    """Return from when on, after `since`, every request of clients was answered by the service: a
    load balancer that answers for it leaves in doubt what the service should have counted.
    """
    unsure = (
        one.second + 1.0
        for one in book.every(TrafficSecond)
        if any(one.outcomes.get(kind) for kind in _UNSURE)
    )
    return max(since, *unsure, since)


def _last_run(readings: Readings, since: float) -> list[tuple[float, Counted]]:
    """Return the readings of the last process, from `since` on."""
    run: list[tuple[float, Counted]] = []
    before: Counted | None = None
    for at, one in readings:
        if not (one.requests or one.timed):  # a page that could not be read, or nothing yet
            continue
        if before and _anew(before, one):
            run = []
        if at >= since:
            run.append((at, one))
        before = one
    return run


def _anew(before: Counted, after: Counted) -> bool:
    """Whether another process counts."""
    if before.started_at and after.started_at:
        return before.started_at != after.started_at
    return sum(after.requests.values()) < sum(before.requests.values())


def _at(run: Readings, at: float) -> Counted:
    """Return the reading next to a time."""
    return min(run, key=lambda one: abs(one[0] - at))[1]


def answered_in(book: Book, span: Span) -> Answered:
    """Return what was answered in the time of `span`."""
    found = Answered()
    waited = Histogram()
    for one in book.every(TrafficSecond):
        share = max(0.0, min(one.second + 1.0, span.end) - max(float(one.second), span.begin))
        if not share:
            continue
        found.sent += share * one.sent
        waited.merge(Histogram.from_text(one.histogram))
        found.unsure += share * sum(
            one.outcomes.get(kind, 0) for kind in (Outcome.CONNECTION, Outcome.TIMEOUT)
        )
        found.add("200", one.good, share)
        for status, count in one.statuses.items():
            found.add(status, count, share)
    for status, count in span.asked.items():
        found.add(status, count)
    for status, count in span.bursts.items():
        found.bursts[status[0]] = found.bursts.get(status[0], 0.0) + _ASKED_MEANWHILE * count
    found.under_way = max(_under_way(book, span.begin), _under_way(book, span.end))
    if waited.count:
        found.fast_s = waited.quantile(_FASTEST)
        found.mean_s = sum(took_s * n for took_s, n in buckets(waited)) / waited.count
    return found


def _under_way(book: Book, at: float) -> float:
    """Return how many requests were under way `at` a time (Unix seconds), as far as one can expect:
    those of a second are due evenly in it, and each is under way for as long as it took.
    """
    return sum(
        count * max(0.0, min(one.second + 1.0, at) - max(float(one.second), at - took_s))
        for one in book.every(TrafficSecond)
        if one.second < at
        for took_s, count in buckets(Histogram.from_text(one.histogram))
    )


def compared(span: Span, answered: Answered) -> bool:
    """Whether there was enough to compare."""
    return span.end - span.begin >= _LEAST_S and answered.least >= _LEAST_REQUESTS


def disagreements(span: Span, answered: Answered) -> Iterator[str]:
    """Yield each way in which the metrics say something else than clients saw, as a sentence."""
    lasted_s = span.end - span.begin
    told_s = f"in {lasted_s:.0f} s"
    rate = answered.sent / lasted_s
    slack = _SLACK + rate * (_EDGE_S + 2 * span.within_s) + _UNDER_WAY * answered.under_way
    slack += sum(answered.bursts.values())
    most = answered.least + answered.unsure
    if span.counted < answered.least - slack:
        of = f"{answered.least:,.0f} requests that were answered {told_s}"
        yield f"they count {span.counted:,} of {of}"
    elif span.alone and span.counted > most + slack:
        yield f"they count {span.counted:,} requests, and {most:,.0f} were made {told_s}"
    else:
        yield from _by_status(span, answered, slack, told_s)
    if abs(span.timed - span.counted) > slack:
        yield f"they time {span.timed:,} of {span.counted:,} requests that they count {told_s}"
    elif span.timed and not math.isnan(answered.mean_s):
        mean_s = span.total_s / span.timed
        seen = f"{mean_s * 1000:.4g} ms on average"
        if mean_s > _TIMES_SLOWER * answered.mean_s + _LATER_S:
            waited = f"clients waited {answered.mean_s * 1000:.4g} ms"
            yield f"they tell response times of {seen}, and {waited}"
        elif mean_s * _TIMES_FASTER < answered.fast_s:
            waited = f"nine of ten clients waited {answered.fast_s * 1000:.4g} ms or longer"
            yield f"they tell response times of {seen}, and {waited}"


def _by_status(span: Span, answered: Answered, slack: float, told_s: str) -> Iterator[str]:
    if "" in span.requests:
        return  # it does not tell how requests were answered
    for kind, name in _CLASSES.items():
        counted = sum(n for status, n in span.requests.items() if status.startswith(kind))
        least = answered.surely.get(kind, 0.0)
        most = least + answered.unsure
        allowed = slack if kind == _GOOD else _SLACK + answered.edges.get(kind, 0.0)
        allowed += answered.bursts.get(kind, 0.0) if kind != _GOOD else 0.0
        if counted < least - allowed:
            yield f"they count {counted:,} of {least:,.0f} {name} that were given {told_s}"
        elif span.alone and counted > most + allowed:
            yield f"they count {counted:,} {name}, and {most:,.0f} were given {told_s}"
