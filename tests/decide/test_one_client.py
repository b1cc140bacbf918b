"""One client is the cause only where there are others, nearly all failures are its own, and all
others are served well: each of these is taken away alone.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollback_drill.decide.alibis.one_client import one_client
from rollback_drill.decide.detector import Detector
from rollback_drill.decide.evidence import Evidence
from rollback_drill.traffic.observation import Outcome
from tests.decide.decision_support import request


def seen(**clients: tuple[int, int]) -> Evidence:
    """Evidence in which each client had (failures, good answers)."""
    evidence = Evidence(Detector((0.1,)), 60.0)
    for name, counts in clients.items():
        for outcome, count in zip((Outcome.SERVER_ERROR, Outcome.OK), counts, strict=True):
            for _ in range(count):
                evidence.observe(replace(request(outcome, 1.0), client=name))
    return evidence


OTHERS = {"b": (0, 200), "c": (0, 200)}


def test_one_client_alone_meets_failures_and_all_others_are_well() -> None:
    found = one_client(seen(a=(300, 20), **OTHERS))
    assert found.holds is True
    assert found.sentence.startswith("1 of 3 clients met failures; a met 300 of 300; ")
    assert "of all others failed" in found.sentence


@pytest.mark.parametrize(
    "clients",
    [
        {"a": (2000, 0), "b": (10, 90), "c": (0, 100)},  # a meets nearly all, the others 5 %
        {"a": (300, 0), "b": (40, 5000), "c": (0, 5000)},  # the others are well, a meets 88 %
        {"a": (300, 20), "b": (0, 400)},  # of two clients one says nothing
        {"a": (9, 0), **OTHERS},  # so few failures may meet one by accident
        {"a": (300, 0), "b": (0, 20), "c": (0, 20)},  # of the others too little is known
    ],
)
def test_each_condition_of_it_alone_does_not_acquit(clients: dict[str, tuple[int, int]]) -> None:
    found = one_client(seen(**clients))
    assert found.holds is False
    assert " clients met failures; a met " in found.sentence


def test_without_a_failure_nobody_is_the_cause() -> None:
    found = one_client(seen(a=(0, 300), **OTHERS))
    assert (found.holds, found.sentence) == (False, "no client met a failure")
