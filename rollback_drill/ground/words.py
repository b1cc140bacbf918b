"""Numbers as people say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

_MINUTE_S, _HOUR_S = 120, 7200  # from here on, minutes and hours say it better
_FEW_S = 10  # below, a whole second says too little


def duration(seconds: float) -> str:
    """Return seconds as people say them: "1.4 s", "14 s", "2.5 min", "2 h"."""
    if seconds < _FEW_S:
        return f"{seconds:.1f} s"
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < _HOUR_S:
        return f"{seconds / 60:.1f} min".replace(".0 ", " ")
    return f"{seconds / 3600:.1f} h".replace(".0 ", " ")


def time_of_day(at: float) -> str:
    """Return Unix seconds as people read them within a day: "15:43:07 UTC"."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def few(told: Sequence[str], most: int = 5, join: str = "; ") -> str:
    """Return the first `most` of what is told, and how many more there are: "a; b; and 3 more"."""
    more = [f"and {len(told) - most} more"] if len(told) > most else []
    return join.join([*told[:most], *more])


def capitalized(text: str) -> str:
    """Return `text` with a large first letter, as sentences begin."""
    return f"{text[:1].upper()}{text[1:]}"


def each_said(statuses: Mapping[str, int]) -> str:
    """Return who answered with which HTTP status (0: no answer): "host-1 200, host-2 no answer"."""
    return pairs({who: status or "no answer" for who, status in statuses.items()}) or "nobody"


def pairs(told: Mapping[str, object]) -> str:
    """Return what is told of each: "host-1 4711, host-2 4712"."""
    return ", ".join(f"{name} {value}" for name, value in told.items())
