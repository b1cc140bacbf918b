"""Triggers, the decision and what came of it, held against what the fault called for."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.breaks.told import FaultAttested, FaultInjected
from rollback_drill.conduct.told import DrillStarted, Restored
from rollback_drill.decide.told import NOT_LONG_ENOUGH, Decided, TriggerFired, TriggersRead
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import ProcedureChosen, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging


@judging(70)
def of_triggers(book: Book) -> Iterator[Cause]:
    """A trigger that nothing watches for is uncovered, as a checkbox without a check is."""
    read = book.last(TriggersRead)
    if read is None:
        if book.last(DrillStarted):  # that there is none is a cause of its own
            what = "nobody wrote down which of them are watched"
            yield Cause(Verdict.UNKNOWN, "Triggers", what)
        return
    advice = (
        "word it like a trigger that is watched, or add a watch in rollback_drill/decide/triggers"
    )
    for where, why in read.uncovered.items():
        yield Cause(Verdict.UNCOVERED, where, why, advice=advice)
    for where, why in read.unseen.items():
        yield Cause(Verdict.UNKNOWN, where, f"nobody can look for it here: {why}")


@judging(180)
def of_rollback(book: Book) -> Iterator[Cause]:
    """Whether the fault was seen, the right thing decided, and clients were served well again."""
    if book.last(DrillStarted) is None:
        yield Cause(Verdict.UNKNOWN, "Drill", "it did not get as far as its start")
        return
    attested = book.last(FaultAttested)
    if attested is None or not attested.seen:
        evidence = attested.evidence if attested else "nobody looked"
        what = "the fault did not bite: its symptom was not seen"
        yield Cause(Verdict.UNKNOWN, "Fault", what, evidence)
    yield from _of_decision(book)
    yield from _of_outcome(book)


def _of_outcome(book: Book) -> Iterator[Cause]:
    """What came of the procedure, or of the decision against one."""
    decided, restored = book.last(Decided), book.last(Restored)
    chosen, steps = book.last(ProcedureChosen), book.every(StepEnded)
    if chosen is None:
        if restored is None and decided and not decided.rollback and decided.ours is False:
            what = "clients were not served well again after the cause was removed"
            yield Cause(Verdict.FAILED, "Cause", what)
        return
    section = f"Procedure {chosen.procedure}"
    own = [step for step in steps if step.section == section]
    total = sum(step.took_s for step in own)
    if total > chosen.estimate_high_s:
        what = f"took {total:.0f} s, its estimate ends at {chosen.estimate_high_s:g} s"
        yield Cause(Verdict.FAILED, section, what)
    if not own or any(s.verdict in (Verdict.FAILED, Verdict.UNCOVERED) for s in own):
        return
    if not any(step.section == "Final verification" for step in steps):
        # Only after it does anybody look for good answers: that none was seen says nothing.
        yield Cause(Verdict.UNKNOWN, "Final verification", "it was not performed")
    elif restored is None:
        what = "clients were not served well again"
        yield Cause(Verdict.FAILED, section, what)


def _of_decision(book: Book) -> Iterator[Cause]:
    """Hold the decision against what the fault called for."""
    start, decided = book.last(DrillStarted), book.last(Decided)
    if start is None or decided is None:
        yield Cause(Verdict.UNKNOWN, "Decision", "none was made")
        return
    injected, attested = book.last(FaultInjected), book.last(FaultAttested)
    fired = book.every(TriggerFired)
    wanted = injected.calls_for if injected else "rollback"
    seen = attested is not None and attested.seen
    open_ = decided.action == NOT_LONG_ENOUGH
    verdict = Verdict.FAILED if seen and not open_ else Verdict.UNKNOWN
    evidence = "; ".join((*decided.evidence, *decided.attribution))
    called_for = wanted == "rollback" and start.procedure == "auto"
    if open_ and (called_for or wanted != "rollback"):
        more = f": {decided.more:,} more requests are needed at the least" if decided.more else ""
        yield Cause(Verdict.UNKNOWN, "Decision", f"it was {NOT_LONG_ENOUGH}{more}", evidence)
    elif called_for and not decided.rollback:
        what = f"no rollback was called for ({decided.action})"
        yield Cause(verdict, "Decision", what, evidence)
    if wanted != "rollback" and decided.rollback:
        what = f"a rollback was called for, where “{wanted}” is right"
        yield Cause(verdict, "Decision", what, evidence)
    if wanted == "no rollback" and not (open_ or decided.rollback or _right_not_to(decided)):
        what = f"nobody can say why there should be no rollback ({decided.action})"
        yield Cause(Verdict.UNKNOWN, "Decision", what, evidence)
    if injected and injected.trigger and injected.trigger not in [one.trigger for one in fired]:
        yield Cause(verdict, "Decision", book.ask(uncredited), evidence)


def uncredited(book: Book) -> str:
    """Return why the detector's time to detect is not credited to it, "" when it is.

    What sets off another trigger than the one that the fault is there for was found by accident.
    """
    injected, decided = book.last(FaultInjected), book.last(Decided)
    if decided is None:
        return ""
    if not decided.trigger:
        return "no trigger fired"
    wanted = injected.trigger if injected else ""
    if wanted in ("", decided.trigger):
        return ""
    fired = book.every(TriggerFired)
    own = next((one for one in fired if one.trigger == wanted), None)
    if own:
        return (
            f"the decision rests on “{decided.trigger}”; “{wanted}”, which this fault is there "
            f"for, fired {own.after_s:.1f} s after the symptom"
        )
    others = dict.fromkeys(one.trigger for one in fired)
    instead = ", ".join(f"“{name}”" for name in others) or "nothing"
    return f"the trigger “{wanted}”, which this fault is there for, did not fire; {instead} did"


def _right_not_to(decided: Decided) -> bool:
    return decided.ours is False or decided.action == "no action"
