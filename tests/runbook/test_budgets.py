"""Budgets and watch windows: in full, or refused; never half of an amount."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollback_drill.runbook.budgets import budget, watch_window_s, window_s
from rollback_drill.runbook.problems import RunbookError
from tests.runbook.runbook_support import SMALL, changed, reading_of, runbook_of


@pytest.mark.parametrize(
    ("text", "low_s", "high_s"),
    [
        ("2 minutes", 120, 120), ("30 seconds", 30, 30), ("90s", 90, 90), ("500 ms", 0.5, 0.5),
        ("1h30m", 5400, 5400), ("1h 30m", 5400, 5400), ("1 hour 30 minutes", 5400, 5400),
        ("1 hour and 30 minutes", 5400, 5400), ("2 min 30 s", 150, 150), ("2 min, 30 s", 150, 150),
        ("1.5 minutes", 90, 90), ("1,5 minutes", 90, 90), ("1:30 min", 90, 90), ("1:30 h", 5400, 5400),
        ("1:02:03", 3723, 3723), ("5-10 minutes", 300, 600), ("5–10 min", 300, 600),
        ("5 — 10 min", 300, 600), ("5 to 10 minutes", 300, 600), ("2-3 min", 120, 180),
        ("30 s to 2 min", 30, 120), ("between 5 and 10 minutes", 300, 600), ("1-2 hours", 3600, 7200),
        ("≤ 2 min", 120, 120), ("<= 2 min", 120, 120), ("< 2 minutes", 120, 120), ("~5 min", 300, 300),
        ("about 5 minutes", 300, 300), ("approx. 5 min", 300, 300), ("up to 5 min", 300, 300),
        ("max 5 min", 300, 300), ("5 min max", 300, 300), ("five minutes", 300, 300),
        ("half an hour", 1800, 1800), ("an hour", 3600, 3600), ("5-minute", 300, 300),
        ("2\u00a0minutes", 120, 120), ("2 MIN", 120, 120), ("2 min.", 120, 120), ("1 hr", 3600, 3600),
        ("2 minutes, one host after the other", 120, 120), ("1 day", 86_400, 86_400),
    ],
)  # fmt: skip
def test_an_amount_of_time_is_read_as_people_mean_it(
    text: str, low_s: float, high_s: float
) -> None:
    found = budget(text)
    assert (found.low_s, found.high_s) == pytest.approx((low_s, high_s))


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "5", "5 parsecs", "5 fortnights", "1:30", "1:90 min", "1,500 ms", "2 min 30",
        "30 minutes 1 hour", "10-5 min", "0 minutes", "5 min per host", "2 minutes each", "2 x 5 min",
        "5 minutes, 3 times", "5 minutes plus", "-5 minutes", "1e3 s", "5 Minuten", "5 min 5 min",
        "400 days", "9" * 4000 + " min", "1-2-3 min", "5 mins or 10", "²min", "٣ minutes",
    ],
)  # fmt: skip
def test_what_is_not_understood_in_full_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        budget(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Watch the service for 5 minutes.", 300), ("Watch it for at least 5 minutes.", 300),
        ("Monitor key metrics for 10 minutes:", 600), ("Monitor the health, 10 min", 600),
        ("Observe for 5–10 minutes", 600), ("Watch for five minutes", 300), ("Watch for 1h30m.", 5400),
        ("Watch for a minimum of 5 minutes", 300), ("Monitor error rate over 15 minutes", 900),
        ("Watch every 30 seconds for 10 minutes", 600), ("Monitor p95 <500ms for 10 minutes", 600),
        ("Keep watching for another 5 minutes", 300), ("Monitor the logs for 500 errors.", 0),
        ("Monitor the last 5 minutes of the log", 0), ("Wait up to 5 minutes for the pods", 0),
        ("Watch for errors", 0), ("It takes 5 minutes", 0), ("The watch is 5 minutes late", 300),
    ],
)  # fmt: skip
def test_a_sentence_says_for_how_long_to_watch(text: str, seconds: float) -> None:
    assert window_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("Watch it for 5 to 10 minutes", (300, 600)), ("Observe for 5–10 minutes", (300, 600)),
        ("Watch it between 5 and 10 minutes", (300, 600)), ("Watch for 5 minutes", (300, 300)),
        ("It takes 5 to 10 minutes", (0, 0)),
    ],
)  # fmt: skip
def test_a_sentence_may_leave_a_range(text: str, ends: tuple[float, float]) -> None:
    assert watch_window_s(text) == ends


@pytest.mark.parametrize(
    "text",
    ["Watch for a few minutes", "Monitor for several hours", "Watch for 5 minutes, then for 10 minutes",
     "Watch for 90 days", "Watch for 1:90 min", "Watch for 1,500 minutes",
     "Wait 5 minutes, then look", "Wait for 5 minutes"],
)  # fmt: skip
def test_a_time_to_watch_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        window_s(text)


@given(st.text("0123456789.,:-–~<≤ hmins adtowkforeach()", max_size=60))
def test_whatever_is_written_is_an_amount_or_refused(text: str) -> None:
    try:
        found = budget(text)
    except ValueError:
        pass
    else:
        assert 0 <= found.low_s <= found.high_s <= 31 * 86_400
    with suppress(ValueError):
        assert 0 <= window_s(f"Watch for {text}") <= 31 * 86_400


@pytest.mark.parametrize("amount", ["5 parsecs", "1:30", "5 min per host", "2 x 5 min", "3"])
def test_a_budget_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, amount: str) -> None:
    text = changed("back (3 minutes)", f"back ({amount})")
    with pytest.raises(RunbookError, match=r"runbook.md:38: expected a budget of step 2"):
        runbook_of(tmp_path, text)


@pytest.mark.parametrize(
    ("line", "high_s"),
    [
        ("**Time estimate:** about 5-10 minutes", 600), ("Estimated time: 10 min", 600),
        ("- Time estimate: 1h30m", 5400), ("Estimated duration: up to 10 minutes", 600),
    ],
)  # fmt: skip
def test_the_time_estimate_of_a_procedure_is_read(tmp_path: Path, line: str, high_s: float) -> None:
    runbook = runbook_of(tmp_path, changed("Time estimate: 5-10 minutes", line))
    assert runbook.procedures[0].estimate.high_s == high_s
    assert runbook.unread == ()


def test_the_time_estimate_may_stand_in_the_title(tmp_path: Path) -> None:
    text = changed("Application\n\nTime estimate: 5-10 minutes\n", "Application (5-10 minutes)\n")
    procedure = runbook_of(tmp_path, text).procedures[0]
    assert (procedure.title, procedure.estimate.high_s) == ("Application", 600)


def test_a_step_that_is_called_watch_is_watched_for_its_budget(tmp_path: Path) -> None:
    text = changed("Watch the service for 5 minutes.\n\n", "")
    assert runbook_of(tmp_path, text).procedures[0].steps[2].window_s == 300


def test_a_number_that_is_no_time_raises_nothing(tmp_path: Path) -> None:
    text = SMALL.replace("Watch the service for 5 minutes.", "Monitor the logs for 500 errors.")
    assert reading_of(tmp_path, text).problems.found == []
