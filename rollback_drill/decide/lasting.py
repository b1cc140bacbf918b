"""How long a share has stayed at or above an edge without a break that can be proven.

Two scores of Page's kind (see `decide.detector`) take turns. While the share is low, one looks for
its rise, of half the edge to the edge and more; the run then begins where that score puts the
change. While it is high, the other looks for its fall below the edge; the run lasts until the last
request at which that score was zero, so that what comes after a burst does not make it longer. A
pause too short to be proven (some 130 requests at an edge of 10 %) does not break a run.
"""

from __future__ import annotations

import math

_H = 12.0  # at the very edge one request in e^12 = 160,000 ends a run that goes on; far less above
_RISES = (1.0, 2.0, 5.0)  # times the edge
_FALLS = (0.5, 0.1)


class Run:
    """A stretch of requests of which at least the share `edge` (0–1) were hits."""

    __slots__ = ("_down", "_rises", "_scores", "_since", "_up", "edge", "since", "until")

    def __init__(self, edge: float) -> None:
        self.edge = edge
        low = edge / 2.0
        high = [edge * times for times in _RISES if edge * times < 0.95] + [0.99]
        self._up = [_steps(p, low) for p in high]
        self._down = [_steps(edge * times, edge) for times in _FALLS]
        self.since = self.until = math.nan  # Unix seconds; NaN while there is no run
        self._begin(self._up)

    @property
    def lasted_s(self) -> float:
        """For how many seconds it has lasted up to now, 0 while there is none."""
        return 0.0 if math.isnan(self.since) else self.until - self.since

    def update(self, hit: bool, at: float) -> None:
        """Count one observation that ended at `at` (Unix seconds)."""
        if math.isnan(self.since):
            began = self._reached(self._up, hit, at)
            if began is not None:
                self.since, self.until = began, at
                self._begin(self._down)
            return
        if self._reached(self._down, hit, at) is not None:
            self.since = self.until = math.nan
            self._begin(self._up)
        elif not any(self._scores):
            self.until = at

    def _begin(self, steps: list[tuple[float, float]]) -> None:
        self._scores = [0.0] * len(steps)
        self._since = [math.nan] * len(steps)

    def _reached(self, steps: list[tuple[float, float]], hit: bool, at: float) -> float | None:
        """Move the scores on; return since when the one that reached its limit has been rising."""
        for i, (up, down) in enumerate(steps):
            before = self._scores[i]
            score = max(0.0, before + (up if hit else down))
            if before == 0.0:
                self._since[i] = at
            self._scores[i] = score
            if score >= _H:
                return self._since[i]
        return None


def _steps(p1: float, p0: float) -> tuple[float, float]:
    """Return what a hit and another observation add to the score of `p1` against `p0`."""
    return math.log(p1 / p0), math.log((1.0 - p1) / (1.0 - p0))
