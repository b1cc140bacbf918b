"""Sentences that say what is to be broken, and by what the rollback is done."""

from __future__ import annotations

from pathlib import Path

from pytest_bdd import given, parsers, when

from rollback_drill.runbook.authority import roles_of

from .fix_drills import Hold, Outcome, Plan


@given("clients use the pagination release")
def clients_use_the_release(plan: Plan) -> None:
    """Every drill begins so: its steady state proves it, or it breaks."""


@given(parsers.parse('the release suffers from "{fault}"'))
@given(parsers.parse('the service suffers from "{fault}"'))
def the_release_suffers(plan: Plan, fault: str) -> None:
    plan.fault = fault


@given(parsers.parse("a day of the runbook lasts {seconds:g} seconds"))
def a_day_lasts(plan: Plan, seconds: float) -> None:
    plan.pace = 24 * 3600 / seconds


@given(parsers.parse("the runbook's waits are shortened {times:d} times"))
def waits_are_shortened(plan: Plan, times: int) -> None:
    plan.pace = times


@given("the release is deployed again and rolled back once more")
def round_trip(plan: Plan) -> None:
    plan.round_trip = True


@given(parsers.parse('"{hazard}" happens in the rollback'))
def hazard_happens(plan: Plan, hazard: str) -> None:
    plan.hazard = hazard


@given("the cause is not planted")
def the_cause_is_not_planted(plan: Plan) -> None:
    plan.toothless = True


@given(parsers.parse('the rollback is started by "{roles}"'))
def started_by(plan: Plan, roles: str) -> None:
    plan.authorized_by = roles_of(roles)


@given(parsers.parse("the operator chooses Procedure {number:d}"))
def the_operator_chooses(plan: Plan, number: int) -> None:
    plan.procedure = str(number)


@given(parsers.parse('the runbook lacks the line "{beginning}"'))
def the_runbook_lacks(plan: Plan, runbook_file: Path, beginning: str) -> None:
    lines = runbook_file.read_text(encoding="utf-8").splitlines(keepends=True)
    plan.replaced.extend((line, "") for line in lines if line.startswith(beginning))
    assert plan.replaced, f"no line of the runbook begins with {beginning!r}"


@given(parsers.parse('the runbook says "{new}" for "{old}"'))
def the_runbook_says(plan: Plan, new: str, old: str) -> None:
    plan.replaced.append((old, new))


@given("the stable release cannot serve reservations")
def the_stable_release_is_broken(plan: Plan) -> None:
    plan.break_stable = True


@when("the drill is held", target_fixture="outcome")
def the_drill_is_held(hold: Hold, plan: Plan) -> Outcome:
    return hold(plan)
