"""Amounts within a sentence: a duration, a share, a size, a band. Whole ones: `budgets`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from rollback_drill.runbook.model import Band

_NUMBER = r"\d{1,12}(?:\.\d{1,9})?"
_UNITS_S = {"ms": 0.001, "s": 1.0, "sec": 1.0, "second": 1.0, "m": 60.0, "min": 60.0}
_UNITS_S |= {"minute": 60.0, "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "day": 86_400.0}
_SIZES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_ONE = re.compile(rf"(?P<high>{_NUMBER})\s*(?P<unit>[A-Za-z]+)")


def _unit_s(name: str) -> float:
    key = name.lower()
    key = key if key in _UNITS_S else key.removesuffix("s")
    if key not in _UNITS_S:
        raise ValueError(f"expected a unit of time such as ms, seconds or minutes; found {name!r}")
    return _UNITS_S[key]


def duration_s(text: str) -> float:
    """Return one duration ("500 ms", "2 minutes") in seconds. Raises ValueError."""
    match = _ONE.search(text)
    if not match:
        raise ValueError(f"expected a duration such as '30 seconds'; found {text[:80]!r}")
    return float(match["high"]) * _unit_s(match["unit"])


def percent(text: str) -> float:
    """Return a share ("<1 %") as a fraction (0.01). Raises ValueError."""
    match = re.search(rf"({_NUMBER})\s*%", text)
    if not match:
        raise ValueError(f"expected a share such as '5%'; found {text!r}")
    return float(match[1]) / 100


def size_bytes(text: str) -> int:
    """Return a size ("1KB", in powers of 1024) in bytes. Raises ValueError."""
    match = re.search(rf"({_NUMBER})\s*([KMG]?B)\b", text, re.IGNORECASE)
    if not match:
        raise ValueError(f"expected a size such as '1KB'; found {text!r}")
    return int(float(match[1]) * _SIZES[match[2].upper()])


def band(text: str, unit: Callable[[str], float]) -> Band:
    """Return a cell of the matrix as a band: "<1%", "1-5%", "500-1000ms", ">10%".

    `unit` turns an amount with its unit into a number. Raises ValueError.
    """
    suffix = re.search(r"(%|[A-Za-z]+)\s*$", text)
    if not suffix:
        raise ValueError(f"expected a band such as '<1%' or '1-2s'; found {text!r}")
    numbers = re.findall(rf"({_NUMBER})\s*(%|[A-Za-z]*)", text)
    values = [unit(f"{number} {own or suffix[1]}") for number, own in numbers]
    match (text.strip()[:1], values):
        case ("<" | "≤", [high]):
            return Band(0.0, high)
        case (">" | "≥", [low]):
            return Band(low, math.inf)
        case (_, [low, high]) if low < high:
            return Band(low, high)
    raise ValueError(f"expected a band such as '<1%', '1-5%' or '>10%'; found {text.strip()!r}")


_QUANTILE = re.compile(
    r"\bp(?P<p>\d{2}(?:\.\d+)?)\b(?!\.\d)|\b(?P<n>\d{2}(?:\.\d+)?)(?:st|nd|rd|th)?[\s-]percentile"
    r"|(?P<median>\bmedian\b)",
    re.IGNORECASE,
)
_SPEED_COLUMN = re.compile(r"performance|latency|response time|\bp\d\d|percentile|median|speed")


def is_about_speed(column: str) -> bool:
    """Whether a column of the matrix with this heading, in lower case, has latencies."""
    return bool(_SPEED_COLUMN.search(column))


def speed_of(cells: Mapping[str, str]) -> tuple[float, str]:
    """Return the quantile that a row of the matrix is about, and its latencies without it.

    A cell or its column's heading names it ("p99", "median"); else it is the p95. Raises ValueError
    where both do and differ, and where there is no such column.
    """
    columns = [name for name in cells if is_about_speed(name)]
    if len(columns) != 1:
        found = ", ".join(repr(name) for name in columns) or "none"
        raise ValueError(f"expected one column for latencies ('Performance'); found {found}")
    (column,) = columns
    cell = cells[column]
    named = {_quantile(match) for text in (column, cell) for match in _QUANTILE.finditer(text)}
    if len(named) > 1:
        raise ValueError(f"expected one quantile; found {column!r} above {cell!r}")
    return (named or {0.95}).pop(), _QUANTILE.sub("", cell)


def _quantile(match: re.Match[str]) -> float:
    number = match["p"] or match["n"]
    return round(float(number) / 100.0, 9) if number else 0.5


_WITHIN = re.compile(r"within (?P<count>\d{1,6}) (?P<unit>hour|day|week)s?", re.IGNORECASE)
_WITHIN_S = {"hour": 3600.0, "day": 86_400.0, "week": 604_800.0}


def within_s(title: str) -> float:
    """Return the seconds in "Within 24 hours", 0 when the title names no time."""
    match = _WITHIN.search(title)
    return int(match["count"]) * _WITHIN_S[match["unit"].lower()] if match else 0.0
