"""Limits that have to hold for a time, and at the quantile that the checkbox names."""

from __future__ import annotations

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.checks import clients
from tests.perform.window_support import Seen, judge


@pytest.mark.parametrize(
    ("failing", "wanted", "said"),
    [
        ({}, Verdict.PASSED, "0 of 3,000 requests failed"),
        ({3: 10}, Verdict.FAILED, "3 s after it began: 10 of 300 requests failed"),
        (dict.fromkeys(range(10), 9), Verdict.FAILED, "90 of 3,000"),
        (dict.fromkeys(range(10), 3), Verdict.UNKNOWN, "30 of 3,000"),
    ],
)
def test_an_error_rate_has_to_hold_all_the_time_that_the_box_names(
    failing: dict[int, int], wanted: Verdict, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judge("Error rate <1% for 10 minutes", Seen(10, failing), monkeypatch)
    assert (found.verdict, said in found.evidence) == (wanted, True), found.evidence
    assert "for 10 minutes, here 10 s" in found.evidence


def test_a_short_break_is_unseen_where_no_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge("Error rate <1%", Seen(10, {3: 10}), monkeypatch).verdict is Verdict.PASSED


def test_a_time_that_was_not_observed_to_its_end_is_unknown_and_says_how_much_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients, "_GRACE_S", -9.0)
    found = judge("Error rate <1% for 10 minutes", Seen(4, {}), monkeypatch)
    assert found.verdict is Verdict.UNKNOWN
    assert "4 of 10 s were observed to their end" in found.evidence


def test_nobody_waits_for_days(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judge("Error rate <1% for 9999 hours", Seen(4, {}), monkeypatch)
    assert (found.verdict, "raise PACE" in found.evidence) == (Verdict.UNKNOWN, True)


def some_slow(_: int, request: int) -> bool:
    return request % 50 == 0  # 2 %


@pytest.mark.parametrize(
    ("text", "wanted", "said"),
    [
        ("Response time p95 <500ms", Verdict.PASSED, "the p95 is below 500 ms"),
        ("Response time <500ms for 10 minutes", Verdict.PASSED, "the p95 is below 500 ms"),
        ("P99 response time < 500ms", Verdict.FAILED, "the p99 is below 500 ms"),
        ("p90 latency below 0,5 seconds", Verdict.PASSED, "the p90 is below 500 ms"),
        ("Median latency below 1,500 ms", Verdict.PASSED, "the p50 is below 1500 ms"),
    ],
)
def test_the_quantile_is_the_one_that_the_box_names(
    text: str, wanted: Verdict, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judge(text, Seen(10, {}, some_slow), monkeypatch)
    assert (found.verdict, said in found.evidence) == (wanted, True), found.evidence


@pytest.mark.parametrize(("late", "wanted"), [(3, Verdict.FAILED), (4, Verdict.UNKNOWN)])
def test_slowness_of_the_drills_own_making_is_unknown(
    late: int, wanted: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that take a second because they were sent late say nothing of the service."""
    seen = Seen(1, {}, lambda _, request: request % 10 == 0)
    seen.seconds[seen.since].late = late
    found = judge("Response time p95 <500ms", seen, monkeypatch)
    assert found.verdict is wanted
    assert ("4 of 300 requests were sent late" in found.evidence) == (late == 4)


def test_two_quantiles_in_one_box_are_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judge("p95 response time p99 <500ms", Seen(10, {}), monkeypatch)
    assert (found.verdict, "two quantiles" in found.evidence) == (Verdict.UNKNOWN, True)
