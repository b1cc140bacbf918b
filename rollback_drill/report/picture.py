"""One picture of a whole drill over the clock: what clients got, what was done, what broke."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from rollback_drill.decide.told import TriggersRead
from rollback_drill.ground.words import duration
from rollback_drill.record.book import Book
from rollback_drill.report.axes import Tick, amounts, clock, clock_ticks, latencies, latency
from rollback_drill.report.course import Course, Gap, Slice, course
from rollback_drill.report.marks import Mark, Performing, PhaseSpan, marks, phases, steps

_WIDTH, _LEFT, _RIGHT = 1080.0, 76.0, 14.0
_LETTER = 6.6  # width of one in a label
_BOLD = 8.4  # of one in a flag, in the widest of the fonts that a system has
_NAME, _HEAD = 15, 34  # of phases: height of a row, and of both
_FLAG, _FLAG_ROWS = 16, 10
_STEP, _MOST_STEPS = 17, 24
_BETWEEN = 26  # lanes
_TICKS = 10
_MB = 2**20


@dataclass(frozen=True, slots=True)
class Area:
    """Where on the picture something stands, in its units."""

    top: float
    height: float

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


@dataclass(slots=True)
class Canvas:
    """The picture while it is drawn: the times of its edges (Unix seconds), and its parts."""

    begin: float
    end: float
    parts: list[str] = field(default_factory=list)

    def x(self, at: float) -> float:
        """Return where a moment stands, at the edges what lies beyond them."""
        share = (at - self.begin) / max(1.0, self.end - self.begin)
        return _LEFT + min(1.0, max(0.0, share)) * (_WIDTH - _LEFT - _RIGHT)

    def rect(self, style: str, begin: float, end: float, area: Area, title: str = "") -> None:
        """Draw a box from one moment to another."""
        x, width = self.x(begin), max(1.5, self.x(end) - self.x(begin))
        told = f"<title>{escape(title)}</title>" if title else ""
        self.parts.append(
            f'<rect class="{style}" x="{x:.1f}" y="{area.top:.1f}" width="{width:.1f}" '
            f'height="{area.height:.1f}">{told}</rect>'
        )

    def text(self, x: float, y: float, words: str, style: str = "", anchor: str = "start") -> None:
        """Write some words."""
        kind = f' class="{style}"' if style else ""
        self.parts.append(
            f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def level(self, style: str, y: float) -> None:
        """Draw a line over the whole width."""
        self.parts.append(
            f'<line class="{style}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )


def picture(book: Book) -> Markup:
    """Return the picture of a drill as SVG, nothing of one in which nothing was observed."""
    seen = book.ask(course)
    if seen is None:
        return Markup()
    canvas = Canvas(seen.begin, seen.end)
    shown = [one for one in phases(book) if one.end > seen.begin]
    moments = [one for one in marks(book) if one.at >= seen.begin]
    performed = [one for one in steps(book) if one.end > seen.begin][:_MOST_STEPS]
    rows = _rows(canvas, moments)
    lanes = Area(_HEAD + 6.0 + _FLAG * (max(rows, default=0) + 1), 0.0)
    top = lanes.top
    later: list[Callable[[], None]] = []
    for lane, height in _lanes(book, seen, performed):
        area = Area(top + _BETWEEN, height)
        later.append(lambda draw=lane, area=area: draw(canvas, area))  # type: ignore[misc]
        top = area.bottom
    whole = Area(lanes.top, top - lanes.top)
    _phases(canvas, shown, whole)
    _clock(canvas, whole)
    for draw in later:
        draw()
    _gaps(canvas, seen.gaps, whole)
    _columns(canvas, seen.stretches, whole)
    _flags(canvas, moments, rows, whole)
    height = top + 40
    return Markup(  # noqa: S704 - every part is made here from numbers and escaped words
        f'<svg class="picture" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-labelledby="picture-title" aria-describedby="picture-table">'
        f'<title id="picture-title">The drill over the clock (UTC)</title>{_PATTERNS}'
        f"{''.join(canvas.parts)}</svg>"
    )


_PATTERNS = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern>'
    '<pattern id="stripes" width="5" height="5" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><path class="stripes" d="M1 0V5"/></pattern>'
    '<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<circle class="dots" cx="2" cy="2" r="1.2"/></pattern></defs>'
)

_Lane = Callable[[Canvas, Area], None]


def _lanes(
    book: Book, seen: Course, performed: Sequence[Performing]
) -> Iterator[tuple[_Lane, float]]:
    """Yield what is drawn below each other, with its height: only what was observed."""
    some = seen.stretches
    read = book.last(TriggersRead)
    limits = read.p95_from_s if read else {}
    if any(one.good is not None for one in some):
        yield lambda canvas, area: _requests(canvas, area, some), 130
    if any(one.p95_s is not None for one in some):
        yield lambda canvas, area: _latencies(canvas, area, some, limits), 120
    if performed:
        yield lambda canvas, area: _steps(canvas, area, performed), _STEP * len(performed)
    if any(one.memory for one in some):
        yield lambda canvas, area: _memory(canvas, area, some), 60
    if any(one.connections is not None for one in some):
        yield lambda canvas, area: _connections(canvas, area, some), 60


def _phases(canvas: Canvas, shown: Sequence[PhaseSpan], whole: Area) -> None:
    rows = _Rows(2)
    for number, one in enumerate(shown):
        told = f"{one.name}: {clock(one.begin)} to {clock(one.end)}"
        told = f"{told}, {duration(one.end - one.begin)}"
        canvas.rect(f"phase{number % 2}", one.begin, one.end, whole, told)
        x, width = canvas.x(one.begin), _LETTER * len(one.name) + 8
        left = x + width > _WIDTH
        place, anchor = (canvas.x(one.end) - 3, "end") if left else (x + 3, "start")
        row = rows.free(place - width if left else x, place if left else x + width)
        if row is not None:  # the tooltip says it in any case
            canvas.text(place, 12 + _NAME * row, one.name, "name", anchor)


def _clock(canvas: Canvas, whole: Area) -> None:
    for tick in clock_ticks(canvas.begin, canvas.end, _TICKS):
        x = canvas.x(tick.at)
        canvas.parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{whole.top:.1f}" '
            f'y2="{whole.bottom + 5:.1f}"/>'
        )
        over = x + _LETTER * len(tick.label) / 2 > _WIDTH
        canvas.text(x, whole.bottom + 20, tick.label, anchor="end" if over else "middle")
    canvas.text(_WIDTH - _RIGHT, whole.bottom + 36, "time of day, UTC", "unit", "end")


def _axis(
    canvas: Canvas, area: Area, title: str, ticks: Sequence[Tick], y: Callable[[float], float]
) -> None:
    canvas.text(_LEFT, area.top - 8, title, "lane")
    for tick in ticks:
        canvas.level("grid", y(tick.at))
        canvas.text(_LEFT - 7, y(tick.at) + 4, tick.label, anchor="end")


def _linear(area: Area, ticks: Sequence[Tick]) -> Callable[[float], float]:
    top = ticks[-1].at
    return lambda value: area.bottom - min(1.0, value / top) * area.height


def _requests(canvas: Canvas, area: Area, some: Sequence[Slice]) -> None:
    ticks = amounts(max((_asked(one) for one in some), default=1.0))
    y = _linear(area, ticks)
    _axis(canvas, area, "Requests per second", ticks, y)
    for one in some:
        below = 0.0
        for style, value in (
            ("served", one.good or 0.0),
            ("planned", one.planned or 0.0),
            ("lost", one.failed or 0.0),
        ):
            if value:
                box = Area(y(below + value), y(below) - y(below + value))
                canvas.rect(style, one.begin, one.end, box)
            below += value


def _asked(one: Slice) -> float:
    return (one.good or 0.0) + (one.planned or 0.0) + (one.failed or 0.0)


def _latencies(canvas: Canvas, area: Area, some: Sequence[Slice], limits: dict[str, float]) -> None:
    values = [one.p50_s for one in some if one.p50_s] + [one.p95_s for one in some if one.p95_s]
    values += limits.values()
    ticks = latencies(min(values), max(values))
    low, high = math.log10(ticks[0].at), math.log10(ticks[-1].at)

    def y(value: float) -> float:
        share = (math.log10(max(value, ticks[0].at)) - low) / (high - low)
        return area.bottom - min(1.0, share) * area.height

    _axis(canvas, area, "Latency (each line is ten times the one below)", ticks, y)
    right = _WIDTH - _RIGHT - 2
    for name, value in limits.items():
        canvas.level("limit", y(value))
        words = f"{name}: p95 from {latency(value)} on"
        canvas.text(right, y(value) - 3, words, "limit-name", "end")
        right -= _LETTER * len(words) + 10
    _curve(canvas, "line p50", some, lambda one: one.p50_s, y)
    _curve(canvas, "line p95", some, lambda one: one.p95_s, y)


def _memory(canvas: Canvas, area: Area, some: Sequence[Slice]) -> None:
    ticks = amounts(max(one.memory or 0.0 for one in some) / _MB, 3)
    y = _linear(area, ticks)
    _axis(canvas, area, "Memory of the service, MB", ticks, y)
    _curve(canvas, "line p50", some, lambda one: one.memory / _MB if one.memory else None, y)


def _connections(canvas: Canvas, area: Area, some: Sequence[Slice]) -> None:
    ticks = amounts(max(max(one.connections or 0.0, one.limit or 0.0) for one in some), 3)
    y = _linear(area, ticks)
    _axis(canvas, area, "Database connections", ticks, y)
    _curve(canvas, "line limit", some, lambda one: one.limit, y)
    _curve(canvas, "line p50", some, lambda one: one.connections, y)


def _curve(
    canvas: Canvas,
    style: str,
    some: Sequence[Slice],
    value: Callable[[Slice], float | None],
    y: Callable[[float], float],
) -> None:
    """Draw a line, broken wherever nothing was observed."""
    run: list[str] = []
    runs = [run]
    for one in some:
        seen = value(one)
        if seen is None:
            run = []
            runs.append(run)
            continue
        middle = canvas.x((one.begin + min(one.end, canvas.end)) / 2)
        run.append(f"{middle:.1f},{y(seen):.1f}")
    for points in runs:
        if len(points) == 1:
            x, height = points[0].split(",")
            points.append(f"{float(x) + 2:.1f},{height}")
        if points:
            canvas.parts.append(f'<polyline class="{style}" points="{" ".join(points)}"/>')


def _steps(canvas: Canvas, area: Area, performed: Sequence[Performing]) -> None:
    canvas.text(_LEFT, area.top - 8, "What was performed", "lane")
    for number, one in enumerate(performed):
        row = Area(area.top + number * _STEP + 2, _STEP - 5)
        told = f"{one.name}: {one.verdict.value} after {duration(one.end - one.begin)}"
        canvas.rect(f"step {one.verdict.value}", one.begin, one.end, row, told)
        words = f"{one.name}, {duration(one.end - one.begin)}"
        right = canvas.x(one.end) + 5
        if right + _LETTER * len(words) < _WIDTH - _RIGHT:
            canvas.text(right, row.bottom - 2, words, "step-name")
        else:
            canvas.text(canvas.x(one.begin) - 5, row.bottom - 2, words, "step-name", "end")


def _gaps(canvas: Canvas, gaps: Sequence[Gap], whole: Area) -> None:
    for one in gaps:
        told = f"nobody observed {one.what} from {clock(one.begin)} to {clock(one.end)}"
        canvas.rect("gap", one.begin, one.end, whole, f"{told}, {duration(one.end - one.begin)}")
        if canvas.x(one.end) - canvas.x(one.begin) > _LETTER * 14:
            middle = (canvas.x(one.begin) + canvas.x(one.end)) / 2
            canvas.text(middle, whole.top + 14, "not observed", "gap-name", "middle")


def _columns(canvas: Canvas, some: Sequence[Slice], whole: Area) -> None:
    """Draw what shows the values of a stretch to whoever points at it."""
    for one in some:
        if one.begin < canvas.end:
            canvas.rect("column", one.begin, min(one.end, canvas.end), whole, told_of(one))


def told_of(one: Slice) -> str:
    """Return what was seen in a stretch, line by line."""
    lines = [clock(one.begin)]
    if one.good is None:
        lines.append("no request was observed")
    else:
        lines.append(f"good {one.good:.0f}/s, failed {one.failed:.0f}/s")
        if one.planned:
            lines.append(f"in planned maintenance {one.planned:.0f}/s")
    if one.p50_s is not None and one.p95_s is not None:
        lines.append(f"p50 {latency(one.p50_s)}, p95 {latency(one.p95_s)}")
    if one.memory is not None:
        lines.append(f"memory {one.memory / _MB:.0f} MB")
    if one.connections is not None:
        lines.append(f"{one.connections:.0f} connections")
    return "\n".join(lines)


def _rows(canvas: Canvas, moments: Sequence[Mark]) -> list[int]:
    """Return in which row the flag of each moment stands, so that none covers another."""
    rows = _Rows(_FLAG_ROWS)
    found = []
    for one in moments:
        x, width = canvas.x(one.at), _BOLD * len(one.name) + 8
        left = _flag_hangs_left(x, one)
        row = rows.free(x - width, x + 3) if left else rows.free(x, x + width)
        found.append(_FLAG_ROWS - 1 if row is None else row)
    return found


def _flag_hangs_left(x: float, one: Mark) -> bool:
    """Return whether there is no room for a flag's words on its right."""
    return x + _BOLD * len(one.name) + 6 > _WIDTH


