"""What would it say? Feeds the record of an incident to the detector and prints its decision.

A record is a drill's timeline.jsonl (with the raw observations in `traffic/` beside it, where they
are) or a CSV file of requests, one a line: see `decide.requests_file`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rollback_drill.breaks.told import FaultAttested, FaultHealed, FaultInjected
from rollback_drill.conduct.triggers_read import read_triggers
from rollback_drill.decide.decider import Decider
from rollback_drill.decide.requests_file import RecordedRequest, read_requests
from rollback_drill.decide.told import Decided, TriggerFired, TriggersRead, sentences
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.options import BASELINE
from rollback_drill.perform.told import StepEnded, StepStarted
from rollback_drill.record.timeline import Event, read
from rollback_drill.runbook.model import Runbook
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.live import read_observations
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import Looked

_ASK_EVERY_S = 0.05
# Of records that do not tell statuses the class is known, and no status that somebody watches for.
_CLASS = {
    Outcome.OK: 200,
    Outcome.REJECTED: 499,
    Outcome.INVALID_CURSOR: 400,
    Outcome.SERVER_ERROR: 599,
    Outcome.UNAVAILABLE: 599,
}


@dataclass(slots=True)
class Replayed:
    """What the detector said. Times in Unix seconds; `decided_at`: None when it never decided."""

    began: float
    ended: float
    requests: int
    decision: Decided
    decided_at: float | None
    fired: list[tuple[float, TriggerFired]] = field(default_factory=list)
    triggers: TriggersRead = field(default_factory=lambda: TriggersRead(()))


def replay(
    path: Path, runbook: Runbook, *, pace: float = 1.0, baseline: int = BASELINE.value
) -> Replayed:
    """Return what the detector says of the record at `path`.

    The first `baseline` requests are taken for healthy. Of a drill the last before its fault are,
    and it is judged as the drill was: from the same moment on, by the same evidence, until
    something was done about it. Raises UsageError for a file that is no record, or holds too few
    requests.
    """
    record = sorted(
        _timeline(path) if path.suffix == ".jsonl" else read_requests(path), key=lambda r: r.at
    )
    judged = _judged_from(record)
    if judged:
        record = list(judged.part_of(record))
    requests = [one for one in record if isinstance(one, RecordedRequest)]
    if len(requests) <= baseline:
        raise UsageError(
            f"more than {baseline} requests in {path}", str(len(requests)), "set BASELINE lower"
        )
    healthy = Histogram()
    before = [one for one in requests if one.at < judged.broken_at] if judged else requests
    for request in before[-baseline:] if judged else before[:baseline]:
        healthy.add(request.seen.latency_s)
    decider = Decider(runbook, pace)
    decider.set_baseline(healthy)
    began = judged.since if judged else requests[baseline - 1].at
    decider.onset(began)
    said: Replayed | None = None
    fired: list[tuple[float, TriggerFired]] = []
    asked = judged.told_at if judged else began
    for one in record:
        if not judged.counts(one) if judged else one.at < began:
            continue
        while said is None and one.at - asked >= _ASK_EVERY_S:
            asked = max(asked + _ASK_EVERY_S, one.at - 60.0)
            decided = decider.decide(asked)
            fired.extend((at, event) for event, at in decider.newly_fired())
            if decided:
                said = Replayed(began, one.at, len(requests), decided, asked)
            elif not decider.waiting:
                asked = one.at  # before that nothing happens that could change the answer
        if said is None:
            _feed(decider, one)
    ended = record[-1].at
    if said is None:
        last = decider.decide(ended + 60.0) or decider.final(ended)
        said = Replayed(began, ended, len(requests), last, ended if last.rollback else None)
        fired.extend((at, event) for event, at in decider.newly_fired())
    said.fired = sorted(fired, key=lambda pair: pair[0])
    said.ended = ended
    # Of a record it is not known how long its clients would have waited.
    said.triggers = read_triggers(runbook, pace=pace, patience_s=math.inf)
    return said


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a drill's decision rested on; see `conduct.attest.Hearing`. Times in Unix seconds.

    `broken_at`: from when on the fault was made; `since`: from when on clients were judged, which
    was known at `told_at`; `until`: when, after the decision, something was done about it.
    """

    broken_at: float
    since: float
    told_at: float
    until: float

    def part_of(self, record: list[RecordedRequest | Event]) -> Iterator[RecordedRequest | Event]:
        """Yield what was known until then."""
        return (one for one in record if one.at <= self.until)

    def counts(self, one: RecordedRequest | Event) -> bool:
        """Whether it was told to the detector."""
        if isinstance(one, RecordedRequest):
            return one.seen.due >= self.since
        return one.at >= (self.since if isinstance(one.what, Looked) else self.broken_at)


