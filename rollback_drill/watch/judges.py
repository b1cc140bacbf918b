"""Who watched, and what he saw in the end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.conduct.told import DrillStarted, Restored, Resumed
from rollback_drill.decide.told import Decided
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import (
    Checked,
    CommandStarted,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.record.told import PhaseName, PhaseStarted
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.memory import MOST_GROWTH, memory_trend
from rollback_drill.watch.told import CUT, LeftAs, Looked, NotSeen, ProbeSample, flaws

_FINAL = "Final verification"
_VERIFIES = PhaseStarted(PhaseName.VERIFICATION)
_LOG = r"[\"']?(?:\$\{?LOG_?(?:FILE|PATH)\}?|/var/log/[^\s\"';&|>]+)"
# As a shell does it: `> log`, `truncate log`, `rm log`, `cp /dev/null log`, `tee log`, `sed -i`.
_EMPTIES = re.compile(
    rf"(?:^|[\s;&|:])>\|?\s*{_LOG}|\b(?:truncate|rm|shred|sed\s+-i|dd)\b[^\n;&|]*{_LOG}"
    rf"|\b(?:cp|mv|tee|install)\s+(?!-\w*a)[^\n;&|]*{_LOG}[\"']?\s*(?:$|[;&|\n>])"
)
_KEEP = "keep it, for the post-mortem; if it must be shorter, let logrotate do it"
_SILENCE_S = 10.0
_SILENCE_A_HOST_S = 5.0  # more: hosts are asked one after the other, each with its patience


@judging(40)
def of_silence(book: Book) -> Iterator[Cause]:
    """Whether health and memory were looked at for as long as there was traffic, something was
    decided and steps ended.

    A drill that another one continues was dead in between, and is excused from that time.
    """
    limit = _patience_s(book)
    until = [e.at for e in book.timed(StepEnded, Checked, Decided, Restored)]
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


@judging(45)
def of_the_unseen(book: Book) -> Iterator[Cause]:
    """What nobody could look at any more when the last step ended, and what a decision against a
    rollback rests on that nobody could see. Where an outside cause was proven, that explains it.
    """
    spans = _not_seen(book)
    ends = max((event.at for event in book.timed(StepEnded)), default=0.0)
    told = {span.what: span.why for span in spans if span.since < ends and math.isinf(span.until)}
    decided = next(iter(book.moments(Decided)), None)
    if decided and not decided[1].rollback and not book.every(ProcedureChosen):
        at, decision = decided
        if decision.ours is not False:
            told |= _unseen_at(book, at, spans)
    for what, why in told.items():
        yield Cause(Verdict.UNKNOWN, "Observer", f"nobody could see {what}: {why}")
    yield from _emptied(book)


def _emptied(book: Book) -> Iterator[Cause]:
    """A log that was cut after a step had emptied it: what it said is gone for everybody."""
    commands = book.moments(CommandStarted)
    for at, one in book.moments(NotSeen):
        if not one.lost or one.why != CUT or "log" not in one.what:
            continue
        by = [c for began, c in commands if began <= at and _EMPTIES.search(c.script)]
        if by:
            what = f"line {by[-1].line} of the runbook empties it: what {one.what} said is gone"
            yield Cause(Verdict.FAILED, "Log", what, by[-1].script[:300], _KEEP)
            return


@dataclass(frozen=True, slots=True)
class _Span:
    """From when until when (Unix seconds) somebody could not look; infinite: to the end."""

    what: str
    why: str
    since: float
    until: float


def _not_seen(book: Book) -> list[_Span]:
    found = []
    events = book.moments(NotSeen)
    for place, (at, one) in enumerate(events):
        if not one.why:
            continue
        later = (t for t, other in events[place + 1 :] if other.what == one.what and not other.lost)
        found.append(_Span(one.what, one.why, at, at if one.lost else next(later, math.inf)))
    return found


def _unseen_at(book: Book, at: float, spans: list[_Span]) -> dict[str, str]:
    """Return what was not to be seen when it was decided `at`, with why, by its name."""
    made = book.at(FaultInjected)
    since = at if made is None else made
    told = {
        one.what: one.why
        for one in spans
        if one.since <= at and (one.until > at or one.since == one.until >= since)
    }
    # What was seen before the fault could be seen; what was not seen lately was not seen then.
    lately = max(since, at - _patience_s(book))
    before, then = _seen(book, 0.0, since), _seen(book, lately, at)
    return told | dict.fromkeys(sorted(before - then), "it was seen before the fault was made")


def _seen(book: Book, since: float, until: float) -> set[str]:
    """Return what of the service, and by which sentinel, was seen in that time."""
    seen = {
        f"what the sentinel “{one.sentinel}” looks at"
        for at, one in book.moments(Looked)
        if since <= at <= until and one.verdict is not Verdict.UNKNOWN
    }
    for at, sample in book.moments(ProbeSample):
        if since <= at <= until:
            seen |= {f"whether {host} is killed for memory" for host in sample.oom_kills}
    return seen


def _patience_s(book: Book) -> float:
    """Return for how long nobody may look."""
    start = book.first(DrillStarted)
    return _SILENCE_S + _SILENCE_A_HOST_S * (len(start.hosts) if start else 1)


@judging(135)
def of_memory(book: Book) -> Iterator[Cause]:
    """A service that is left growing, or killed for memory: whether a box asks for it or not."""
    final = [(at, one) for at, one in book.moments(StepEnded) if one.section == _FINAL]
    samples = book.moments(ProbeSample)
    if not final:
        return
    until, _ = final[-1]
    since = _clients_watched_since(book)
    for host in sorted({name for at, one in samples if at <= until for name in one.rss_bytes}):
        trend = memory_trend(samples, host, since, until)
        if trend.flaw:
            advice = f"it may grow by {MOST_GROWTH:.0%} while it is watched, and not be killed"
            yield Cause(Verdict.FAILED, "Memory", trend.flaw, advice=advice)
        elif trend.lacks:
            what = f"whether {host} is left growing is not known: {trend.lacks}"
            yield Cause(Verdict.UNKNOWN, "Memory", what)


def _clients_watched_since(book: Book) -> float:
    """Return since when what was rolled back was watched: from the verification on, or from the
    watch that the procedure ended with.
    """
    since = max((at for at, one in book.moments(PhaseStarted) if one == _VERIFIES), default=0.0)
    steps = [(at, one) for at, one in book.moments(StepStarted) if one.section != _FINAL]
    last = [(at, one) for at, one in steps if at <= since][-1:]
    return next((at for at, one in last if one.window_s), since)


@judging(140)
def of_service(book: Book) -> Iterator[Cause]:
    """A service that was seen to be restored, and was not well any more when the drill stopped."""
    bad = flaws(book.last(LeftAs))
    if book.last(Restored) and bad:
        yield Cause(Verdict.FAILED, "Service", f"it was not left restored: {', '.join(bad)}")
