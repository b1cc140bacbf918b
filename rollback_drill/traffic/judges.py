"""The traffic: whether what clients saw was measured at all, all the time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.words import time_of_day
from rollback_drill.perform.told import StepEnded
from rollback_drill.record.book import Book, lives
from rollback_drill.record.judge import Cause, judging
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillEnded, PhaseName, PhaseStarted
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.observation import Outcome
from rollback_drill.traffic.told import (
    BUSY_CPU,
    LATE_S,
    LATE_SHARE,
    GeneratorSample,
    TrafficSecond,
)
from rollback_drill.watch.told import ProbeSample

_LATE_SECONDS = 0.05  # the share of them with a late request, where nobody counted requests
_SILENT_S = 5.0  # a generator speaks once a second
_OFF = 2  # requests of a second, by rounding: one for each of its ends
_WITHOUT = ("After the rollback", "Routine")


@judging(190)
def of_generator(book: Book) -> Iterator[Cause]:
    """Whether the generator kept up with its schedule."""
    samples = book.every(GeneratorSample)
    if not samples:
        yield Cause(Verdict.UNKNOWN, "Traffic", "the generator was not watched")
        return
    busy = sum(s.cpu for s in samples) / len(samples)
    late, told = _lateness(samples, book.every(TrafficSecond))
    if late or busy > BUSY_CPU:
        what = f"the generator was the bottleneck: {told}, {busy:.0%} of a core"
        yield Cause(Verdict.UNKNOWN, "Traffic", what, advice="lower RATE or free the machine")


def _lateness(
    samples: Sequence[GeneratorSample], seconds: Sequence[TrafficSecond]
) -> tuple[bool, str]:
    """Return whether too much was sent late, and how much was. Requests count, not the seconds with
    one among them: of those, a short drill has too few to make a share.
    """
    counted = [one.late for one in seconds if one.late is not None]
    if seconds and len(counted) == len(seconds):
        late, sent = sum(counted), sum(one.sent for one in seconds)
        return late > LATE_SHARE * sent, f"{late} of {sent} requests were sent late"
    slow = [one for one in samples if one.lag_s > LATE_S]
    told = f"late in {len(slow)} of {len(samples)} seconds"
    return len(slow) > _LATE_SECONDS * len(samples), told


@judging(200, whole=True)
def of_seconds(book: Book) -> Iterator[Cause]:
    """Each second in which clients were to ask: all requests that were due, and who watched."""
    start = book.last(DrillStarted)
    found: list[str] = []
    for life in book.ask(lives):
        begin, end = _span(life)
        if begin < end and life.last(DrillEnded):  # nobody watched a killed one's last moment
            found += _of_requests(life, begin, end, start.rate if start else 0.0)
            found += _of_silence(life, begin, end)
            if not life.last(ProbeSample):
                found.append("nobody looked past the load balancer meanwhile")
    found += _of_counts(book)
    for what in found:
        yield Cause(Verdict.UNKNOWN, "Traffic", what)


def _span(life: Book) -> tuple[float, float]:
    """Return from when until when clients were needed: from the steady state, or from when a drill
    was continued, to the last that was to be seen by them.
    """
    needed = [event.at for event in life.events if _needs_clients(event)]
    return (needed[0], needed[-1]) if needed else (math.inf, 0.0)


def _needs_clients(event: Event) -> bool:
    if isinstance(event.what, StepEnded):
        return event.what.section not in _WITHOUT
    return event.what.by_clients or event.what == PhaseStarted(PhaseName.STEADY)


def _of_requests(life: Book, begin: float, end: float, rate: float) -> Iterable[str]:
    sent: Counter[int] = Counter()
    times: Counter[int] = Counter()
    for one in life.every(TrafficSecond):
        sent[one.second] += one.sent
        times[one.second] += 1
    gap = next((n for n in range(min(sent, default=0), max(sent, default=0)) if not sent[n]), None)
    if gap is not None:
        yield f"second {_since(gap, life)} is not on record"
    twice = [second for second, count in times.items() if count > 1]
    if twice:
        yield f"second {_since(twice[0], life)} is on record twice"
    for second in range(math.ceil(begin), math.floor(end)):
        if abs(sent[second] - rate) > _OFF:
            yield f"{sent[second]} of {rate:g} requests of second {_since(second, life)} are known"
            return


def _since(second: float, life: Book) -> str:
    return f"{second - life.events[0].at:.0f} of the drill"


def _of_silence(life: Book, begin: float, end: float) -> Iterable[str]:
    spoke = sorted(event.at for event in life.timed(GeneratorSample))
    inside = [at for at in spoke if begin <= at <= end]
    for before, after in zip([begin, *inside], [*inside, end], strict=True):
        if after - before > _SILENT_S:
            silent = f"the generator was silent for {after - before:.0f} s"
            yield f"{silent} from second {_since(before, life)} on"
            return


def _of_counts(book: Book) -> Iterable[str]:
    """Whether what is said of a second fits together."""
    for one in book.every(TrafficSecond):
        timed = Histogram.from_text(one.histogram).count
        if (
            one.sent != sum(one.operations.values())
            or timed != one.sent - one.outcomes.get(Outcome.DROPPED, 0)
            or sum(one.formats.values()) > one.good
        ):
            yield f"the requests of {time_of_day(one.second)} do not add up"
            return
