"""What triggers and diagnosis may look at: streams, memory, connections and log lines so far."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from rollback_drill.decide.detector import Detector
from rollback_drill.decide.statistics import Interval, theil_sen
from rollback_drill.ground.verdict import Verdict
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.watch.told import LogLine, Looked, ProbeSample, Reported

_SAMPLES = 1_200  # ten minutes at two a second
_LINES = 5_000
_REQUESTS = 100_000
_RECENT = 5  # looks; about two seconds of them
_KEPT = 10  # no trigger asks for more looks in a row
_GROWTH = 0.20  # proven growth of one process's life: warming up stays below, a leak does not
_LEAST_SAMPLES = 6
_HEALTHY = 200  # what a health endpoint answers
_RESTARTED = 0.5  # resident memory does not halve in a living process
_TOLD_KILLS = 2  # of one look: nobody asks when a third one came


@dataclass(frozen=True, slots=True)
class Growth:
    """Proven growth of a process: `trend` in bytes/s over `span_s` from `first_bytes`."""

    trend: Interval
    span_s: float
    first_bytes: float

    @property
    def share(self) -> float:
        """By how much of its first value the memory has provably grown."""
        return self.trend.low * self.span_s / self.first_bytes

    @property
    def proven(self) -> bool:
        """Whether that is more than warming up explains."""
        return self.share >= _GROWTH


class HostMemory:
    """Resident memory and kills of the service on one host, life by life of the process."""

    def __init__(self, kills: int) -> None:
        self._first_kills = self.total_kills = kills
        self._life: deque[tuple[float, float]] = deque(maxlen=_SAMPLES)
        self._past: Growth | None = None
        self._current: Growth | None = None
        self._stale = False
        self.killed_at: list[float] = []
        self.grew_at = math.inf  # the first time at which growth was proven

    @property
    def kills(self) -> int:
        """Kills for memory since the first look."""
        return self.total_kills - self._first_kills

    def add(self, rss: int | None, kills: int, at: float) -> None:
        """Take one look's values in. None: there is no process, or it could not be read."""
        if kills > self.total_kills:
            self.killed_at.extend([at] * min(kills - self.total_kills, _TOLD_KILLS))
            self.total_kills = kills
            self._end_life()
        if not rss:
            return
        if self._life and rss < _RESTARTED * self._life[-1][1]:
            self._end_life()
        self._life.append((at, float(rss)))
        self._stale = True

    def growth(self) -> Growth | None:
        """Return the growth of this life, or of the last one that grew provably."""
        if self._stale:
            self._current, self._stale = self._measure(), False
        if self._current and self._current.proven:
            return self._current
        return self._past or self._current

    def _measure(self) -> Growth | None:
        if len(self._life) < _LEAST_SAMPLES:
            return None
        times, values = zip(*self._life, strict=True)
        growth = Growth(theil_sen(times, values), times[-1] - times[0], values[0])
        if growth.proven:
            self.grew_at = min(self.grew_at, times[-1])
        return growth

    def _end_life(self) -> None:
        last = self._measure()
        if last and last.proven:
            self._past = last
        self._life.clear()
        self._current = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A finished request, as far as the question of whose doing it is goes."""

    done: float
    client: str
    operation: str
    outcome: Outcome
    latency_s: float

    @property
    def failed(self) -> bool:
        """Whether it got no good answer."""
        return self.outcome is not Outcome.OK


@dataclass(slots=True)
class Series:
    """The looks of one sentinel since the onset. A look that could not be made breaks no streak.

    `streak`: failures in a row up to now; `failure`: what the last one saw.
    """

    last: Looked | None = None
    last_at: float = math.nan
    looks: int = 0
    failures: int = 0
    recent: deque[Verdict] = field(default_factory=lambda: deque(maxlen=_RECENT))
    streak: int = 0
    failed_at: list[float] = field(default_factory=list)  # of the streak, its first ones
    ever_failed_at: float | None = None
    failure: str = ""
    numbers: list[tuple[float, dict[str, float]]] = field(default_factory=list)

    def add(self, looked: Looked, at: float) -> None:
        """Take one look in."""
        self.last, self.last_at = looked, at
        self.looks += 1
        if looked.numbers:
            # Only the first and the last are of use.
            self.numbers = [*self.numbers[:1], (at, looked.numbers)]
        if looked.verdict is not Verdict.UNKNOWN:
            self.recent.append(looked.verdict)
        if looked.verdict is Verdict.FAILED:
            self.failures += 1
            self.streak += 1
            self.failure = looked.evidence
            self.failed_at = [*self.failed_at, at][:_KEPT]
            self.ever_failed_at = at if self.ever_failed_at is None else self.ever_failed_at
        elif looked.verdict is not Verdict.UNKNOWN:
            self.streak, self.failed_at = 0, []


@dataclass(slots=True)
class Unhealthy:
    """Looks in a row at a host's health endpoint that did not find 200. Times in Unix seconds."""

    since: float
    until: float
    looks: int
    status: int  # of the last one, 0 for no answer


