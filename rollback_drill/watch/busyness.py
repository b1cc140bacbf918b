"""How busy the drill's own machine is, once a second: what tells a slow service from a sick one."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from rollback_drill.ground import clock
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, Timeline
from rollback_drill.record.watched import Watched
from rollback_drill.traffic.told import LATE_S, GeneratorSample
from rollback_drill.watch.told import MachineSample

SAMPLE_EVERY_S = 1.0
_RECENT = 30  # samples that a check's sentence is about
_BUSY_CPU = 0.9
_BUSY_LOAD = 1.5  # times the cores: as much again waits for them
_GRACE_S = 5.0
_STAT, _MEMORY = Path("/proc/stat"), Path("/proc/meminfo")
_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d{1,12}) kB", re.MULTILINE)

_Ticks = tuple[int, int]  # busy ones, all


class Machine:
    """A thread that records a MachineSample a second. Use as a context manager."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._over = clock.signal()
        self._ticks = _cpu_ticks()
        self._recent: deque[MachineSample] = deque(maxlen=_RECENT)
        self._lags: deque[float] = deque(maxlen=_RECENT)
        self._thread = Watched("observer of the machine", self._watch, over=self._over)

    def __enter__(self) -> Machine:
        self._timeline.subscribe(self._listen, "observer of the machine")
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.end(_GRACE_S)

    def sentence(self) -> str:
        """Return how busy it was lately, "" when nobody knows."""
        return sentence(list(self._recent), max(self._lags, default=0.0))

    def look(self) -> MachineSample:
        """Look once. What cannot be read here is None."""
        before, self._ticks = self._ticks, _cpu_ticks()
        cpu = None
        if before and self._ticks and self._ticks[1] > before[1]:
            used = (self._ticks[0] - before[0]) / (self._ticks[1] - before[1])
            cpu = min(1.0, max(0.0, used))
        return MachineSample(_load(), os.cpu_count() or 1, cpu, _memory_available())

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_EVERY_S):
            seen = self.look()
            self._recent.append(seen)
            self._timeline.record(seen)

    def _listen(self, event: Event) -> None:
        if isinstance(event.what, GeneratorSample):
            self._lags.append(event.what.lag_s)


def busy(book: Book) -> str:
    """Return how busy the drill's own machine was, "" when nobody knows."""
    lag_s = max((one.lag_s for one in book.every(GeneratorSample)), default=0.0)
    return sentence(book.every(MachineSample), lag_s)


def is_busy(samples: Sequence[MachineSample]) -> bool:
    """Whether programs waited for the machine during most of `samples`."""
    used = [one.cpu for one in samples if one.cpu is not None]
    if used:
        return sum(used) / len(used) >= _BUSY_CPU
    return any(one.load is not None and one.load >= _BUSY_LOAD * one.cores for one in samples)


def sentence(samples: Sequence[MachineSample], lag_s: float) -> str:
    """Return "the machine was busy: load 7.9 on 2 cores, 96 % of CPU, …", "" without samples.

    `lag_s`: the worst distance between when a request was due and when it was sent.
    """
    if not samples:
        return ""
    used = [one.cpu for one in samples if one.cpu is not None]
    left = [m for one in samples if (m := one.memory_available_bytes) is not None]
    loads = [one.load for one in samples if one.load is not None]
    parts = [f"load {max(loads):.1f} on {samples[-1].cores} cores"] if loads else []
    if used:
        parts.append(f"{sum(used) / len(used) * 100:.0f} % of CPU")
    if left:
        parts.append(f"{min(left) / 2**20:,.0f} MB of memory left")
    if lag_s >= LATE_S:
        parts.append(f"requests were sent up to {lag_s:.1f} s late")
    how = "busy" if is_busy(samples) else "not busy"
    return f"the machine was {how}: {', '.join(parts)}" if parts else ""


def _cpu_ticks() -> _Ticks | None:
    """Return (busy, all) ticks of all cores since the machine's start; None where nobody counts."""
    try:
        words = _STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
        ticks = [int(word) for word in words]
    except (OSError, ValueError):
        return None
    if len(ticks) < 5:
        return None
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)  # idle, and idle while a disk works


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _memory_available() -> int | None:
    try:
        found = _AVAILABLE.search(_MEMORY.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return int(found[1]) * 1024 if found else None
