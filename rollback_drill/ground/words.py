"""Numbers as people say them."""

from __future__ import annotations

from collections.abc import Mapping

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


def capitalized(text: str) -> str:
    """Return `text` with a large first letter, as sentences begin."""
    return f"{text[:1].upper()}{text[1:]}"


def each_said(statuses: Mapping[str, int]) -> str:
    """Return who answered with which HTTP status (0: no answer): "host-1 200, host-2 no answer"."""
    told = ", ".join(f"{who} {status or 'no answer'}" for who, status in statuses.items())
    return told or "nobody"