class _Rows:
    """Rows of words, of which none covers another, wherever they hang."""

    def __init__(self, many: int) -> None:
        self._taken: list[list[tuple[float, float]]] = [[] for _ in range(many)]

    def free(self, low: float, high: float) -> int | None:
        """Return the first row in which nothing stands from `low` to `high`, which takes it; None
        where there is none.
        """
        for number, taken in enumerate(self._taken):
            if all(high <= begin or end <= low for begin, end in taken):
                taken.append((low, high))
                return number
        return None


def _flags(canvas: Canvas, moments: Sequence[Mark], rows: Sequence[int], whole: Area) -> None:
    placed = list(zip(moments, rows, strict=True))
    for one, row in placed:  # all of them first: none runs through the words of another
        x, y = canvas.x(one.at), _HEAD + _FLAG * row
        canvas.parts.append(
            f'<g class="flag {one.style}">{_flag_title(one)}'
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y:.1f}" y2="{whole.bottom:.1f}"/></g>'
        )
    for one, row in placed:
        x, y = canvas.x(one.at), _HEAD + _FLAG * row
        anchor, words = ("end", x - 4) if _flag_hangs_left(x, one) else ("start", x + 4)
        canvas.parts.append(
            f'<g class="flag {one.style}">{_flag_title(one)}'
            f'<text x="{words:.1f}" y="{y + 11:.1f}" text-anchor="{anchor}">{escape(one.name)}'
            "</text></g>"
        )


def _flag_title(one: Mark) -> str:
    return f"<title>{escape(f'{clock(one.at)} {one.name}')}\n{escape(one.told)}</title>"
