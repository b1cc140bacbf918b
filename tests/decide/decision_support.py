"""A small runbook and simulated traffic for the tests of detector, decision and diagnosis."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

from rollback_drill.runbook.model import (
    Band,
    Checklist,
    MatrixRow,
    Runbook,
    Scenario,
    Severity,
    Trigger,
)
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.watch.told import LogLine, ProbeSample

MB = 2**20
STATUS = {
    Outcome.OK: 200,
    Outcome.REJECTED: 404,
    Outcome.INVALID_CURSOR: 400,
    Outcome.SERVER_ERROR: 500,
    Outcome.UNAVAILABLE: 503,
}


def matrix(
    errors: tuple[float, ...] = (0.01, 0.05, 0.10), p95: tuple[float, ...] = (0.5, 1.0, 2.0)
) -> tuple[MatrixRow, ...]:
    """Four rows between the given edges."""
    words = ("No action", "Monitor closely", "Prepare rollback", "Execute rollback")
    e, p = (0.0, *errors, math.inf), (0.0, *p95, math.inf)
    return tuple(
        MatrixRow(name, Band(e[i], e[i + 1]), Band(p[i], p[i + 1]), words[i], 30 + i)
        for i, name in enumerate(("Normal", "Warning", "Alert", "Critical"))
    )


TRIGGERS = (
    Trigger(Severity.CRITICAL, "Data Corruption", "Records corrupted or lost", 10),
    Trigger(
        Severity.CRITICAL, "Complete Service Failure",
        "API completely unavailable for >5 minutes", 11,
    ),
    Trigger(Severity.CRITICAL, "Error Rate >10%", "More than 10% of requests failing", 12),
    Trigger(Severity.HIGH, "Error Rate 5-10%", "Sustained high error rate", 13),
    Trigger(
        Severity.HIGH, "Performance Degradation >3x",
        "Response times 3x slower than baseline", 14,
    ),
    Trigger(Severity.HIGH, "Memory Leak", "OOM errors occurring frequently", 15),
    Trigger(Severity.MEDIUM, "Error Rate 1-5%", "Elevated but manageable error rate", 16),
    Trigger(
        Severity.MEDIUM, "Performance Degradation 2-3x", "Slower but functional", 17,
    ),
)  # fmt: skip

SCENARIOS = (
    Scenario(1, "High Invalid Cursor Rate", "20% of requests returning HTTP 400", 3, "", 90),
    Scenario(2, "Database Connection Exhaustion", '"Too many connections" errors', 1, "", 91),
    Scenario(3, "Memory Leak", "OOM errors after several hours", 1, "", 92),
)


def runbook(
    *,
    triggers: tuple[Trigger, ...] = TRIGGERS,
    rows: tuple[MatrixRow, ...] | None = None,
    scenarios: tuple[Scenario, ...] = SCENARIOS,
    verification: Checklist | None = None,
) -> Runbook:
    """A runbook with what a decision needs."""
    nothing = Checklist("", (), (), 1)
    return Runbook(
        path=Path("runbook.md"), sha256="", title="", triggers=triggers,
        matrix=matrix() if rows is None else rows, pre_rollback=nothing, procedures=(),
        post_rollback=(), verification=verification or nothing, scenarios=scenarios, authority=(),
    )  # fmt: skip


def request(outcome: Outcome, done: float, latency_s: float = 0.02) -> Observation:
    """One finished request."""
    due = done - latency_s
    return Observation(due, due, done, "c1", "list_page", STATUS.get(outcome, 0), outcome, "new")


def traffic(
    n: int,
    p: float,
    *,
    seed: int = 1,
    start: float = 0.0,
    rate: float = 100.0,
    outcome: Outcome = Outcome.SERVER_ERROR,
    latency_s: float = 0.02,
) -> Iterator[Observation]:
    """`n` requests of which each fails with probability `p`, at `rate` per second."""
    chance = random.Random(seed)
    for i in range(n):
        bad = chance.random() < p
        yield request(outcome if bad else Outcome.OK, start + (i + 1) / rate, latency_s)


def look(
    rss_mb: float = 90.0, kills: int = 0, connections: int | None = 8, limit: int | None = 40
) -> ProbeSample:
    """One probe of one host."""
    return ProbeSample(
        {"api-1": 200}, {"api-1": int(rss_mb * MB)}, connections, limit, {"api-1": kills}
    )


def no_clients() -> LogLine:
    """What Postgres says when it is full."""
    return LogLine("database", "database", "FATAL", "sorry, too many clients already")
