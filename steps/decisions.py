"""Sentences about the decision matrix."""

from __future__ import annotations

from pathlib import Path

from pytest_bdd import given, parsers, then, when

from rollback_drill.decide.matrix import classify
from rollback_drill.runbook.model import MatrixRow, Runbook
from rollback_drill.runbook.parse import parse

from .fix_drills import edited_runbook


@given("the runbook of the project", target_fixture="runbook")
def the_runbook(runbook_file: Path) -> Runbook:
    return parse(runbook_file)


@given(
    parsers.parse('a runbook in which "{old}" reads "{new}" and "{other}" reads "{changed}"'),
    target_fixture="runbook",
)
def a_changed_runbook(
    runbook_file: Path, tmp_path: Path, old: str, new: str, other: str, changed: str
) -> Runbook:
    rows = [(f"| {old} |", f"| {new} |"), (f"| {other} |", f"| {changed} |")]
    return parse(edited_runbook(runbook_file, tmp_path, rows))


@when(
    parsers.parse("{errors:g} percent of requests fail and the p95 is {p95:g} ms"),
    target_fixture="row",
)
def measured(runbook: Runbook, errors: float, p95: float) -> MatrixRow:
    return classify(runbook.matrix, errors / 100, p95 / 1000)


@then(parsers.parse('the matrix says "{condition}", to "{decision}"'))
def the_matrix_says(row: MatrixRow, condition: str, decision: str) -> None:
    assert (row.condition, row.decision) == (condition, decision)
