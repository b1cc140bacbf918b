"""Clients who were served while a procedure holds that nobody is."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.perform.told import Checked, StepStarted
from rollback_drill.record.book import Book, lives
from rollback_drill.record.judge import Cause, judging
from rollback_drill.runbook.maintenance import LEAVE
from rollback_drill.traffic.told import TrafficSecond

_STOPPED = "traffic_stopped"
_BACK = ("traffic_flows", "maintenance_disabled", "no_immediate_errors")


@judging(72, whole=True)
def of_maintenance(book: Book) -> Iterator[Cause]:
    """Once traffic was seen to have stopped, it stays away until the step that lets it in again."""
    for life in lives(book):
        seconds = life.every(TrafficSecond)
        for begin, end in _spans(life):
            inside = [one for one in seconds if begin <= one.second and one.second + 1 <= end]
            served = [one for one in inside if one.good]
            if served:
                good = sum(one.good for one in served)
                what = (
                    f"{good} requests were answered from {served[0].second - begin:.0f} s after "
                    "traffic was seen to have stopped, and before it was to come back"
                )
                advice = "see what lets clients in: the load balancer, or what it asks"
                yield Cause(Verdict.FAILED, "Maintenance", what, advice=advice)


def _spans(life: Book) -> Iterator[tuple[float, float]]:
    """Yield from when until when nobody was to be served, in Unix seconds: from the checkbox that
    says so to the begin of the step by which, or by whose checkboxes, clients are let in. One that
    nothing ends is left out.
    """
    began: float | None = None
    step = 0.0
    for event in life.events:
        back = False
        match event.what:
            case StepStarted(title=title):
                step = event.at
                back = LEAVE.search(title) is not None
            case Checked(check=check, verdict=verdict) if check == _STOPPED and verdict in GOOD:
                began = event.at
            case Checked(check=check):
                back = check in _BACK
        if back and began is not None:
            yield began, step
            began = None
