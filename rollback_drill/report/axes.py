"""Axes with round ticks: the clock, amounts from zero on, and latencies by powers of ten."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200)
_DAY_S = 86_400
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, and what is written there."""

    at: float
    label: str


def clock(at: float, step_s: float = 1.0) -> str:
    """Return the time of day in UTC, with seconds where steps are shorter than a minute."""
    form = "%H:%M:%S" if step_s < _MINUTE_S else "%H:%M"
    return datetime.fromtimestamp(at, UTC).strftime(form)


def clock_ticks(begin: float, end: float, most: int) -> list[Tick]:
    """Return at most `most` round moments from `begin` to `end` (Unix seconds)."""
    span = max(1.0, end - begin)
    step = next((one for one in _STEPS_S if span / one <= most - 1), _DAY_S)
    first = math.ceil(begin / step) * step
    return [Tick(at, clock(at, step)) for at in range(first, math.floor(end) + 1, step)]


def amounts(top: float, most: int = 4) -> list[Tick]:
    """Return round amounts from 0 to the first that is not below `top`: the last is the axis' end.

    Steps are 1, 2 or 5 times a power of ten, and never a part of one.
    """
    raw = max(top, 1.0) / (most - 1)
    power = 10 ** math.floor(math.log10(raw))
    step = max(1, next(n * power for n in (1, 2, 5, 10) if n * power >= raw * 0.999))
    count = max(1, math.ceil(top / step))
    return [Tick(n * step, f"{n * step:,.0f}") for n in range(count + 1)]


def latencies(low_s: float, high_s: float) -> list[Tick]:
    """Return powers of ten in seconds around both: the first and the last are the axis' ends."""
    first = math.floor(math.log10(max(low_s, 1e-4)))
    last = max(first + 1, math.ceil(math.log10(max(high_s, 1e-4))))
    return [Tick(10.0**n, latency(10.0**n)) for n in range(first, last + 1)]


def latency(seconds: float) -> str:
    """Return a latency as people say it: "0.4 ms", "12 ms", "1.5 s"."""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
