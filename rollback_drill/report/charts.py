"""Trends over many drills, as inline SVG: a point for each drill, and the limit if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from rollback_drill.report.axes import amounts

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 340, 150, 40, 12, 10, 24
_LETTER = 6.6  # width of one in a label


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A drill of a trend: its `value`, None where that is not known; `style`: its verdict; `told`:
    what it was; `day`: when; `limit`: above which its value would have been a regression.
    """

    value: float | None
    style: str
    told: str
    day: str
    limit: float | None = None


def trend(title: str, unit: str, points: Sequence[TrendPoint]) -> Markup:
    """Return a chart of `points`, oldest first; `unit`: of their values."""
    known = [one.value for one in points if one.value is not None]
    limits = [one.limit for one in points if one.limit is not None]
    ticks = amounts(max([*known, *limits], default=1.0), 3)
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(points) - 1)

    def x(number: int) -> float:
        return _LEFT + number * step

    def y(value: float) -> float:
        return _TOP + (1 - value / ticks[-1].at) * (_HEIGHT - _TOP - _BOTTOM)

    parts = []
    for tick in ticks:
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(tick.at):.1f}" '
            f'y2="{y(tick.at):.1f}"/><text x="{_LEFT - 6}" y="{y(tick.at) + 4:.1f}" '
            f'text-anchor="end">{tick.label}</text>'
        )
    limited = [(x(n), y(one.limit)) for n, one in enumerate(points) if one.limit is not None]
    for style, line in (
        ("line limit", limited),
        (
            "line p50",
            [(x(n), y(v)) for n, one in enumerate(points) if (v := one.value) is not None],
        ),
    ):
        path = " ".join(f"{left:.1f},{top:.1f}" for left, top in line)
        if len(line) > 1:
            parts.append(f'<polyline class="{style}" points="{path}"/>')
    for number, one in enumerate(points):
        if one.value is not None:
            parts.append(_point(x(number), y(one.value), one))
    for number, anchor in ((0, "start"), (len(points) - 1, "end")):
        day = escape(points[number].day)
        parts.append(
            f'<text x="{x(number):.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{day}</text>'
        )
    name = escape(f"{title}, {unit}" if unit else title)
    return Markup(  # noqa: S704 - every part is made here from numbers and escaped labels
        f"<figure><figcaption><b>{escape(title)}</b> {escape(unit)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}">'
        f"<title>{name}</title>{''.join(parts)}</svg></figure>"
    )


def _point(x: float, y: float, one: TrendPoint) -> str:
    """Draw a drill: a disc where it passed, a cross where it failed, a ring where nobody knows."""
    told = f"<title>{escape(one.told)}</title>"
    if one.style == "failed":
        cross = f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8"
        return f'<path class="point failed" d="{cross}">{told}</path>'
    return (
        f'<circle class="point {escape(one.style)}" cx="{x:.1f}" cy="{y:.1f}" r="4">{told}</circle>'
    )
