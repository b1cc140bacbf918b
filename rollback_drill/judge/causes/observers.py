"""Those who look for the drill: whether they lived, and looked all the time."""

from __future__ import annotations

from rollback_drill.conduct.told import DrillStarted, Resumed
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Record
from rollback_drill.record.told import ObserverDied
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import ProbeSample

_SILENCE_S = 10.0
_SILENCE_A_HOST_S = 5.0  # more: hosts are asked one after the other, each with its patience


def of_observers(record: Record) -> list[Cause]:
    """Who died or hung: what he would have seen is not known."""
    deaths = {death.observer: death for death in record.every(ObserverDied)}
    return [
        Cause(Verdict.UNKNOWN, "Observer", f"the {one.observer} saw nothing more: {one.error}")
        for one in deaths.values()
    ]


def of_silence(record: Record) -> list[Cause]:
    """Whether health and memory were looked at for as long as there was traffic and steps ended.

    A drill that another one continues was dead in between, and is excused from that time.
    """
    start = record.first(DrillStarted)
    hosts = len(start.hosts) if start else 1
    limit = _SILENCE_S + _SILENCE_A_HOST_S * hosts
    until = [e.at for e in record.timed(StepEnded, Checked)]
    since = [e.at for e in record.timed(TrafficSecond)]
    if not since or not until:
        return []
    looks = [e.at for e in record.timed(ProbeSample)]
    if not looks:
        return [Cause(Verdict.UNKNOWN, "Probe", "nobody looked at health and memory")]
    resumed = [e.at for e in record.timed(Resumed)]
    ends = sorted([*looks, *resumed, max(until)])
    begin = min(since)
    longest = 0.0
    for at in ends:
        if begin < at <= max(until) and at not in resumed:
            longest = max(longest, at - begin)
        begin = max(begin, at)
    if longest <= limit:
        return []
    what = f"nobody looked at health and memory for {longest:.0f} s"
    advice = "a look takes so long on a machine that is too busy, or where a host hangs"
    return [Cause(Verdict.UNKNOWN, "Probe", what, advice=advice)]
