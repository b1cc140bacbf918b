"""Who watched, and what he saw in the end."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.conduct.told import DrillStarted, Restored, Resumed
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import LeftAs, ProbeSample, flaws

_SILENCE_S = 10.0
_SILENCE_A_HOST_S = 5.0  # more: hosts are asked one after the other, each with its patience


@judging(40)
def of_silence(book: Book) -> Iterator[Cause]:
    """Whether health and memory were looked at for as long as there was traffic and steps ended.

    A drill that another one continues was dead in between, and is excused from that time.
    """
    start = book.first(DrillStarted)
    hosts = len(start.hosts) if start else 1
    limit = _SILENCE_S + _SILENCE_A_HOST_S * hosts
    until = [e.at for e in book.timed(StepEnded, Checked)]
    since = [e.at for e in book.timed(TrafficSecond)]
    if not since or not until:
        return
    looks = [e.at for e in book.timed(ProbeSample)]
    if not looks:
        yield Cause(Verdict.UNKNOWN, "Probe", "nobody looked at health and memory")
        return
    resumed = [e.at for e in book.timed(Resumed)]
    ends = sorted([*looks, *resumed, max(until)])
    begin = min(since)
    longest = 0.0
    for at in ends:
        if begin < at <= max(until) and at not in resumed:
            longest = max(longest, at - begin)
        begin = max(begin, at)
    if longest > limit:
        what = f"nobody looked at health and memory for {longest:.0f} s"
        advice = "a look takes so long on a machine that is too busy, or where a host hangs"
        yield Cause(Verdict.UNKNOWN, "Probe", what, advice=advice)


@judging(140)
def of_service(book: Book) -> Iterator[Cause]:
    """A service that was seen to be restored, and was not well any more when the drill stopped."""
    bad = flaws(book.last(LeftAs))
    if book.last(Restored) and bad:
        yield Cause(Verdict.FAILED, "Service", f"it was not left restored: {', '.join(bad)}")
