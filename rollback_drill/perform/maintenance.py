"""When a drill was in maintenance."""

from __future__ import annotations

import math

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import StepEnded, StepStarted
from rollback_drill.record.book import Book
from rollback_drill.runbook.maintenance import ENTER, LEAVE


def spans(book: Book) -> list[tuple[float, float]]:
    """Return when clients were turned away on purpose: (begin, end), Unix seconds, in order.

    It begins with the step that enters maintenance, if that held, and ends with the one that
    leaves it; inf for one that was never left.
    """
    found: list[tuple[float, float]] = []
    began = math.nan
    for event in book.events:
        match event.what:
            case StepStarted(title=title) if ENTER.search(title):
                began = event.at
            case StepEnded(title=title, verdict=verdict) if ENTER.search(title):
                if verdict not in (Verdict.FAILED, Verdict.UNCOVERED) and not math.isnan(began):
                    found.append((began, math.inf))
            case StepEnded(title=title, verdict=verdict) if LEAVE.search(title):
                if verdict is not Verdict.FAILED and found and found[-1][1] == math.inf:
                    found[-1] = (found[-1][0], event.at)
    return found