def _judged_from(record: list[RecordedRequest | Event]) -> _Judged | None:
    """Return what the decision of a drill rested on, None where no fault was made."""
    events = [one for one in record if isinstance(one, Event)]
    broken = next((one for one in events if isinstance(one.what, FaultInjected)), None)
    if broken is None or not isinstance(broken.what, FaultInjected):
        return None
    since = told_at = broken.at + broken.what.took_s
    for one in events:
        if isinstance(one.what, FaultAttested) and one.what.seen:
            since, told_at = one.what.since, one.at
    decided = next((one.at for one in events if isinstance(one.what, Decided)), math.inf)
    done = (one.at for one in events if isinstance(one.what, StepStarted | FaultHealed))
    until = next((at for at in done if at >= decided), math.inf)
    return _Judged(broken.at, since, told_at, until)


def _feed(decider: Decider, one: RecordedRequest | Event) -> None:
    if isinstance(one, RecordedRequest):
        decider.observe(one.seen, on_purpose=one.planned)
        return
    decider.take(one)


def _timeline(path: Path) -> Iterator[RecordedRequest | Event]:
    record = list(read(path))
    yield from record
    maintenance = list(_maintenance(record))

    def planned(seen: Observation) -> bool:
        return seen.outcome is Outcome.UNAVAILABLE and any(
            first <= seen.done <= last for first, last in maintenance
        )

    raw = path.parent / "traffic"
    observations = read_observations(raw) if raw.is_dir() else iter(())
    found = False
    for seen in observations:
        found = True
        yield RecordedRequest(seen, planned(seen))
    if not found:
        for seen in _from_seconds(record):
            yield RecordedRequest(seen, planned(seen))


def _maintenance(record: list[Event]) -> Iterator[tuple[float, float]]:
    """Yield the times from when maintenance is entered until it was left."""
    since: float | None = None
    for event in record:
        match event.what:
            case StepStarted(title=title) if "enter maintenance" in title.lower():
                since = event.at
            case StepEnded(title=title) if "leave maintenance" in title.lower():
                if since is not None:
                    yield since, event.at
                since = None
    if since is not None:
        yield since, record[-1].at


def _from_seconds(record: list[Event]) -> Iterator[Observation]:
    """Rebuild observations from the seconds of a timeline: outcomes and latencies are spread
    evenly, since their order within a second is not kept.
    """
    for event in record:
        if not isinstance(event.what, TrafficSecond):
            continue
        second = event.what
        n = sum(second.outcomes.values())
        timed = Histogram.from_text(second.histogram)
        kinds = [
            ((k + 0.5) / count, Outcome(name))
            for name, count in second.outcomes.items()
            for k in range(count)
        ]
        statuses = {kind: list(_statuses(second, kind)) for _, kind in kinds}
        for i, (_, outcome) in enumerate(sorted(kinds)):
            due = second.second + (i + 0.5) / n
            quantile = ((i * 0.618034) % 1.0) if timed.count else 0.0
            latency = timed.quantile(max(quantile, 1e-6)) if timed.count else 0.0
            status = statuses[outcome].pop() if statuses[outcome] else _CLASS.get(outcome, 0)
            yield Observation(due, due, due + latency, f"c{i:03d}", "request", status, outcome, "")


def _statuses(second: TrafficSecond, outcome: Outcome) -> Iterator[int]:
    """Yield the statuses that answers with this outcome had, as far as they are told."""
    known = {int(text): count for text, count in second.statuses.items()}
    if outcome is Outcome.REJECTED:
        # Refused cursors are all answered 400; they are counted apart.
        known[400] = known.get(400, 0) - second.outcomes.get(Outcome.INVALID_CURSOR, 0)
        of_it = [status for status in known if 400 <= status < 500]
    elif outcome is Outcome.UNAVAILABLE:
        of_it = [502, 503, 504]
    elif outcome is Outcome.SERVER_ERROR:
        of_it = [one for one in known if 500 <= one < 600 and one not in (502, 503, 504)]
    else:
        of_it = []
    for status in of_it:
        yield from [status] * known.get(status, 0)


def replay_sentences(said: Replayed) -> list[str]:
    """Return what was said, for a person."""
    minutes = (said.ended - said.began) / 60
    lines = [f"{said.requests:,} requests; the detector watched {minutes:.1f} minutes of them"]
    lines.extend(sentences(said.triggers))
    for at, event in said.fired:
        lines.append(
            f"{at - said.began:9.1f} s  {event.severity:8}  {event.trigger} (line {event.line})"
        )
    decision = said.decision
    if said.decided_at is not None:
        how = f"by Procedure {decision.procedure}" if decision.rollback else decision.diagnosis
        lines.append(
            f"{said.decided_at - said.began:9.1f} s  DECISION  {decision.answer}, {how}: "
            f"{decision.trigger}"
        )
    else:
        lines.append(f"at the end: {decision.action} ({decision.trigger or 'no trigger fired'})")
    if decision.explanation:
        lines.append(decision.explanation)
    lines.extend(f"- {sentence}" for sentence in decision.evidence)
    return lines
