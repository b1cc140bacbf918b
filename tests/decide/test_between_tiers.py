"""Where a test gives up between two tiers, the worse one is told: an edge belongs to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rollback_drill.decide.decider import Decider
from rollback_drill.runbook.parse import parse
from rollback_drill.traffic.histogram import Histogram
from rollback_drill.traffic.observation import Observation, Outcome
from tests.decide.decision_support import request

RUNBOOK = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
HEALTHY_S = 0.02


def evenly(n: int, one_in: int, *, slow_s: float = 0.0) -> Iterator[Observation]:
    """Every `one_in`th request fails, or is slow: a share that lies at an edge to the hair."""
    for i in range(n):
        bad = i % one_in == 0
        outcome = Outcome.SERVER_ERROR if bad and not slow_s else Outcome.OK
        yield request(outcome, (i + 1) / 100, slow_s if bad and slow_s else HEALTHY_S)


def replace_time(one: Observation, later_s: float) -> Observation:
    times = {name: getattr(one, name) + later_s for name in ("due", "sent", "done")}
    return replace(one, **times)


def told(seen: Iterator[Observation]) -> str:
    """Return the trigger that is acted on in the end."""
    decider = Decider(RUNBOOK, 60.0)
    decider.onset(0.0)
    decider.set_baseline(Histogram([HEALTHY_S] * 1_000))
    at = 0.0
    for one in seen:
        decider.observe(one)
        at = one.done
    final = decider.final(at)
    return final.trigger or final.evidence[0]


@pytest.mark.parametrize(
    ("one_in", "tier"),
    [
        (10, "Error Rate >10%"),
        (20, "Error Rate 5-10%"),
        (13, "Error Rate 5-10%"),
        (33, "Error Rate 1-5%"),
    ],
)
def test_an_error_rate_at_an_edge_is_of_the_worse_tier(one_in: int, tier: str) -> None:
    assert told(evenly(4_000, one_in)) == tier


@pytest.mark.parametrize(
    ("slow_s", "one_in", "tier"),
    [
        (2.5 * HEALTHY_S, 10, "Performance Degradation 2-3x"),
        (4.0 * HEALTHY_S, 60, "Normal"),
    ],
)
def test_a_latency_at_a_limit_is_of_the_worse_tier(slow_s: float, one_in: int, tier: str) -> None:
    assert told(evenly(6_000, one_in, slow_s=slow_s)) == tier


def test_a_latency_at_the_limit_to_the_hair_is_no_proof_for_a_rollback() -> None:
    # Some are so slow that there is an alarm, before the rest lies at the limit to the hair.
    begin = evenly(400, 2, slow_s=2.5 * HEALTHY_S)
    rest = (replace_time(one, 4.0) for one in evenly(6_000, 20, slow_s=4.0 * HEALTHY_S))
    said = told(itertools.chain(begin, rest))
    assert said.startswith("unknown: not long enough to say: “Performance Degradation >3x”")
    assert "nobody can tell how many more requests it takes" in said
