"""Maintenance as the titles of a runbook's steps name it, and when a drill was in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from drill import events
from drill.timeline import Event
from drill.verdict import Verdict

ENTER = re.compile(r"(?:enter|enable|start|switch on).*maintenance", re.IGNORECASE)
LEAVE = re.compile(r"(?:leave|exit|disable|end|switch off).*maintenance", re.IGNORECASE)


def spans(record: Iterable[Event]) -> list[tuple[float, float]]:
    """Return when clients were turned away on purpose: (begin, end), Unix seconds, in order.

    It begins with the step that enters maintenance, if that held, and ends with the one that
    leaves it; inf for one that was never left.
    """
    found: list[tuple[float, float]] = []
    began = math.nan
    for event in record:
        match event.what:
            case events.StepStarted(title=title) if ENTER.search(title):
                began = event.at
            case events.StepEnded(title=title, verdict=verdict) if ENTER.search(title):
                if verdict not in (Verdict.FAILED, Verdict.UNCOVERED) and not math.isnan(began):
                    found.append((began, math.inf))
            case events.StepEnded(title=title, verdict=verdict) if LEAVE.search(title):
                if verdict is not Verdict.FAILED and found and found[-1][1] == math.inf:
                    found[-1] = (found[-1][0], event.at)
    return found