class Evidence:
    """Everything seen so far. `pace` divides the runbook's waits; times are Unix seconds."""

    def __init__(self, detector: Detector, pace: float) -> None:
        self.detector = detector
        self.pace = pace
        self.memory: dict[str, HostMemory] = {}
        self.lines: deque[tuple[float, LogLine]] = deque(maxlen=_LINES)
        self.connections: tuple[int, int] | None = None  # most sessions seen, the server's limit
        self.probed_at: deque[float] = deque(maxlen=_SAMPLES)
        self.reports: list[tuple[float, Reported]] = []
        self.unhealthy: dict[str, Unhealthy | None] = {}  # by host, None for a healthy one
        self.watched: set[str] = set()  # sentinels that have ever looked
        self._series: dict[str, Series] = {}
        self._requests: deque[Asked] = deque(maxlen=_REQUESTS)

    def observe(self, seen: Observation) -> None:
        """Remember whose request of which operation failed, and how long it took."""
        self._requests.append(
            Asked(seen.done, seen.client, seen.operation, seen.outcome, seen.latency_s)
        )

    def since_change(self) -> Iterator[Asked]:
        """Yield the requests since the detected change, all of them when none was detected."""
        change = self.detector.change
        for one in self._requests:
            if change is None or one.done >= change.since:
                yield one

    def look(self, looked: Looked, at: float) -> None:
        """Take a sentinel's look in."""
        self.watched.add(looked.sentinel)
        self._series.setdefault(looked.sentinel, Series()).add(looked, at)

    def series(self, sentinel: str) -> Series:
        """Return the looks of a sentinel, none when it has not looked."""
        return self._series.get(sentinel, Series())

    def report(self, reported: Reported, at: float) -> None:
        """Take in what somebody reported."""
        self.reports.append((at, reported))

    def probe(self, sample: ProbeSample, at: float) -> None:
        """Take a look at the system in."""
        self.probed_at.append(at)
        for host, status in sample.health_status.items():
            if status == _HEALTHY:
                self.unhealthy[host] = None
                continue
            before = self.unhealthy.get(host) or Unhealthy(at, at, 0, status)
            before.until, before.looks, before.status = at, before.looks + 1, status
            self.unhealthy[host] = before
        for host in sample.oom_kills.keys() | sample.rss_bytes.keys():
            kills = sample.oom_kills.get(host)
            known = self.memory.get(host)
            if known is None:
                known = self.memory[host] = HostMemory(kills or 0)
            known.add(sample.rss_bytes.get(host), known.total_kills if kills is None else kills, at)
        if sample.connections is not None and sample.connection_limit:
            most = self.connections[0] if self.connections else 0
            self.connections = max(most, sample.connections), sample.connection_limit

    def log(self, line: LogLine, at: float) -> None:
        """Take a noteworthy log line in."""
        self.lines.append((at, line))

    @property
    def kills(self) -> int:
        """Kills for memory on all hosts."""
        return sum(host.kills for host in self.memory.values())

    def forget(self) -> None:
        """Forget everything but kills: what was before the onset is no evidence.

        Each host's kills so far become its zero, so that one between two looks is not missed.
        """
        self.lines.clear()
        self._series.clear()
        self._requests.clear()
        self.reports.clear()
        self.unhealthy.clear()
        self.connections = None
        self.probed_at.clear()
        self.memory = {name: HostMemory(host.total_kills) for name, host in self.memory.items()}


def megabytes(size: float) -> str:
    """Return "384 MB" for bytes (of 2²⁰)."""
    return f"{size / 2**20:,.0f} MB"


def memory_sentences(evidence: Evidence) -> tuple[str, ...]:
    """Return what is known of kills and growth, host by host."""
    told = []
    for name, host in sorted(evidence.memory.items()):
        if host.kills:
            times = "once" if host.kills == 1 else f"{host.kills} times"
            told.append(f"{name}: the service was killed for memory {times}")
        growth = host.growth()
        if growth and growth.proven:
            trend = growth.trend
            told.append(
                f"{name}: resident memory grew by {trend.estimate / 2**20:.1f} MB/s "
                f"(at least {trend.low / 2**20:.1f}, 95 % confidence) over {growth.span_s:.1f} s "
                f"from {megabytes(growth.first_bytes)}"
            )
    return tuple(told)
