"""One stall decides no quantile: it is outweighed by more requests, and slowness is not."""

from __future__ import annotations

import pytest

from rollback_drill.ground.verdict import Verdict
from tests.perform.window_support import RATE, Seen, Slow, judge

BOX = "Response time p95 <500ms"


def stalls(*at: int, slow: int = 210) -> Slow:
    """Return who is slow where each of the seconds `at` has a stall that so many met."""
    return lambda second, request: second in at and request < slow


@pytest.mark.parametrize("second", [0, 4, 9])
def test_one_stall_decides_no_window_that_more_requests_outweigh(
    second: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = judge(BOX, Seen(10, {}, stalls(second)), monkeypatch)
    assert (found.verdict, found.lacks) == (Verdict.UNKNOWN, True), found.evidence
    assert "210 of the 210 slow ones came together, in one stall" in found.evidence


def test_what_it_takes_to_outweigh_a_stall_is_said_and_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short = judge(BOX, Seen(10, {}, stalls(4)), monkeypatch)
    more = int(short.evidence.split("it takes ")[1].split()[0].replace(",", ""))
    seconds = -(-more // RATE) + 10
    assert judge(BOX, Seen(seconds - 2, {}, stalls(4)), monkeypatch).lacks
    found = judge(BOX, Seen(seconds, {}, stalls(4)), monkeypatch)
    assert found.verdict is Verdict.PASSED, found.evidence
    assert f"210 of {seconds * RATE:,} requests took 500 ms or longer" in found.evidence


@pytest.mark.parametrize(
    "slow",
    [
        pytest.param(lambda _, request: request % 14 == 0, id="spread"),
        pytest.param(stalls(2, 8), id="two stalls"),
        pytest.param(stalls(*range(0, 10, 2), slow=50), id="every other second"),
        pytest.param(stalls(0, 1, 2, slow=RATE), id="slow at first for three seconds"),
        pytest.param(stalls(*range(10), slow=RATE), id="always"),
    ],
)
def test_slowness_is_no_stall(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    found = judge(BOX, Seen(10, {}, slow), monkeypatch)
    assert found.verdict is Verdict.FAILED, found.evidence


def test_a_stall_is_a_break_of_what_has_to_hold_for_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judge("Response time <500ms for 10 minutes", Seen(10, {}, stalls(4)), monkeypatch)
    assert found.verdict is Verdict.FAILED, found.evidence


def test_once_it_is_outweighed_all_that_was_slow_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stall in a service that is slow for 3 % besides: together too much, and no second wait."""

    def slow(second: int, request: int) -> bool:
        return request < (210 if second == 4 else 9)

    assert judge(BOX, Seen(17, {}, slow), monkeypatch).lacks
    found = judge(BOX, Seen(18, {}, slow), monkeypatch)
    assert found.verdict is Verdict.FAILED, found.evidence
    assert "363 of 5,400 requests took 500 ms or longer" in found.evidence
