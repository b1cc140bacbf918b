"""The matrix and its edges, triggers and thresholds of the runbook, and when to act."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from rollback_drill.decide.decider import HOLD_S, SHARPEN_S, Decider
from rollback_drill.decide.matrix import classify
from rollback_drill.decide.told import NOT_LONG_ENOUGH, Decided
from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.model import Runbook, Severity, Trigger
from rollback_drill.traffic.observation import Observation, Outcome
from rollback_drill.watch.told import ProbeSample
from tests.decide.decision_support import (
    MB,
    TRIGGERS,
    look,
    matrix,
    no_clients,
    request,
    runbook,
    traffic,
)


@dataclass
class Baseline:
    count: int
    slowest_s: float

    def count_above(self, limit_s: float) -> int:
        return self.count if limit_s <= self.slowest_s else 0


def decided(
    observations: Iterable[Observation], book: Runbook | None = None, **options: float
) -> tuple[Decider, Decided | None]:
    """Feed a decider from its onset at 0 until it decides, asking ten times a second."""
    decider = Decider(book or runbook(), **options)  # type: ignore[arg-type]
    decider.onset(0.0)
    asked = 0.0
    for observation in observations:
        decider.observe(observation)
        if observation.done >= asked + 0.1:
            asked = observation.done
            found = decider.decide(asked)
            if found:
                return decider, found
    return decider, None


RATES = {"Normal": 0.0, "Warning": 0.01, "Alert": 0.05, "Critical": 0.10}
P95S = {"Normal": 0.0, "Warning": 0.5, "Alert": 1.0, "Critical": 2.0}
ORDER = list(RATES)


@pytest.mark.parametrize("by_errors", ORDER)
@pytest.mark.parametrize("by_p95", ORDER)
def test_every_cell_of_the_matrix(by_errors: str, by_p95: str) -> None:
    row = classify(matrix(), RATES[by_errors] + 0.004, P95S[by_p95] + 0.1)
    assert row.condition == ORDER[max(ORDER.index(by_errors), ORDER.index(by_p95))]


@pytest.mark.parametrize("index", [1, 2, 3])
def test_every_edge_belongs_to_the_worse_row_only(index: int) -> None:
    rate, p95 = RATES[ORDER[index]], P95S[ORDER[index]]
    assert classify(matrix(), rate, 0.0).condition == ORDER[index]
    assert classify(matrix(), math.nextafter(rate, 0), 0.0).condition == ORDER[index - 1]
    assert classify(matrix(), 0.0, p95).condition == ORDER[index]
    assert classify(matrix(), 0.0, math.nextafter(p95, 0)).condition == ORDER[index - 1]


def test_the_ends_of_the_matrix() -> None:
    assert classify(matrix(), 0.0, 0.0).condition == "Normal"
    assert classify(matrix(), 1.0, math.inf).condition == "Critical"


def test_a_gap_in_the_matrix_is_the_users_error() -> None:
    rows = matrix()
    with pytest.raises(UsageError, match="row of the decision matrix"):
        classify((rows[0], rows[2]), 0.02, 0.1)
    with pytest.raises(ValueError, match="no error rate"):
        classify(rows, math.nan, 0.1)


def test_a_matrix_whose_numbers_moved_classifies_by_the_new_ones() -> None:
    rows = matrix(errors=(0.02, 0.06, 0.2), p95=(0.3, 0.6, 0.9))
    assert classify(rows, 0.015, 0.1).condition == "Normal"
    assert classify(rows, 0.15, 0.1).condition == "Alert"
    assert classify(rows, 0.0, 0.95).condition == "Critical"


def test_critical_errors_call_for_a_rollback_with_numbers() -> None:
    _, found = decided(traffic(2_000, 0.4))
    assert found
    assert (found.action, found.rollback) == ("rollback", True)
    assert (found.trigger, found.trigger_line, found.severity) == (
        "Error Rate >10%", 12, "critical",
    )  # fmt: skip
    assert "95 % interval" in found.evidence[0]
    assert found.detected_after_s < 2.0
    assert found.requests > 30


def test_the_decision_comes_at_most_the_sharpening_time_after_the_trigger() -> None:
    decider = Decider(runbook())
    decider.onset(0.0)
    for observation in traffic(300, 1.0):
        decider.observe(observation)
        if observation.done == 2.0:
            assert decider.decide(2.0) is None
    found = decider.decide(SHARPEN_S + 0.5)
    assert found
    assert found.detected_after_s < 0.5


def test_a_total_failure_is_decided_within_three_seconds() -> None:
    decider = Decider(runbook())
    decider.onset(0.0)
    first: float | None = None
    for i, observation in enumerate(traffic(400, 1.0), 1):
        decider.observe(observation)
        if i % 10 == 0 and first is None and decider.decide(i / 100):
            first = i / 100
    assert first is not None
    assert first <= 3.0


def unprovable() -> Decider:
    """A decider whose proof of errors never comes."""
    decider = Decider(runbook())
    decider.onset(0.0)
    decider.detector.errors.proof.needed = 1e300
    return decider


def test_an_alarm_without_proof_rolls_nothing_back() -> None:
    decider = unprovable()
    for observation in traffic(2_000, 0.5):
        decider.observe(observation)
    assert [event.trigger for event, _ in decider.newly_fired()][:1] == ["Error Rate >10%"]
    assert decider.decide(25.0) is None
    assert (decider.final(25.0).action, decider.final(25.0).rollback) == (NOT_LONG_ENOUGH, False)


def test_a_milder_trigger_that_is_proven_waits_for_a_worse_one_and_not_for_ever() -> None:
    decider = unprovable()
    for i, kills in enumerate((3, 3, 4, 4, 5, 5, 5)):
        decider.probe(look(90, kills), i / 2)
    for observation in traffic(2_000, 0.5):
        decider.observe(observation)
    assert decider.decide(2.0 + HOLD_S - 0.1) is None
    found = decider.decide(2.0 + HOLD_S)
    assert found
    assert found.trigger == "Memory Leak"


def test_the_evidence_says_what_a_rollback_was_proven_by() -> None:
    _, found = decided(traffic(2_000, 0.4))
    assert found
    (told,) = (one for one in found.evidence if one.startswith("proven although"))
    assert "for up to 0.4 s: by 6 blocks of 0.25 s" in told
    assert "(at most 1.0 %) does in at most 0.1 % of drills" in told


def test_high_errors_are_held_until_known_not_to_be_critical() -> None:
    _, found = decided(traffic(3_000, 0.07, seed=2))
    assert found
    assert (found.trigger, found.severity, found.rollback) == ("Error Rate 5-10%", "high", True)
    assert any("below 10 %" in sentence or "10 % (" in sentence for sentence in found.evidence)


def test_a_hold_ends() -> None:
    for seed in range(4):
        _, found = decided(traffic(5_000, 0.085, seed=seed))
        assert found
        assert found.detected_after_s < 40.0
        assert found.rollback
    assert HOLD_S < 10.0


def test_errors_that_grow_are_decided_by_the_worse_trigger() -> None:
    growing = [*traffic(400, 0.03), *traffic(2_000, 0.6, start=4.0, seed=9)]
    _, found = decided(growing)
    assert found
    assert found.trigger == "Error Rate >10%"


def test_medium_errors_are_monitored_not_rolled_back() -> None:
    decider, found = decided(traffic(6_000, 0.03))
    assert found is None
    final = decider.final(60.0)
    assert (final.action, final.rollback, final.trigger) == ("monitor", False, "Error Rate 1-5%")
    assert (final.procedure, final.diagnosis, final.requests) == (0, "", 6_000)


def test_a_proven_normal_service_calls_for_no_action() -> None:
    decider, found = decided(traffic(2_000, 0.001))
    assert found is None
    final = decider.final(20.0)
    assert (final.action, final.rollback) == ("no action", False)
    assert final.trigger == "Normal"


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        ([look(90.0, 0)] * 4 + [look(90.0, 1)] * 4, "killed for memory once"),
        ([look(90.0 + 15.0 * i, 0) for i in range(20)], "grew by"),
    ],
)
def test_memory_counts_where_nothing_fired_and_clients_are_served_well(
    looks: list[ProbeSample], said: str
) -> None:
    decider, found = decided(traffic(2_000, 0.001))
    for i, seen in enumerate(looks):
        decider.probe(seen, i / 2)
    assert found is None
    assert decider.decide(20.0) is None
    final = decider.final(20.0)
    assert (final.action, final.rollback, final.trigger) == ("monitor", False, "")
    assert final.evidence[0].startswith("unknown: no trigger fired")
    assert said in final.evidence[-1]


@pytest.mark.parametrize("n", [0, 40])
def test_too_little_evidence_is_unknown_not_normal(n: int) -> None:
    decider, _ = decided(traffic(n, 0.0))
    final = decider.final(20.0)
    assert (final.action, final.rollback, final.trigger) == (NOT_LONG_ENOUGH, False, "")
    assert final.more == 299 - n  # without an error
    assert f"it takes {299 - n} more requests" in final.evidence[0]
    assert final.evidence[0].startswith("unknown")


def test_what_was_proven_before_the_onset_does_not_count() -> None:
    decider = Decider(runbook())
    for observation in traffic(2_000, 0.0):
        decider.observe(observation)
    decider.onset(20.0)
    assert decider.final(21.0).requests == 0
    assert decider.final(21.0).evidence[0].startswith("unknown")


def test_a_threshold_that_moves_in_a_trigger_moves_the_decision() -> None:
    moved = tuple(
        replace(t, name=t.name.replace("10%", "30%"), text=t.text.replace("10%", "30%"))
        for t in TRIGGERS
    )
    book = runbook(triggers=moved, rows=matrix(errors=(0.01, 0.05, 0.3)))
    _, found = decided(traffic(3_000, 0.2), book)
    assert found
    assert found.trigger == "Error Rate 5-30%"
    _, found = decided(traffic(3_000, 0.5), book)
    assert found
    assert found.trigger == "Error Rate >30%"


def test_a_higher_lowest_edge_tolerates_more_errors() -> None:
    raised = tuple(t for t in TRIGGERS if t.name != "Error Rate 1-5%")
    book = runbook(triggers=raised, rows=matrix(errors=(0.04, 0.05, 0.1)))
    decider, found = decided(traffic(6_000, 0.02), book)
    assert found is None
    assert decider.final(60.0).action == "no action"


def test_a_slow_service_is_decided_by_the_row_of_the_matrix() -> None:
    _, found = decided(traffic(1_000, 0.0, latency_s=2.5))
    assert found
    assert (found.trigger, found.trigger_line) == ("Critical: p95 >2000ms", 33)
    decider, found = decided(traffic(3_000, 0.0, latency_s=1.5))
    assert found is None
    assert decider.final(30.0).action == "prepare"
    decider, _ = decided(traffic(3_000, 0.0, latency_s=0.7))
    assert decider.final(30.0).action == "monitor"


@pytest.mark.parametrize(
    ("errors", "latency_s", "by_errors", "by_p95", "action"),
    [
        (0.03, 0.02, "Warning", "Normal", "monitor"),
        (0.07, 0.02, "Alert", "Normal", "prepare"),
        (0.30, 0.02, "Critical", "Normal", "rollback"),
        (0.00, 0.70, "Normal", "Warning", "monitor"),
        (0.00, 1.50, "Normal", "Alert", "prepare"),
        (0.00, 2.50, "Normal", "Critical", "rollback"),
        (0.03, 0.70, "Warning", "Warning", "monitor"),
        (0.03, 1.50, "Warning", "Alert", "prepare"),
        (0.07, 0.70, "Alert", "Warning", "prepare"),
        (0.03, 2.50, "Warning", "Critical", "rollback"),
        (0.30, 0.70, "Critical", "Warning", "rollback"),
    ],
)
def test_measurements_lead_to_the_action_of_the_worse_column_and_a_sentence(
    errors: float, latency_s: float, by_errors: str, by_p95: str, action: str
) -> None:
    book = runbook(triggers=())
    decider = Decider(book)
    decider.onset(0.0)
    for observation in traffic(8_000, errors, latency_s=latency_s):
        decider.observe(observation)
    found = decider.decide(90.0) or decider.final(90.0)
    assert (found.action, found.rollback) == (action, action == "rollback")
    worse = max(by_errors, by_p95, key=ORDER.index)
    decision = next(row.decision for row in book.matrix if row.condition == worse)
    if by_errors == by_p95:
        assert f"both columns of the matrix say {worse} (“{decision}”)" in found.explanation
    else:
        assert (
            f"the matrix says {by_errors} by error rate and {by_p95} by p95, and the worse one wins: "
            f"{worse} (“{decision}”)"
        ) in found.explanation
    assert found.trigger.startswith(f"{worse}: ")


def test_what_is_not_proven_normal_when_it_is_decided_is_so_only_so_far() -> None:
    _, found = decided(traffic(8_000, 0.006, latency_s=2.5), runbook(triggers=()))
    assert found
    assert "the matrix says Normal so far by error rate and Critical by p95" in found.explanation


def test_two_normal_columns_agree_although_only_one_is_proven() -> None:
    decider, _ = decided(traffic(100, 0.0))  # enough for the p95, too few for 1 % of errors
    for i, kills in enumerate((3, 3, 4, 5, 5)):
        decider.probe(look(90, kills), i / 2)
    found = decider.decide(11.0)  # probes ended: two more looks are waited for
    assert found
    assert found.explanation.startswith(
        "both columns of the matrix say Normal so far (“No action”)"
    )


def test_a_p95_edge_that_moves_moves_the_decision() -> None:
    book = runbook(rows=matrix(p95=(0.5, 1.0, 3.0)))
    decider, found = decided(traffic(1_000, 0.0, latency_s=2.5), book)
    assert found is None
    assert decider.final(30.0).trigger == "Alert: p95 1000-3000ms"


@pytest.mark.parametrize(
    ("latency_s", "trigger", "rollback"),
    [(0.35, "Performance Degradation >3x", True), (0.25, "Performance Degradation 2-3x", False)],
)
def test_slower_than_the_baseline(latency_s: float, trigger: str, rollback: bool) -> None:
    decider = Decider(runbook())
    decider.set_baseline(Baseline(400, 0.1))
    decider.onset(0.0)
    for observation in traffic(2_000, 0.0, latency_s=latency_s):
        decider.observe(observation)
    final = decider.decide(25.0) or decider.final(25.0)
    assert (final.trigger, final.rollback) == (trigger, rollback)


def test_a_baseline_of_too_few_requests_is_not_used() -> None:
    decider = Decider(runbook())
    decider.set_baseline(Baseline(58, 0.1))
    assert math.isnan(decider.detector.baseline_s)


def outage_book(minutes: int) -> Runbook:
    only = Trigger(
        Severity.CRITICAL, "Complete Service Failure",
        f"API completely unavailable for >{minutes} minutes", 11,
    )  # fmt: skip
    return runbook(triggers=(only,), rows=matrix(errors=(0.97, 0.98, 0.985)))


@pytest.mark.parametrize(("minutes", "after_s"), [(5, 5.0), (6, 6.0)])
def test_an_outage_is_paced_and_its_limit_read_from_the_runbook(
    minutes: int, after_s: float
) -> None:
    _, found = decided(
        traffic(2_000, 1.0, outcome=Outcome.UNAVAILABLE), outage_book(minutes), pace=60.0
    )
    assert found
    assert found.trigger == "Complete Service Failure"
    assert found.detected_after_s == pytest.approx(after_s, abs=0.1)


def test_one_good_answer_is_no_complete_failure() -> None:
    observations = [
        request(Outcome.OK if i % 400 == 399 else Outcome.UNAVAILABLE, i / 100)
        for i in range(1_500)
    ]
    decider, _ = decided(observations, outage_book(5), pace=60.0)
    assert decider.final(15.0).trigger != "Complete Service Failure"


def test_two_kills_for_memory_call_for_a_rollback() -> None:
    decider, _ = decided(traffic(1_000, 0.0))
    for i, kills in enumerate((3, 3, 4, 4, 5, 5, 5)):
        decider.probe(look(90, kills), i / 2)
    found = decider.decide(3.5)
    assert found
    assert (found.trigger, found.severity, found.scenario) == ("Memory Leak", "high", 3)
    assert "killed for memory 2 times" in found.evidence[0]


def test_one_kill_alone_is_an_accident_but_not_with_growth() -> None:
    accident, leak = Decider(runbook()), Decider(runbook())
    for decider in (accident, leak):
        decider.onset(0.0)
        for i in range(20):
            rss = 90.0 + (15.0 * i if decider is leak else i % 2)
            decider.probe(look(rss, 0), i / 2)
        for i in range(4):
            decider.probe(look(80.0, 1), 10.0 + i / 2)
    assert accident.decide(20.0) is None
    assert accident.final(20.0).action != "no action"
    found = leak.decide(20.0)
    assert found
    assert found.trigger == "Memory Leak"
    assert any("grew by" in sentence for sentence in found.evidence)


def test_the_first_kill_of_a_leak_is_diagnosed_although_errors_fire_first() -> None:
    decider = Decider(runbook())
    decider.onset(0.0)
    for i in range(16):
        decider.probe(look(90 + 18.0 * i, 0), i / 2)
    for observation in traffic(800, 0.0):
        decider.observe(observation)
    for observation in traffic(310, 1.0, start=8.0, outcome=Outcome.UNAVAILABLE):
        decider.observe(observation)
    decider.log(no_clients(), 8.3)  # the supervisor's restart may meet the dead one's sessions
    assert decider.decide(8.6) is None
    decider.probe(look(0, 1, connections=None), 8.7)
    decider.probe(look(80, 1), 9.2)
    found = decider.decide(11.1)
    assert found
    assert found.trigger == "Error Rate >10%"
    assert found.detected_after_s == pytest.approx(8.2, abs=0.2)
    assert (found.scenario, found.procedure) == (3, 1)
    assert any(s.startswith("also: Memory Leak") for s in found.evidence)


def test_answers_given_on_purpose_are_not_fed_and_do_not_count() -> None:
    # The caller leaves out what maintenance answers; what is left is a healthy service.
    mixed = [
        *traffic(600, 0.0),
        *traffic(500, 1.0, start=6.0, outcome=Outcome.UNAVAILABLE),
        *traffic(600, 0.0, start=11.0),
    ]
    maintained = [o for o in mixed if not (6.0 < o.done <= 11.0)]
    decider, found = decided(maintained)
    assert found is None
    assert decider.final(17.0).action == "no action"
    _, found = decided(mixed)
    assert found


def test_triggers_that_nothing_watches_for_are_named() -> None:
    strange = Trigger(Severity.HIGH, "Bad Omens", "The office plant has died", 20)
    book = runbook(triggers=(*TRIGGERS, strange))
    assert [t.name for t in Decider(book).unwatched] == ["Bad Omens"]


def test_a_matrix_is_needed_and_its_words_must_be_known() -> None:
    with pytest.raises(UsageError, match="a decision matrix"):
        Decider(runbook(rows=()))
    rows = matrix()
    with pytest.raises(UsageError, match="dance"):
        Decider(runbook(rows=(*rows[:3], replace(rows[3], decision="dance"))))


def test_sizes_are_shown_in_megabytes() -> None:
    decider = Decider(runbook())
    decider.onset(0.0)
    for i in range(20):
        decider.probe(look(100 + 10.0 * i), i / 2)
    assert any("from 100 MB" in s for s in decider.final(10.0).evidence)
    assert MB == 1_048_576
