"""What machines are told of a drill: the properties of JUnit, the environment of Allure."""

from __future__ import annotations

from rollback_drill.conduct.told import DrillStarted
from rollback_drill.judge.figures import figures
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.report.proof import proof


def facts_of(book: Book) -> dict[str, str]:
    """Return names and values, those of figures in the words of the page."""
    judgement, start = book.ask(judge), book.last(DrillStarted)
    found = {"verdict": judgement.verdict.value}
    if start:
        found |= {
            "stage": start.stage,
            "fault": start.fault,
            "release.failing": start.failing,
            "release.stable": start.stable,
            "runbook": start.runbook_path,
            "runbook.sha256": start.runbook_sha256,
            "pace": f"{start.pace:g}",
            "seed": str(start.seed),
        }
    if start and start.version:
        found["rollback-drill"] = start.version
    if judgement.procedure:
        found["procedure"] = str(judgement.procedure)
    found |= {one.name: f"{one.text} ({one.goal})" for one in book.ask(figures)}
    return found | {"Proof of the checks": book.ask(proof).told()}


def expected_and_found(one: Checked | StepEnded) -> str:
    """Return of a checkbox or step that did not pass what should have been, and what was."""
    if isinstance(one, Checked):
        return f"expected: {one.item}; found: {one.evidence}"
    if one.failed_commands:
        return f"expected: every command of the step ends with status 0; found: {one.reason}"
    if one.took_s > one.budget_s:
        return f"expected: at most {one.budget_s:g} s; found: {one.reason}"
    return one.reason
