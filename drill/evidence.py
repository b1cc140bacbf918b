"""What triggers and diagnosis may look at: streams, memory, connections and log lines so far."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from drill.detector import Detector
from drill.events import LogLine, ProbeSample
from drill.statistics import Interval, theil_sen

_SAMPLES = 1_200  # ten minutes at two a second
_LINES = 5_000
_GROWTH = 0.20  # proven growth of one process's life: warming up stays below, a leak does not
_LEAST_SAMPLES = 6
_RESTARTED = 0.5  # resident memory does not halve in a living process


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
            self.killed_at.extend([at] * (kills - self.total_kills))
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


class Evidence:
    """Everything seen so far. `pace` divides the runbook's waits; times are Unix seconds."""

    def __init__(self, detector: Detector, pace: float) -> None:
        self.detector = detector
        self.pace = pace
        self.memory: dict[str, HostMemory] = {}
        self.lines: deque[tuple[float, LogLine]] = deque(maxlen=_LINES)
        self.connections: tuple[int, int] | None = None  # most sessions seen, the server's limit
        self.probed_at: deque[float] = deque(maxlen=_SAMPLES)

    def probe(self, sample: ProbeSample, at: float) -> None:
        """Take a look at the system in."""
        self.probed_at.append(at)
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
        """Forget logs, connections and memory: what was before the onset is no evidence.

        Each host's kills so far become its zero, so that one between two looks is not missed.
        """
        self.lines.clear()
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
