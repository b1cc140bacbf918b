"""index.html over all kept drills: what became of each, trends, what revalidations found, and when
the next drill is due.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from rollback_drill.ground.markup import filled
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.words import duration
from rollback_drill.judge.history import KeptDrill, baseline
from rollback_drill.judge.judges.trend import LEAST, regression_limit
from rollback_drill.report.charts import TrendPoint, trend
from rollback_drill.report.revalidations import revalidations

_QUARTER = timedelta(days=91)
_LEAST = 2  # a single drill is no trend
_TRENDS: tuple[tuple[str, Callable[[KeptDrill], float | None], str], ...] = (
    ("Time to detect", lambda one: one.detected_after_s, "s"),
    ("Time to restore", lambda one: one.restored_after_s, "s"),
    ("Outage", lambda one: one.outage_s, "s"),
    ("Findings", lambda one: float(one.findings), ""),
)


@dataclass(frozen=True, slots=True)
class Drilled:
    """What became of a fault, rolled back by one procedure (None: by none): how often it was
    drilled, when it passed last ("": never), and the last drill of it.
    """

    fault: str
    procedure: int | None
    times: int
    passed: str
    last: KeptDrill


def overview(
    drills: Sequence[KeptDrill],
    today: date,
    known: Collection[str] = (),
    folder: Path | None = None,
) -> str:
    """Return the page over `drills`, oldest first. `known`: all faults that there are; `folder`:
    where the page will stand, for its links.
    """
    due = next_drill(drills)
    held = {one.fault for one in drills}
    performed = {one.procedure for one in drills}
    return filled(
        __file__,
        "overview",
        drills=list(reversed(drills)),
        links=_links(drills, folder),
        revalidations=revalidations(folder) if folder else [],
        passed=sum(one.verdict == Verdict.PASSED for one in drills),
        due=due,
        overdue=due is not None and due < today,
        drilled=drilled(drills),
        never=[name for name in known if name not in held],
        unperformed=[n for n in (drills[-1].procedures if drills else ()) if n not in performed],
        trends=trends(drills),
        needed=LEAST,
        day=_day,
        duration=duration,
    )


def next_drill(drills: Sequence[KeptDrill]) -> date | None:
    """Return when the next quarterly drill is due: a quarter after the last one that was held.

    One that ended as unknown was not held. None when there was none yet.
    """
    held = [one for one in drills if one.verdict in (Verdict.PASSED, Verdict.FAILED)]
    return _when(held[-1]).date() + _QUARTER if held else None


def drilled(drills: Sequence[KeptDrill]) -> list[Drilled]:
    """Return what was drilled, by fault and procedure: what did not pass the last time first."""
    groups: dict[tuple[str, int | None], list[KeptDrill]] = {}
    for one in drills:
        groups.setdefault((one.fault, one.procedure), []).append(one)
    found = []
    for (fault, procedure), same in groups.items():
        passed = [_day(one) for one in same if one.verdict == Verdict.PASSED]
        found.append(Drilled(fault, procedure, len(same), passed[-1] if passed else "", same[-1]))
    return sorted(
        found, key=lambda one: (one.last.verdict == Verdict.PASSED, one.fault, one.procedure or 0)
    )


def trends(drills: Sequence[KeptDrill]) -> list[tuple[str, list[Markup]]]:
    """Return charts for each kind of drill of which there are several, by its name."""
    kinds: dict[str, list[KeptDrill]] = {}
    for one in drills:
        kinds.setdefault(f"{one.fault} on {one.stage}", []).append(one)
    found = []
    for name, same in kinds.items():
        if len(same) < _LEAST:
            continue
        charts = []
        for title, value, unit in _TRENDS:
            if any(value(one) is not None for one in same):
                limits = title == "Time to restore"
                points = [_point(same, n, value(one), unit, limits) for n, one in enumerate(same)]
                charts.append(trend(title, unit, points))
        found.append((name, charts))
    return found


def _point(
    same: Sequence[KeptDrill], number: int, value: float | None, unit: str, limits: bool
) -> TrendPoint:
    """Return a drill as a point; `limits`: its value is judged by those of earlier drills."""
    one = same[number]
    amount = "" if value is None else duration(value) if unit == "s" else f"{value:.0f}"
    told = f"{_day(one)}: {amount}, {one.verdict}"
    limit = regression_limit(baseline(same[:number], one.key)) if limits else None
    if limit is not None:
        told += f"; a regression above {duration(limit)}"
    return TrendPoint(value, one.verdict, told, _day(one), limit)


def _links(drills: Sequence[KeptDrill], folder: Path | None) -> dict[str, str]:
    """Return where the report of each drill stands, by when it began: those of which no later
    drill replaced it, and that are still there.
    """
    if folder is None:
        return {}
    newest = {one.report: one.began for one in drills if one.report}
    pages = {began: Path(report, "index.html") for report, began in newest.items()}
    return {
        began: quote(Path(os.path.relpath(page, folder)).as_posix())
        for began, page in pages.items()
        if page.is_file()
    }


def _when(one: KeptDrill) -> datetime:
    return datetime.fromisoformat(one.began).astimezone(UTC)


def _day(one: KeptDrill) -> str:
    return f"{_when(one):%-d %b %Y}"
