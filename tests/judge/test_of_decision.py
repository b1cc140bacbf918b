"""The decision is held against what the fault called for: each condition of it, alone."""

from __future__ import annotations

import pytest

from rollback_drill.breaks.told import FaultAttested, FaultInjected
from rollback_drill.conduct.told import DrillStarted, Restored
from rollback_drill.decide.judges import of_rollback, of_triggers, uncredited
from rollback_drill.decide.told import NOT_LONG_ENOUGH, Decided, TriggerFired, TriggersRead
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import ProcedureChosen, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause
from tests.judge.record_support import Change, Record, also, changed, declared, good, without

FAILED, UNKNOWN = Verdict.FAILED, Verdict.UNKNOWN
RATE, LEAK = "Error Rate >10%", "Memory Leak"
LEAKED = TriggerFired(LEAK, 4, "high", "rollback", 7.5, ("n",))


def causes(record: Record, *changes: Change) -> list[Cause]:
    for change in changes:
        record = change(record)
    return list(of_rollback(Book(record)))


def only(record: Record, *changes: Change) -> tuple[Verdict, str, str]:
    (cause,) = causes(record, *changes)
    return cause.verdict, cause.where, cause.what


def test_a_good_drill_has_no_cause() -> None:
    assert causes(good()) == []
    assert list(of_triggers(Book(good()))) == []


def test_only_the_declared_trigger_is_accepted() -> None:
    assert causes(declared(RATE)) == []
    verdict, where, said = only(declared(LEAK))
    assert (verdict, where) == (FAILED, "Decision")
    assert (
        said == f"the trigger “{LEAK}”, which this fault is there for, did not fire; “{RATE}” did"
    )
    verdict, _, said = only(declared(LEAK), without(TriggerFired))
    assert (verdict, said.endswith("did not fire; nothing did")) == (FAILED, True)


def test_that_it_did_not_fire_is_unknown_where_its_symptom_was_not_seen() -> None:
    found = causes(declared(LEAK), changed(FaultAttested, seen=False))
    assert [(one.verdict, one.where) for one in found] == [
        (UNKNOWN, "Fault"),
        (UNKNOWN, "Decision"),
    ]
    found = causes(declared(LEAK), without(FaultAttested))
    assert [one.verdict for one in found] == [UNKNOWN, UNKNOWN]
    assert found[0].evidence == "nobody looked"


def test_a_declared_trigger_that_fired_beside_the_one_that_was_acted_on_is_no_cause() -> None:
    record = also(LEAKED)(declared(LEAK))
    assert causes(record) == []
    said = uncredited(Book(record))
    assert said == (
        f"the decision rests on “{RATE}”; “{LEAK}”, which this fault is there for, fired 7.5 s "
        "after the symptom"
    )


def test_time_to_detect_is_credited_to_the_trigger_that_the_fault_is_there_for() -> None:
    assert uncredited(Book(good())) == ""
    assert uncredited(Book(declared(RATE))) == ""
    assert uncredited(Book(without(Decided)(declared(LEAK)))) == ""
    assert uncredited(Book(changed(Decided, trigger="")(declared(LEAK)))) == "no trigger fired"
    assert uncredited(Book(without(FaultInjected)(good()))) == ""
    twice = also(LEAKED, LEAKED)(without(TriggerFired)(declared("Outage")))
    assert uncredited(Book(twice)).endswith(f"did not fire; “{LEAK}” did")


def test_a_drill_without_beginning_or_decision_is_unknown() -> None:
    assert only(good(), without(DrillStarted))[:2] == (UNKNOWN, "Drill")
    assert only(good(), without(Decided))[:2] == (UNKNOWN, "Decision")


CALLS = [
    # calls_for, rollback, ours, action, procedure asked for; verdict, words
    ("rollback", True, None, "rollback", "auto", None),
    ("rollback", False, None, "monitor", "auto", (FAILED, "no rollback was called for (monitor)")),
    ("rollback", False, None, "monitor", "2", None),
    ("no rollback", True, None, "rollback", "auto", (FAILED, "where “no rollback” is right")),
    ("no rollback", False, False, "no rollback", "auto", None),
    ("no rollback", False, None, "no action", "auto", None),
    ("no rollback", False, None, "monitor", "auto", (UNKNOWN, "nobody can say why there should")),
    ("no rollback", False, True, "monitor", "auto", (UNKNOWN, "nobody can say why there should")),
    ("rollback", False, None, NOT_LONG_ENOUGH, "auto", (UNKNOWN, "not long enough to say: 7 more")),
    ("rollback", False, None, NOT_LONG_ENOUGH, "2", None),
    ("no rollback", False, None, NOT_LONG_ENOUGH, "auto", (UNKNOWN, "was not long enough to say")),
    ("monitor", False, None, NOT_LONG_ENOUGH, "2", (UNKNOWN, "was not long enough to say: 7")),
    ("monitor", True, None, "rollback", "auto", (FAILED, "where “monitor” is right")),
    ("monitor", False, None, "monitor", "auto", None),
]


