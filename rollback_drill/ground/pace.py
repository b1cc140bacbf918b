"""Pace: by how much the waits of the runbook are shortened, and where it must not shorten them.

A wait that is shorter than a service takes to start would tell a restart from an outage no more:
it is stretched to `START_S`, and the record says so.
"""

from __future__ import annotations

START_S = 5.0  # a release of the suite serves after half a second, on a loaded machine after four


def paced_s(limit_s: float, pace: float) -> float:
    """Return how long a wait of the runbook lasts in a drill, in seconds."""
    return max(limit_s / pace, min(limit_s, START_S))


def stretched(limit_s: float, pace: float) -> bool:
    """Whether `paced_s` is longer than the pace alone would have it."""
    return paced_s(limit_s, pace) > limit_s / pace


def paced_text(limit_s: float, pace: float) -> str:
    """Return "5 s, 300 s at pace 60"."""
    if paced_s(limit_s, pace) == limit_s:
        return f"{limit_s:g} s"
    least = ", stretched to what a service takes to start" if stretched(limit_s, pace) else ""
    return f"{paced_s(limit_s, pace):g} s, {limit_s:g} s at pace {pace:g}{least}"
