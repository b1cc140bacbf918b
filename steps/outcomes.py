"""Sentences about what a drill showed: everything is read from its timeline and judgement."""

from __future__ import annotations

from pytest_bdd import parsers, then

from rollback_drill.breaks.told import FaultAttested, HazardArmed, HazardOver, WritesUnderFire
from rollback_drill.conduct.told import Restored
from rollback_drill.data.comparison import compare
from rollback_drill.data.told import DataSeen, LedgerRead, PathRead
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.perform.told import (
    AlternativeTaken,
    Checked,
    CommandStarted,
    ProcedureChosen,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.book import Book
from rollback_drill.report.html import whole_page
from rollback_drill.report.summary import key_numbers
from rollback_drill.subject.hostaway.told import CursorShown
from rollback_drill.traffic.observation import Outcome as Answer
from rollback_drill.traffic.told import TrafficSecond

from .fix_drills import Outcome

Table = list[list[str]]


@then(parsers.parse('somebody else than the detector saw "{symptom}"'))
def the_symptom_was_seen(outcome: Outcome, symptom: str) -> None:
    seen = outcome.all(FaultAttested)
    assert any(one.seen and symptom in one.evidence for one in seen), (
        f"nobody saw {symptom!r}: {seen}"
    )


@then(parsers.parse('the trigger "{name}" fires'))
def the_trigger_fires(outcome: Outcome, name: str) -> None:
    fired = {one.trigger for one in outcome.all(TriggerFired)}
    assert name in fired, f"fired: {fired}"


@then("no trigger fires")
def no_trigger_fires(outcome: Outcome) -> None:
    assert outcome.all(TriggerFired) == []


@then(parsers.parse('the answer is to "{answer}"'))
def the_answer_is(outcome: Outcome, answer: str) -> None:
    (decided,) = outcome.all(Decided)
    assert decided.answer == answer, decided
    assert answer in decided.explanation, "the report does not say why"


@then(parsers.parse("the decision is not to roll back, since {cause}"))
def the_decision_is_not(outcome: Outcome, cause: str) -> None:
    (decided,) = outcome.all(Decided)
    assert (decided.action, decided.rollback, decided.ours) == ("no rollback", False, False)
    assert cause in decided.diagnosis, decided.diagnosis
    assert not outcome.all(ProcedureChosen), "a procedure was performed all the same"


@then("clients are served well again once the cause is gone")
def served_again(outcome: Outcome) -> None:
    assert len(outcome.all(Restored)) == 1


@then(parsers.parse('the decision is "{action}"'))
def the_action_is(outcome: Outcome, action: str) -> None:
    (decided,) = outcome.all(Decided)
    assert (decided.action, decided.rollback) == (action, False), decided


@then(parsers.parse("the alternative of the runbook was {taken}"))
def alternative_taken(outcome: Outcome, taken: str) -> None:
    (armed,) = outcome.all(HazardArmed)
    assert outcome.all(HazardOver), f"{armed.name} was never taken back"
    found = outcome.all(AlternativeTaken)
    assert bool(found) == (taken == "taken"), found


@then("the neighbour lives on")
def neighbour_lives(outcome: Outcome) -> None:
    (over,) = outcome.all(HazardOver)
    assert (over.seen, over.harm) == ("the neighbour lived on", "")


@then("what every procedure dropped comes back with Procedure 4")
def dropped_comes_back(outcome: Outcome) -> None:
    seen = {(one.procedure, one.moment): one.tables for one in outcome.all(DataSeen)}
    chosen = outcome.all(ProcedureChosen)
    assert [one.procedure for one in chosen] == [2, 4, 2]
    taken = compare(seen[2, "before"], seen[2, "after"])
    assert set(taken.dropped) == set(chosen[0].dropped)
    assert taken.changed == ()
    back = compare(seen[4, "before"], seen[4, "after"])
    assert set(back.added) == set(chosen[0].dropped)
    assert (back.dropped, back.changed) == ((), ())


@then("no procedure was performed")
def no_procedure(outcome: Outcome) -> None:
    assert not outcome.all(CommandStarted), "commands were run"


@then(parsers.parse('the drill is unknown, naming "{thing}"'))
def the_drill_is_unknown(outcome: Outcome, thing: str) -> None:
    assert outcome.judgement.verdict is Verdict.UNKNOWN, outcome.judgement.reason
    assert thing in outcome.judgement.reason


@then("writes that the release damaged are told apart from lost ones")
def damage_is_told_apart(outcome: Outcome) -> None:
    (ledger,) = outcome.all(LedgerRead)
    assert ledger.damaged > 0
    assert ledger.lost == 0, ledger.examples


@then(parsers.parse("the decision is to roll back by Procedure {number:d}"))
def the_decision_is(outcome: Outcome, number: int) -> None:
    (decided,) = outcome.all(Decided)
    assert (decided.rollback, decided.procedure) == (True, number), decided
    assert decided.trigger, "the decision names no trigger"
    assert decided.evidence, "the decision has no evidence"


@then(
    parsers.parse(
        "the report shows Procedure {chosen:d} as the operator's choice, beside the diagnosis of "
        "Procedure {diagnosed:d}"
    )
)
def both_are_shown(outcome: Outcome, chosen: int, diagnosed: int) -> None:
    told = f"the operator chose Procedure {chosen}; the diagnosis said: Procedure {diagnosed}"
    assert any(line.startswith(told) for line in key_numbers(outcome.judgement))


@then(parsers.parse("the diagnosis is scenario {number:d} of the runbook"))
def the_diagnosis_is(outcome: Outcome, number: int) -> None:
    (decided,) = outcome.all(Decided)
    assert decided.scenario == number, decided


@then("every step kept its budget")
def budgets_kept(outcome: Outcome) -> None:
    late = [one for one in outcome.all(StepEnded) if one.took_s > one.budget_s]
    assert outcome.all(StepEnded), "no step was performed"
    assert not late, late


@then(parsers.parse("service was restored within {minutes:d} minutes"))
def service_was_restored(outcome: Outcome, minutes: int) -> None:
    (restored,) = outcome.all(Restored)
    assert restored.after_s <= 60 * minutes


@then("no acknowledged write is lost")
def nothing_is_lost(outcome: Outcome) -> None:
    (ledger,) = outcome.all(LedgerRead)
    assert ledger.acknowledged > 0, "no write was acknowledged, so nothing was proven"
    assert ledger.lost == 0, ledger.examples


@then("the cursors that customers kept were answered so:")
def kept_cursors(outcome: Outcome, datatable: Table) -> None:
    shown: dict[str, set[str]] = {}
    for one in outcome.all(CursorShown):
        shown.setdefault(one.moment, set()).add(one.answer)
    assert shown == {moment: {answer} for moment, answer in datatable[1:]}
    page = whole_page(Book(outcome.events))
    assert "Customers who kept a cursor" in page


@then("the worst stall of a writer is known, and no write under fire is lost")
def stall_is_known(outcome: Outcome) -> None:
    (seen,) = outcome.all(WritesUnderFire)
    assert seen.written > 0, "nobody wrote"
    assert seen.lost == 0, seen.examples
    data = outcome.judgement.to_json()["data"]
    assert isinstance(data, dict)
    assert data["worst_stall_s"] == seen.worst_stall_s > 0


@then(parsers.parse('the report names "{holder}", who held {mode} on {table}'))
def the_holder_is_named(outcome: Outcome, holder: str, mode: str, table: str) -> None:
    page = whole_page(Book(outcome.events))
    named = page.partition("Who held a lock")[2].partition("</ul>")[0]
    lines = [line for line in named.split("<li>") if holder in line]
    assert any(f"{mode} on {table}" in line for line in lines), named


@then("writes are knowingly dropped, and by no path lost")
def knowingly_dropped(outcome: Outcome) -> None:
    (ledger,) = outcome.all(LedgerRead)
    paths = outcome.all(PathRead)
    assert ledger.dropped > 0, "no client sent what only the new release knows"
    assert [one.procedure for one in paths] == [
        one.procedure for one in outcome.all(ProcedureChosen)
    ]
    for one in (ledger, *paths):
        ends = one.preserved + one.transformed + one.dropped + one.damaged + one.lost
        assert (ends, one.lost) == (one.acknowledged, 0), one
        # Without the columns they are dropped; with them back, they are as they were sent.
        without = getattr(one, "procedure", 2) == 2
        assert (one.dropped > 0) == without, one


@then("the drill has passed")
def the_drill_has_passed(outcome: Outcome) -> None:
    assert outcome.judgement.verdict is Verdict.PASSED, outcome.judgement.reason


@then(parsers.parse('the drill has failed, naming "{thing}"'))
def the_drill_has_failed(outcome: Outcome, thing: str) -> None:
    assert outcome.judgement.verdict is Verdict.FAILED, outcome.judgement.reason
    assert thing in outcome.judgement.reason


@then(parsers.parse("Procedure {number:d} was performed in this order:"))
def performed_in_order(outcome: Outcome, number: int, datatable: Table) -> None:
    performed = [
        one.title for one in outcome.all(StepEnded) if one.section == f"Procedure {number}"
    ]
    assert performed == [title for (title,) in datatable[1:]]


@then("clients got no answer while maintenance lasted")
def no_answer_in_maintenance(outcome: Outcome) -> None:
    began = ended = 0.0
    for event in outcome.events:
        if isinstance(event.what, StepEnded) and event.what.title == "Enter maintenance":
            began = event.at
        if isinstance(event.what, StepStarted) and event.what.title == "Leave maintenance":
            ended = event.at
    assert 0 < began < ended, "maintenance was not entered and left"
    inside = [
        one for one in outcome.all(TrafficSecond) if began <= one.second and one.second + 1 <= ended
    ]
    assert inside, "maintenance was too short to see a whole second of it"
    assert not [one for one in inside if one.outcomes.get(Answer.OK)]


@then("clients are served in the old format")
def old_format(outcome: Outcome) -> None:
    formats = [one.formats for one in outcome.all(TrafficSecond) if one.formats]
    assert formats, "no list was answered"
    assert "new" in formats[0], "the drill did not begin with the pagination release"
    assert set(formats[-1]) == {"old"}, formats[-1]


@then(parsers.parse('every checkbox of "{section}" holds'))
def every_checkbox_holds(outcome: Outcome, section: str) -> None:
    checked = _checked(outcome, section)
    procedure = outcome.runbook.procedure(int(section.rpartition(" ")[2]))
    boxes = [*procedure.prerequisites, *(b for step in procedure.steps for b in step.checkboxes)]
    assert sorted(one.item for one in checked) == sorted(box.text for box in boxes)
    _all_hold(checked)


@then(parsers.parse('these items of "{section}" hold, with evidence:'))
def these_items_hold(outcome: Outcome, section: str, datatable: Table) -> None:
    checked = _checked(outcome, section)
    assert [one.item for one in checked] == [item for (item,) in datatable[1:]]
    _all_hold(checked)


def _checked(outcome: Outcome, section: str) -> list[Checked]:
    return [one for one in outcome.all(Checked) if one.section == section]


def _all_hold(checked: list[Checked]) -> None:
    wrong = [one for one in checked if one.verdict not in GOOD]
    assert not wrong, wrong
    assert all(one.evidence for one in checked), "a checkbox has no evidence"