@pytest.mark.parametrize(("wanted", "rollback", "ours", "action", "asked", "cause"), CALLS)
def test_a_rollback_is_called_for_where_it_is_right(
    wanted: str, rollback: bool, ours: bool | None, action: str, asked: str,
    cause: tuple[Verdict, str] | None,
) -> None:  # fmt: skip
    told = {
        "rollback": rollback, "ours": ours, "action": action, "attribution": ("it is ours",),
        "more": 7,
    }  # fmt: skip
    changes = (
        changed(FaultInjected, calls_for=wanted), changed(Decided, **told),
        changed(DrillStarted, procedure=asked), changed(FaultAttested, since=0.0),
    )  # fmt: skip
    found = causes(good(), *changes)
    if cause is None:
        assert found == []
        return
    assert [(one.verdict, one.where) for one in found] == [(cause[0], "Decision")]
    assert cause[1] in found[0].what
    assert found[0].evidence == "n; it is ours"
    blind = causes(good(), *changes, changed(FaultAttested, seen=False))
    assert [one.verdict for one in blind] == [UNKNOWN, UNKNOWN]


def test_a_trigger_for_which_it_was_not_long_enough_is_not_missed_but_unknown() -> None:
    short = changed(Decided, rollback=False, action=NOT_LONG_ENOUGH, trigger="")
    found = causes(without(TriggerFired)(declared(RATE)), short)
    assert [(one.verdict, one.where) for one in found] == [(UNKNOWN, "Decision")] * 2
    missed = causes(without(TriggerFired)(declared(RATE)), changed(Decided, rollback=False))
    assert {one.verdict for one in missed} == {FAILED}


def test_without_a_fault_a_rollback_is_what_is_wanted() -> None:
    assert causes(good(), without(FaultInjected)) == []
    assert only(good(), without(FaultInjected), changed(Decided, rollback=False))[0] is FAILED


def test_an_estimate_holds_for_the_steps_of_the_procedure_alone() -> None:
    assert causes(good(), changed(ProcedureChosen, estimate_high_s=2.0)) == []
    verdict, where, said = only(good(), changed(ProcedureChosen, estimate_high_s=1.9))
    assert (verdict, where) == (FAILED, "Procedure 1")
    assert said == "took 2 s, its estimate ends at 1.9 s"


def of_procedure(verdict: Verdict) -> Change:
    step = StepEnded("Procedure 1", 2, "More", 30.0, 2.0, verdict, "", "")
    return also(step)


@pytest.mark.parametrize(
    ("verdict", "told"),
    [(FAILED, False), (Verdict.UNCOVERED, False), (UNKNOWN, True), (Verdict.PASSED, True)],
)
def test_of_a_procedure_that_failed_nobody_expects_recovery(verdict: Verdict, told: bool) -> None:
    found = causes(good(), without(Restored), of_procedure(verdict))
    expected = [(FAILED, "Procedure 1", "clients were not served well again")] * told
    assert [(one.verdict, one.where, one.what) for one in found] == expected


def test_recovery_is_not_expected_of_a_procedure_without_a_step() -> None:
    record = [e for e in good() if getattr(e.what, "section", "") != "Procedure 1"]
    assert causes(record, without(Restored)) == []


def test_nobody_looked_for_recovery_where_the_final_verification_is_missing() -> None:
    record = [e for e in good() if getattr(e.what, "section", "") != "Final verification"]
    for changes in ((), (without(Restored),)):
        assert only(record, *changes) == (UNKNOWN, "Final verification", "it was not performed")


@pytest.mark.parametrize(
    ("restored", "decided", "told"),
    [
        (False, {"rollback": False, "ours": False}, True),
        (True, {"rollback": False, "ours": False}, False),
        (False, {"rollback": True, "ours": False}, False),
        (False, {"rollback": False, "ours": None}, False),
        (False, {"rollback": False, "ours": True}, False),
    ],
)
def test_recovery_is_expected_where_the_cause_was_removed(
    restored: bool, decided: dict[str, bool], told: bool
) -> None:
    changes = [without(ProcedureChosen), changed(Decided, action="no action", **decided)]
    found = causes(
        good(), *changes, *([] if restored else [without(Restored)]),
        changed(FaultInjected, calls_for="rollback" if decided["rollback"] else "no rollback"),
    )  # fmt: skip
    what = "clients were not served well again after the cause was removed"
    seen = [(one.verdict, one.what) for one in found if one.where == "Cause"]
    assert seen == [(FAILED, what)] * told


def test_where_nothing_was_decided_no_recovery_is_expected() -> None:
    changes = without(ProcedureChosen), without(Restored), without(Decided)
    assert only(good(), *changes)[:2] == (UNKNOWN, "Decision")


def test_triggers_that_nobody_watches_or_sees_are_told() -> None:
    read = changed(TriggersRead, uncovered={"Line 3": "no watch"}, unseen={"Line 4": "no clients"})
    found = list(of_triggers(Book(read(good()))))
    assert [(one.verdict, one.where) for one in found] == [
        (Verdict.UNCOVERED, "Line 3"), (UNKNOWN, "Line 4"),
    ]  # fmt: skip
    (one,) = of_triggers(Book(without(TriggersRead)(good())))
    assert (one.verdict, one.where) == (UNKNOWN, "Triggers")
    assert list(of_triggers(Book([]))) == []
