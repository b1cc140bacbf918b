"""index.html over all kept drills: what became of each, trends, and when the next one is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from markupsafe import Markup

from rollback_drill.ground.markup import filled
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.history import KeptDrill
from rollback_drill.report.charts import Curve, chart

_QUARTER = timedelta(days=91)
_LEAST = 2  # a single drill is no trend
_TRENDS: tuple[tuple[str, Callable[[KeptDrill], float | None], str], ...] = (
    ("Time to detect in s", lambda one: one.detected_after_s, "good"),
    ("Time to restore in s", lambda one: one.restored_after_s, "good"),
    ("Outage in s", lambda one: one.outage_s, "mark"),
    ("Findings", lambda one: float(one.findings), "bad"),
)


def overview(drills: Sequence[KeptDrill], today: date) -> str:
    """Return the page over `drills`, oldest first."""
    due = next_drill(drills)
    return filled(
        __file__,
        "overview",
        drills=list(reversed(drills)),
        passed=sum(one.verdict == Verdict.PASSED for one in drills),
        due=due,
        overdue=due is not None and due < today,
        trends=trends(drills),
    )


def next_drill(drills: Sequence[KeptDrill]) -> date | None:
    """Return when the next quarterly drill is due: a quarter after the last one that was held.

    One that ended as unknown was not held. None when there was none yet.
    """
    held = [one for one in drills if one.verdict in (Verdict.PASSED, Verdict.FAILED)]
    return _when(held[-1]).date() + _QUARTER if held else None


def trends(drills: Sequence[KeptDrill]) -> list[tuple[str, list[Markup]]]:
    """Return charts for each kind of drill of which there are several, by its name."""
    kinds: dict[str, list[KeptDrill]] = {}
    for one in drills:
        kinds.setdefault(f"{one.fault} on {one.stage}", []).append(one)
    found = []
    for name, same in kinds.items():
        if len(same) < _LEAST:
            continue
        ticks = [(0.0, _day(same[0])), (len(same) - 1.0, _day(same[-1]))]
        charts = []
        for title, value, style in _TRENDS:
            points = [(float(n), v) for n, one in enumerate(same) if (v := value(one)) is not None]
            if points:
                line = Curve(f"{len(points)} drills", style, points)
                charts.append(chart(title, [line], [], len(same) - 1.0, ticks))
        found.append((name, charts))
    return found


def _when(one: KeptDrill) -> datetime:
    return datetime.fromisoformat(one.began).astimezone(UTC)


def _day(one: KeptDrill) -> str:
    return _when(one).strftime("%d %b %Y")
