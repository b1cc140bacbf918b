"""The decision matrix: measurements to a row, and every cell of it as a watch."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rollback_drill.decide.detector import Detector, Question, SlowShare, Stream
from rollback_drill.decide.evidence import Evidence
from rollback_drill.decide.statistics import P95
from rollback_drill.decide.trigger import Condition, Firing, Watch
from rollback_drill.decide.triggers.error_rate import errors_within
from rollback_drill.decide.triggers.performance import slow_between
from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.model import Band, MatrixRow, Severity


def classify(matrix: Sequence[MatrixRow], error_rate: float, p95: float) -> MatrixRow:
    """Return the row of the decision matrix for an error rate (share) and a p95 (seconds).

    The worse of the two columns wins; an edge belongs to the worse row. Raises UsageError when
    the matrix has no row for a value, ValueError when a value is negative or not a number.
    """
    by_errors = _row(matrix, [row.error_rate.high for row in matrix], error_rate, "error rate")
    by_p95 = _row(matrix, [row.p95.high for row in matrix], p95, "p95")
    return matrix[max(by_errors, by_p95)]


def _row(matrix: Sequence[MatrixRow], highs: Sequence[float], value: float, column: str) -> int:
    if not value >= 0.0:
        raise ValueError(f"{value} is no {column}")
    for index, row in enumerate(matrix):
        band = row.error_rate if column == "error rate" else row.p95
        if band.low <= value and (value < highs[index] or math.isinf(highs[index])):
            return index
    raise UsageError(
        f"a row of the decision matrix for every {column}",
        f"none for {value:g}",
        "let each row begin where the one above it ends",
    )


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """An error-rate cell of the matrix as a watch."""

    low: float
    high: float | None
    factors: tuple[float, ...] = ()
    questions: tuple[Question, ...] = ()

    @property
    def error_edges(self) -> tuple[float, ...]:
        """See Watch."""
        return (self.low,) if self.high is None else (self.low, self.high)

    def stream(self, detector: Detector) -> tuple[Stream, float]:
        """See Share.stream."""
        return detector.errors, self.low

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        return errors_within(evidence, self.low, self.high)


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """A latency cell of the matrix as a watch."""

    low: float
    high: float | None
    quantile: float = P95
    error_edges: tuple[float, ...] = ()
    factors: tuple[float, ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        """See Watch."""
        limits = (self.low,) if self.high is None else (self.low, self.high)
        return tuple(SlowShare(limit_s, self.quantile) for limit_s in limits)

    def stream(self, detector: Detector) -> tuple[Stream, float]:
        """See Share.stream."""
        slow = SlowShare(self.low, self.quantile)
        return detector.asked[slow], slow.edge

    def look(self, evidence: Evidence) -> Firing | None:
        """See Watch.look."""
        streams = evidence.detector.asked
        upper: Stream | None = None
        if self.high is not None:
            upper = streams[SlowShare(self.high, self.quantile)]
        lower, _ = self.stream(evidence.detector)
        return slow_between(lower, upper, f"{self.low * 1000:g} ms", self.quantile)


def matrix_conditions(matrix: Sequence[MatrixRow]) -> list[Condition]:
    """Return the cells of every row that calls for something, as conditions."""
    found = []
    for row in matrix:
        called = _called_for(row)
        if called is None:
            continue
        severity, action = called
        watches: tuple[tuple[str, Watch], ...] = (
            (_share_text(row.error_rate), ErrorRow(*_edges(row.error_rate))),
            (_seconds_text(row), LatencyRow(*_edges(row.p95), row.quantile)),
        )
        for text, watch in watches:
            name = f"{row.condition}: {text}"
            found.append(Condition(name, row.line, severity, action, watch))
    return found


def _edges(band: Band) -> tuple[float, float | None]:
    return key_of(band.low), None if math.isinf(band.high) else key_of(band.high)


def _called_for(row: MatrixRow) -> tuple[Severity, str] | None:
    if re.search(r"no action|nothing", row.decision, re.IGNORECASE):
        return None
    if re.search(r"prepare", row.decision, re.IGNORECASE):
        return Severity.HIGH, "prepare"
    if re.search(r"monitor|watch|consider", row.decision, re.IGNORECASE):
        return Severity.MEDIUM, "monitor"
    if re.search(r"execute|roll ?back", row.decision, re.IGNORECASE):
        return Severity.CRITICAL, "rollback"
    raise UsageError(
        "a decision of the matrix: no action, monitor, prepare or execute a rollback",
        f"{row.decision!r} in line {row.line}",
        "use one of these words in the row's last column",
    )


def _share_text(band: Band) -> str:
    if math.isinf(band.high):
        return f"error rate >{band.low * 100:g}%"
    return f"error rate {band.low * 100:g}-{band.high * 100:g}%"


def _seconds_text(row: MatrixRow) -> str:
    name, low, high = f"p{row.quantile * 100:g}", row.p95.low * 1000, row.p95.high * 1000
    return f"{name} >{low:g}ms" if math.isinf(high) else f"{name} {low:g}-{high:g}ms"


def key_of(edge: float) -> float:
    """Return `edge` without the noise of binary fractions, so that equal numbers are one edge."""
    return round(edge, 9)
