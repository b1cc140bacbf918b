"""Symptoms of the runbook's scenarios, alone, mixed and absent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollback_drill.decide.detector import Detector
from rollback_drill.decide.diagnosis import Strength, diagnose
from rollback_drill.decide.evidence import Evidence
from rollback_drill.traffic.observation import Outcome
from rollback_drill.watch.told import LogLine
from tests.decide.decision_support import SCENARIOS, look, no_clients, runbook, traffic


def evidence(
    p: float = 0.0, outcome: Outcome = Outcome.SERVER_ERROR, n: int = 1_000, seed: int = 1
) -> Evidence:
    detector = Detector((0.01, 0.05, 0.10), (0.5, 1.0, 2.0))
    for observation in traffic(n, p, outcome=outcome, seed=seed):
        detector.observe(observation)
    return Evidence(detector, pace=60.0)


def with_growth(seen: Evidence) -> Evidence:
    for i in range(20):
        seen.probe(look(90 + 15.0 * i), i / 2)
    return seen


def test_refused_cursors_call_for_the_feature_flag() -> None:
    found = diagnose(runbook(), evidence(0.35, Outcome.INVALID_CURSOR))
    assert (found.procedure, found.strength) == (3, Strength.PROVEN)
    assert found.scenario
    assert found.scenario.number == 1
    assert "HTTP 400" in found.evidence[0]
    assert len(found.alternatives) == 2


def test_a_share_below_the_symptoms_is_another_case() -> None:
    found = diagnose(runbook(), evidence(0.12, Outcome.INVALID_CURSOR, n=5_000))
    assert (found.scenario, found.procedure) == (None, 1)
    assert "none of the runbook's scenarios" in found.reason


def test_a_share_near_the_symptoms_is_consistent_not_proven() -> None:
    found = diagnose(runbook(), evidence(0.20, Outcome.INVALID_CURSOR, n=400))
    assert (found.procedure, found.strength) == (3, Strength.CONSISTENT)


def test_the_percentage_is_read_from_the_symptom() -> None:
    moved = replace(SCENARIOS[0], symptom="50% of requests returning HTTP 400")
    seen = evidence(0.35, Outcome.INVALID_CURSOR, n=2_000)
    assert diagnose(runbook(scenarios=(moved,)), seen).scenario is None
    assert diagnose(runbook(scenarios=(SCENARIOS[0],)), seen).procedure == 3


def test_other_errors_are_not_refused_cursors() -> None:
    assert diagnose(runbook(), evidence(0.5, Outcome.REJECTED)).scenario is None


@pytest.mark.parametrize(
    "line",
    [
        no_clients(),
        LogLine("application", "api-1", "ERROR", "OperationalError: Too many connections"),
        LogLine("database", "", "FATAL", "remaining connection slots are reserved for roles"),
    ],
)
def test_too_many_connections_call_for_the_application_rollback(line: LogLine) -> None:
    seen = evidence(0.5)
    seen.log(line, 5.0)
    found = diagnose(runbook(), seen)
    assert found.scenario
    assert (found.scenario.number, found.strength) == (2, Strength.PROVEN)


def test_a_full_server_without_a_log_line_is_consistent() -> None:
    seen = evidence(0.5)
    seen.probe(look(connections=37), 1.0)
    assert diagnose(runbook(), seen).strength is Strength.CONSISTENT
    spare = evidence(0.5)
    spare.probe(look(connections=30), 1.0)
    assert diagnose(runbook(), spare).scenario is None


def test_a_kill_for_memory_proves_the_leak() -> None:
    seen = evidence(0.3, Outcome.UNAVAILABLE)
    seen.probe(look(kills=0), 1.0)
    seen.probe(look(kills=1), 1.5)
    found = diagnose(runbook(), seen)
    assert found.scenario
    assert (found.scenario.number, found.strength) == (3, Strength.PROVEN)


def test_kills_before_the_first_look_are_not_counted() -> None:
    seen = evidence(0.3)
    seen.probe(look(kills=4), 1.0)
    seen.probe(look(kills=4), 1.5)
    assert diagnose(runbook(), seen).scenario is None


def test_a_kill_between_the_onset_and_the_next_look_is_counted() -> None:
    seen = evidence(0.3)
    seen.probe(look(kills=4), 1.0)
    seen.forget()
    seen.probe(look(kills=5), 1.5)
    assert seen.kills == 1


def test_growth_without_a_kill_is_consistent_with_a_leak() -> None:
    found = diagnose(runbook(), with_growth(evidence(0.3)))
    assert found.scenario
    assert (found.scenario.number, found.strength) == (3, Strength.CONSISTENT)


def test_a_killed_service_also_loses_connections_but_memory_is_the_cause() -> None:
    seen = with_growth(evidence(0.5))
    seen.log(no_clients(), 9.0)
    seen.probe(look(80, kills=1), 10.0)
    found = diagnose(runbook(), seen)
    assert found.scenario
    assert found.scenario.number == 3
    assert any("follows from the chosen one" in why for why in found.alternatives)


def test_what_is_proven_comes_before_what_is_only_consistent() -> None:
    seen = with_growth(evidence(0.5))
    seen.log(no_clients(), 9.0)
    found = diagnose(runbook(), seen)
    assert found.scenario
    assert found.scenario.number == 2


def test_connections_come_before_cursors() -> None:
    seen = evidence(0.5, Outcome.INVALID_CURSOR)
    seen.log(no_clients(), 9.0)
    found = diagnose(runbook(), seen)
    assert found.scenario
    assert found.scenario.number == 2


def test_without_a_recognized_scenario_it_is_the_default_and_says_so() -> None:
    found = diagnose(runbook(), evidence(0.5))
    assert (found.scenario, found.procedure) == (None, 1)
    assert "default" in found.reason
    assert len(found.alternatives) == 3


def test_a_symptom_that_nothing_recognizes_is_named() -> None:
    strange = replace(SCENARIOS[0], symptom="users are unhappy", line=77)
    found = diagnose(runbook(scenarios=(strange,)), evidence(0.5))
    assert found.scenario is None
    assert "line 77" in found.alternatives[0]


def test_the_procedure_is_the_one_that_the_document_names() -> None:
    moved = tuple(replace(s, procedure=2) for s in SCENARIOS)
    found = diagnose(runbook(scenarios=moved), evidence(0.35, Outcome.INVALID_CURSOR))
    assert found.procedure == 2


def test_a_pool_that_waits_in_vain_blames_connections_only_when_the_server_is_full() -> None:
    waited = LogLine("application", "api-1", "ERROR", "couldn't get a connection after 2.00 sec")
    spare, full = evidence(0.5), evidence(0.5)
    for seen, used in ((spare, 6), (full, 40)):
        seen.log(waited, 5.0)
        seen.probe(look(connections=used), 5.0)
    assert diagnose(runbook(), spare).scenario is None
    assert diagnose(runbook(), full).strength is Strength.PROVEN
