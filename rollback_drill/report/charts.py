"""Pictures of a drill over one time axis, as inline SVG: requests, latency, memory, connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 720, 150, 56, 18, 20
_MOST_POINTS = 300
_FEW = 10  # below, a whole number says too little

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a chart: what it shows, its style, its points (seconds, value)."""

    label: str
    style: str
    points: Points


def chart(
    title: str,
    lines: Sequence[Curve],
    frame: Sequence[tuple[float, float, str]],
    span: float,
    ticks: Sequence[tuple[float, str]],
) -> Markup:
    """Return `lines` over an axis from 0 to `span` with its `ticks` (place, label).

    `frame`: stretches of the axis with a name: (begin, end, name).
    """
    top = max((value for line in lines for _, value in line.points), default=1.0) * 1.08 or 1.0

    def x(at: float) -> float:
        return _LEFT + at / span * (_WIDTH - _LEFT - 8)

    def y(value: float) -> float:
        return _TOP + (1 - value / top) * (_HEIGHT - _TOP - _BOTTOM)

    parts = []
    for index, (begin, until, name) in enumerate(frame):
        parts.append(
            f'<rect class="phase{index % 2}" x="{x(begin):.1f}" y="{_TOP}" '
            f'width="{max(0.0, x(until) - x(begin)):.1f}" height="{_HEIGHT - _TOP - _BOTTOM}"/>'
        )
        if x(until) - x(begin) > 7 * len(name):
            parts.append(f'<text class="name" x="{x(begin) + 3:.1f}" y="{_TOP - 5}">{name}</text>')
    for value in (0.0, top / 2.16, top / 1.08):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y(value):.1f}" '
            f'y2="{y(value):.1f}"/><text class="tick" x="{_LEFT - 6}" y="{y(value) + 4:.1f}">'
            f"{value:,.{1 if top < _FEW else 0}f}</text>"
        )
    for line in lines:
        for piece in _pieces(line.points, span):
            path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in piece)
            parts.append(f'<polyline class="{line.style}" points="{path}"/>')
    for at, label in ticks:
        anchor = "end" if at >= span else "start"
        parts.append(
            f'<text x="{x(at):.1f}" y="{_HEIGHT - 4}" text-anchor="{anchor}">{escape(label)}</text>'
        )
    legend = " · ".join(f'<span class="{x.style}">{escape(x.label)}</span>' for x in lines)
    return Markup(  # noqa: S704 - every part is made here from numbers and escaped labels
        f'<figure><figcaption><b>{escape(title)}</b> {legend}</figcaption><div class="scroll">'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg></div></figure>"
    )


def _pieces(points: Points, span: float) -> list[Points]:
    """Return the points in runs without gaps, thinned to what a picture can show."""
    step = max(1, len(points) // _MOST_POINTS)
    gap = max(3.0, 3 * span / _MOST_POINTS, 3.0 * step)
    runs: list[Points] = []
    for at, value in points[::step]:
        if not runs or at - runs[-1][-1][0] > gap:
            runs.append([])
        runs[-1].append((at, value))
    return runs
