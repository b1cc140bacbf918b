"""What of a drill is red has a name: of a check, a step, a judge."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace

import pytest

from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.red import red
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.runbook.told import RunbookRead
from tests.judge.record_support import Change, changed, good


def keys(change: Change) -> dict[str, Verdict]:
    return {key: verdict for key, (verdict, _) in red(Book(change(good()))).items()}


def test_of_a_good_drill_nothing_is_red() -> None:
    assert red(Book(good())) == {}


def test_a_box_is_named_by_its_check() -> None:
    found = keys(changed(Checked, verdict=Verdict.FAILED, check="error_rate"))
    assert found["error_rate"] is Verdict.FAILED
    assert keys(changed(Checked, verdict=Verdict.UNCOVERED, check=""))["no check"]


def test_a_step_is_named_by_what_it_failed_by() -> None:
    failed = changed(StepEnded, verdict=Verdict.FAILED, failed_commands=(2,), reason="it ended")
    assert keys(failed)["command: Enter"] is Verdict.FAILED
    assert keys(changed(StepEnded, took_s=99.0))["budget: Enter"] is Verdict.FAILED
    assert "of_steps" not in keys(failed)


def test_a_judge_is_named_with_and_without_the_place() -> None:
    found = keys(changed(RunbookRead, lines=(7,), texts=("x",), reasons=("y",)))
    assert found["of_reading"] is found["of_reading: Runbook"] is Verdict.UNCOVERED


@pytest.mark.parametrize("order", list(itertools.permutations(("UNKNOWN", "UNCOVERED", "FAILED"))))
def test_of_several_verdicts_the_worst_is_kept_with_its_words(order: tuple[str, ...]) -> None:
    record = good()
    boxes = [n for n, event in enumerate(record) if isinstance(event.what, Checked)]
    for number, name in zip(boxes, order, strict=True):
        seen = replace(record[number].what, verdict=Verdict[name], evidence=f"saw {name}")
        record[number] = replace(record[number], what=seen)
    verdict, told = red(Book(record))["some_check"]
    assert (verdict, told.endswith(": saw FAILED")) == (Verdict.FAILED, True)


def test_of_equals_the_first_words_are_kept() -> None:
    record = changed(Checked, verdict=Verdict.FAILED)(good())
    assert "The team knows" in red(Book(record))["some_check"][1]


def test_a_step_that_took_all_of_its_budget_kept_it() -> None:
    assert keys(changed(StepEnded, took_s=30.0)) == {}


def test_all_judges_are_asked_whoever_loaded_them() -> None:
    """In a Python of its own, where nobody has loaded a judge before."""
    program = (
        "from rollback_drill.judge.red import red; from rollback_drill.record.book import Book; "
        "assert 'of_writes' in red(Book([]))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
