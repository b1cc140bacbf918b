"""Detects and classifies a change from single observations, with stated bounds on false alarms.

Every question about errors and latency is one about a *stream* of yes-or-no observations:
"did this request fail?" against an error rate, "did it take at least T?" against 5 % (the p95 is
above T exactly when P(latency ≥ T) > 5 %). Each stream has three parts:

- **Detection**: Page's CUSUM (Biometrika 41, 1954; optimal by Lorden 1971 and Moustakides 1986)
  for several alternatives p1 against the acceptable p0. A score is the largest log likelihood
  ratio of any run of requests that ends now. By Ville's inequality it reaches h within N requests
  with probability at most N·e⁻ʰ, so that h = ln(K·N/α) would do for K scores. Each has a lower
  threshold: the lowest with a mean run length of at least K·N/α, exactly (`decide.run_length`),
  some 2 to 6 below h. A whole drill of N requests then has a false alarm with probability at most
  α, over all streams together, as long as every request is a hit of a stream with probability at
  most its p0, *whatever came before*. Independent requests at p0 are one such case; errors in
  clusters, or latencies with a memory, are none, however low their share: nothing is promised then.
- **Proof**: an e-detector on blocks of time (`decide.e_detector`), which holds for clusters too, as
  long as dependence ends within its gap. Nothing is rolled back for a stream without it.
- **Classification**: from the first alarm on, Wald's sequential probability ratio test (1945) at
  every edge e, of 0.8·e against 1.2·e. It sees only requests after the alarm, which did not
  take part in raising it. The error of 1 % holds for rates at least a fifth away from an edge;
  nearer, no bound is claimed, and a test that lasts 1.5 times its expected length ends without
  an answer: unknown. (At the very edge six of ten do, at a fifth beside it two of ten.)
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from rollback_drill.decide.e_detector import OF_ERRORS, OF_LATENCIES, Blocks, EDetector
from rollback_drill.decide.lasting import Run
from rollback_drill.decide.run_length import steps_for, threshold_for
from rollback_drill.decide.statistics import P95
from rollback_drill.traffic.observation import Observation, Outcome

ALPHA = 1e-3  # false alarms per drill: a false rollback is dearer than a second of delay
HORIZON = 1_000_000  # requests the bound holds for; ten times as many cost a tenth of delay
_CLASSIFY_ERROR = 0.01  # of one classification; the alarm has already been raised by then
_BESIDE_EDGE = 0.2  # half-width of the zone around an edge in which no answer is forced
_PATIENCE = 1.5  # times the expected length, then a test starts over unresolved
_RECENT = 100_000  # requests remembered, to count from the estimated begin of a change
_P95_SHARE = round(1.0 - P95, 9)
# A rise is found fastest when some p1 is near it. Between two of these it takes at most 7 % longer
# than if it were one of them; without the 3 it would be 27 %.
_SERIES = (2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
_ALL_FAIL = 0.99
_SHRINKS = (0.8, 0.5, 0.2)

# No latency is known of a request that was never sent or whose connection broke.
_UNTIMED = frozenset({Outcome.DROPPED, Outcome.CONNECTION})


def alternatives(p0: float) -> tuple[float, ...]:
    """Return the rates p1 that a CUSUM for `p0` looks for: 2, 3, 5, 10 … times `p0`, and 99 %.

    Of a median (`p0` = 50 %) nothing is the double: what is left over shrinks instead.
    """
    series = [p0 * factor for factor in _SERIES if p0 * factor < 0.9]
    found = series or [1.0 - (1.0 - p0) * left for left in _SHRINKS]
    return (*found, _ALL_FAIL) if p0 < _ALL_FAIL else tuple(found)


@dataclass(frozen=True, slots=True)
class SlowShare:
    """Did it take at least `limit_s` seconds? Asked for the quantile `quantile` (0.99: the p99)."""

    limit_s: float
    quantile: float

    @property
    def edge(self) -> float:
        """The share of such requests from which the quantile is above the limit."""
        return round(1.0 - self.quantile, 9)


@dataclass(frozen=True, slots=True)
class StatusShare:
    """Was it answered with a status from `first` to `last`? Asked for the share `edge`."""

    first: int
    last: int
    edge: float


Question = SlowShare | StatusShare


class Side(Enum):
    """Where a rate lies relative to an edge."""

    BELOW = "below"
    ABOVE = "above"
    UNKNOWN = "unknown"


class Sprt:
    """Wald's test of `edge`·0.8 against `edge`·1.2, begun anew whenever it has resolved.

    `side` is the last answer; `since` the time at which it became so; `tested` the number of
    requests of the last finished or, before, the running test.
    """

    __slots__ = (
        "_down",
        "_limit",
        "_n",
        "_patience",
        "_score",
        "_up",
        "edge",
        "p0",
        "p1",
        "side",
        "since",
        "tested",
    )

    def __init__(self, edge: float) -> None:
        self.edge = edge
        self.p0, self.p1 = edge * (1.0 - _BESIDE_EDGE), min(edge * (1.0 + _BESIDE_EDGE), 0.999)
        self._up = math.log(self.p1 / self.p0)
        self._down = math.log((1.0 - self.p1) / (1.0 - self.p0))
        self._limit = math.log((1.0 - _CLASSIFY_ERROR) / _CLASSIFY_ERROR)
        drift = self.p1 * self._up + (1.0 - self.p1) * self._down
        self._patience = math.ceil(_PATIENCE * self._limit / drift)
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._score, self._n = 0.0, 0
        self.side, self.since, self.tested = Side.UNKNOWN, math.nan, 0

    def update(self, hit: bool, at: float) -> None:
        """Count one observation that ended at `at` (Unix seconds)."""
        self._n += 1
        self._score += self._up if hit else self._down
        if self._score >= self._limit:
            self._resolve(Side.ABOVE, at)
        elif self._score <= -self._limit:
            self._resolve(Side.BELOW, at)
        elif self._n >= self._patience:
            self._resolve(Side.UNKNOWN, at)

    @property
    def left(self) -> int:
        """After how many more requests it ends at the latest."""
        return self._patience - self._n

    @property
    def exhausted(self) -> bool:
        """Whether a whole test ended without an answer: the rate is too near to the edge."""
        return self.side is Side.UNKNOWN and self.tested > 0

    def _resolve(self, side: Side, at: float) -> None:
        if side is not self.side or math.isnan(self.since):
            self.since = at
        self.side, self.tested = side, self._n
        self._score, self._n = 0.0, 0


class Stream:
    """Yes-or-no observations of one question. `edges`: the shares at which it is classified.

    `steps`: those of its scores; `proof`: the evidence that holds for dependent requests. `began`
    is, after an alarm, the number of observations before the change as the score that alarmed puts
    it; `alarmed_at` the time of the alarm in Unix seconds, NaN before.
    """

    __slots__ = (
        "_began",
        "_down",
        "_idle",
        "_scores",
        "_thresholds",
        "_up",
        "alarmed_at",
        "began",
        "edges",
        "hits",
        "n",
        "name",
        "p0",
        "proof",
        "runs",
        "steps",
    )

    def __init__(
        self, name: str, p0: float, edges: Iterable[float], blocks: Blocks = OF_ERRORS
    ) -> None:
        self.name, self.p0 = name, p0
        self.proof = EDetector(p0, blocks)
        self.edges = {edge: Sprt(edge) for edge in sorted(set(edges))}
        self.steps = tuple(dict.fromkeys(steps_for(p0, p1) for p1 in alternatives(p0)))
        self._up = [one.up for one in self.steps]
        self._down = [-one.down for one in self.steps]
        self._thresholds = [math.inf] * len(self.steps)
        self.n = self.hits = 0
        self.runs: dict[float, Run] = {}
        self.rearm()

    @property
    def scores(self) -> int:
        """How many scores this stream runs: its part of K."""
        return len(self.steps)

    @property
    def alarmed(self) -> bool:
        """Whether a rate above p0 was detected and has not been seen to end."""
        return not math.isnan(self.alarmed_at)

    def set_run_length(self, least: float) -> None:
        """Set how many requests each score must need on average until a false alarm."""
        self._thresholds = [threshold_for(one, least) for one in self.steps]

    def follow(self, edge: float) -> None:
        """Measure from now on how long the share stays at `edge` or above: see `runs`."""
        self.runs.setdefault(edge, Run(edge))

    def rearm(self) -> None:
        """Begin to look for a change anew, and forget on which side of its edges the last was."""
        for test in self.edges.values():
            test.restart()
        self._scores = [0] * len(self._up)
        self._began = [0] * len(self._up)
        self._idle = True
        self.alarmed_at, self.began = math.nan, 0

    def update(self, hit: bool, at: float) -> bool:
        """Count one observation; return True when it raises the alarm."""
        self.n += 1
        self.proof.update(hit, at)
        if self.runs:
            for run in self.runs.values():
                run.update(hit, at)
        if hit:
            self.hits += 1
        elif self._idle:
            return False  # nothing to lower: what healthy requests cost
        if self.alarmed_at == self.alarmed_at:  # not NaN: already alarmed
            return False
        scores = self._scores
        idle = True
        for i, step in enumerate(self._up if hit else self._down):
            before = scores[i]
            score = before + step
            if score <= 0:
                scores[i] = 0
                continue
            if before == 0:
                self._began[i] = self.n - 1
            scores[i] = score
            idle = False
            if score >= self._thresholds[i]:
                self.alarmed_at, self.began = at, self._began[i]
                return True
        self._idle = idle
        return False

    def side(self, edge: float) -> Side:
        """Return where the share lies relative to `edge`; UNKNOWN while nothing was detected."""
        return self.edges[edge].side if self.alarmed else Side.UNKNOWN

    def reaches(self, edge: float) -> bool:
        """Whether the share lies above `edge`, or so near that a whole test could not tell."""
        return self.side(edge) is Side.ABOVE or self.edges[edge].exhausted


@dataclass(frozen=True, slots=True)
class Change:
    """What was seen since the errors or the slowness began, as the detector estimates it."""

    since: float  # Unix seconds
    outcomes: Counter[Outcome]

    @property
    def n(self) -> int:
        """Requests since then."""
        return self.outcomes.total()

    @property
    def failures(self) -> int:
        """Requests since then that got no good answer."""
        return self.n - self.outcomes[Outcome.OK]


def _stream_of(question: Question) -> Stream:
    if isinstance(question, SlowShare):
        name = f"latency ≥ {question.limit_s * 1000:g} ms, p{question.quantile * 100:g}"
        return Stream(name, question.edge, [question.edge], OF_LATENCIES)
    # Half the edge is taken for healthy, so that what is just above the edge is found as well.
    name = f"status {question.first}-{question.last}, {question.edge * 100:g} %"
    return Stream(name, question.edge / 2.0, [question.edge])


class Detector:
    """All streams of a drill. Feed it every observation in order of completion.

    `error_edges`: shares; `latency_edges`: seconds, of the p95; `factors`: multiples of the
    baseline's p95, dormant until `set_baseline`; `questions`: what else is asked of each request,
    `slowest`: seconds that no request may take. An error is every outcome but OK. Cost per
    observation is O(number of streams).
    """

    def __init__(
        self,
        error_edges: Sequence[float],
        latency_edges: Sequence[float] = (),
        factors: Sequence[float] = (),
        questions: Sequence[Question] = (),
        slowest: Sequence[float] = (),
        *,
        alpha: float = ALPHA,
        horizon: int = HORIZON,
    ) -> None:
        self.errors = Stream("errors", min(error_edges), error_edges)
        p95 = [SlowShare(edge, P95) for edge in sorted(set(latency_edges))]
        self.asked: dict[Question, Stream] = {one: _stream_of(one) for one in (*p95, *questions)}
        self.latency = {one.limit_s: self.asked[one] for one in p95}
        self.slower = {
            factor: Stream(
                f"latency ≥ {factor:g} × baseline", _P95_SHARE, [_P95_SHARE], OF_LATENCIES
            )
            for factor in sorted(set(factors))
        }
        self.streams = [self.errors, *self.asked.values(), *self.slower.values()]
        self.run_length = sum(s.scores for s in self.streams) * horizon / alpha
        for stream in self.streams:
            stream.set_run_length(self.run_length)
            stream.proof.set_bound(alpha / len(self.streams))
        self.baseline_s = math.nan
        self.n = 0
        self.last_done = math.nan  # when the last observed request ended
        self.bad_run = 0  # requests without a good answer since …
        self.run_began = math.nan  # … the last good one ended, or the first request
        self._asked_of_time = [
            (one.limit_s, stream)
            for one, stream in self.asked.items()
            if isinstance(one, SlowShare)
        ]
        self._asked_of_status = [
            (one.first, one.last, stream)
            for one, stream in self.asked.items()
            if isinstance(one, StatusShare)
        ]
        self._timed = list(self._asked_of_time)
        # By limit: when a request first took as long, and how long it took; NaN before.
        self.took_as_long: dict[float, tuple[float, float]] = dict.fromkeys(
            slowest, (math.nan, math.nan)
        )
        self._sprts = [(s, tuple(s.edges.values())) for s in self.streams]
        self._recent: deque[tuple[float, Outcome]] = deque(maxlen=_RECENT)
        self._change: Change | None = None
        self.alarmed_at = math.nan  # the first alarm of any stream in this episode

    @property
    def alarmed(self) -> bool:
        """Whether any stream has alarmed and not recovered."""
        return not math.isnan(self.alarmed_at)

    @property
    def change(self) -> Change | None:
        """What was seen since the begin of the change, None while none was detected."""
        return self._change

    def set_baseline(self, p95_upper_s: float) -> None:
        """Start the streams for multiples of the baseline's p95.

        `p95_upper_s`: its *upper* confidence bound in seconds, so that a small baseline sample
        cannot make the service look slower than it is.
        """
        self.baseline_s = p95_upper_s
        self._timed = [
            *self._asked_of_time,
            *((factor * p95_upper_s, stream) for factor, stream in self.slower.items()),
        ]

    def observe(self, observation: Observation, *, on_purpose: bool = False) -> None:
        """Count one finished request.

        `on_purpose`: refused because of maintenance. For its client that is an outage, which counts
        as one; it says nothing about the release's errors and latencies.
        """
        outcome, at = observation.outcome, observation.done
        good = outcome is Outcome.OK
        self.n += 1
        self.last_done = at
        if good or self.n == 1:
            self.run_began, self.bad_run = at, 0
        if not good:
            self.bad_run += 1
        if on_purpose:
            return
        self._recent.append((at, outcome))
        if self._change is not None:
            self._change.outcomes[outcome] += 1
        classify = self.alarmed
        feed = self._feed if classify else self._look_for_change
        feed(self.errors, not good, at)
        for first, last, stream in self._asked_of_status:
            feed(stream, first <= observation.status <= last, at)
        if outcome not in _UNTIMED:
            latency = at - observation.due
            for limit_s, (before, _) in self.took_as_long.items():
                if latency >= limit_s and math.isnan(before):
                    self.took_as_long[limit_s] = at, latency
            for limit_s, stream in self._timed:
                feed(stream, latency >= limit_s, at)
        if classify:
            self._end_episode_when_recovered()

    def _feed(self, stream: Stream, hit: bool, at: float) -> None:
        """Classify by one more observation, and look for a change."""
        for sprt in stream.edges.values():
            sprt.update(hit, at)
        self._look_for_change(stream, hit, at)

    def _look_for_change(self, stream: Stream, hit: bool, at: float) -> None:
        if stream.update(hit, at):
            self._alarm(stream, at)

    def _alarm(self, stream: Stream, at: float) -> None:
        if not self.alarmed:
            self.alarmed_at = at
            for other in self.streams:
                for sprt in other.edges.values():
                    sprt.restart()
        if self._change is None or stream is self.errors:
            # A timed stream misses untimed requests: it counts back its own number of them,
            # which is at most a few more than there were.
            length = max(1, min(len(self._recent), stream.n - stream.began))
            recent = [self._recent[-i] for i in range(length, 0, -1)]
            self._change = Change(recent[0][0], Counter(outcome for _, outcome in recent))

    def _end_episode_when_recovered(self) -> None:
        """A blip that passed is forgotten once every alarmed stream is below its lowest edge."""
        for stream in self.streams:
            if stream.alarmed and stream.edges[min(stream.edges)].side is not Side.BELOW:
                return
        for stream in self.streams:
            stream.rearm()
        self.alarmed_at, self._change = math.nan, None
