"""Pictures of a drill over one time axis, as inline SVG: requests, latency, memory, connections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from rollback_drill.record.book import Book
from rollback_drill.record.told import PhaseStarted
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import ProbeSample

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


def charts(book: Book) -> list[Markup]:
    """Return the charts of a drill; those of which nothing was observed are left out."""
    if not book.events:
        return []
    began, end = book.events[0].at, book.events[-1].at
    traffic = book.every(TrafficSecond)
    # Nothing is to be seen while a stage is built or filled, which can take minutes.
    observed = [at for at, _ in book.moments(ProbeSample)]
    observed += [float(second.second) for second in traffic]
    start = max(began, min(observed, default=began))
    samples = [(at - start, sample) for at, sample in book.moments(ProbeSample)]
    frame = _frame(book, start, end)
    good: Points = []
    bad: Points = []
    median: Points = []
    p95: Points = []
    for second in traffic:
        at = second.second - start + 0.5
        good.append((at, second.good))
        bad.append((at, second.failed))
        latencies = Histogram.from_text(second.histogram)
        if latencies.count:
            median.append((at, latencies.quantile(0.5) * 1000))
            p95.append((at, latencies.quantile(0.95) * 1000))
    memory = [
        (at, sum(sample.rss_bytes.values()) / 2**20) for at, sample in samples if sample.rss_bytes
    ]
    used = [(at, float(s.connections)) for at, s in samples if s.connections is not None]
    limit = [(at, float(s.connection_limit)) for at, s in samples if s.connection_limit]
    span = max(1.0, end - start)
    before = start - began
    ticks = [(at, f"{at + before:.0f} s") for at in (0.0, span / 2, span)]
    wanted = [
        ("Requests per second", [Curve("good", "good", good), Curve("failed", "bad", bad)]),
        ("Latency in ms", [Curve("median", "good", median), Curve("p95", "mark", p95)]),
        ("Memory of the service in MB", [Curve("resident", "good", memory)]),
        ("Database connections", [Curve("in use", "good", used), Curve("limit", "bad", limit)]),
    ]
    return [
        chart(title, lines, frame, span, ticks)
        for title, lines in wanted
        if any(x.points for x in lines)
    ]


def _frame(book: Book, start: float, end: float) -> list[tuple[float, float, str]]:
    found = [(at - start, one.phase.value) for at, one in book.moments(PhaseStarted)]
    ends = [*(at for at, _ in found[1:]), end - start]
    return [
        (max(0.0, at), until, name)
        for (at, name), until in zip(found, ends, strict=False)
        if until > 0
    ]


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
