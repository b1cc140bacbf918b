"""The decision and what came of it, held against what the fault called for."""

from __future__ import annotations

from rollback_drill.breaks.told import FaultAttested, FaultInjected
from rollback_drill.conduct.told import DrillStarted, Restored
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.perform.told import ProcedureChosen, StepEnded
from rollback_drill.record.book import Record


def of_rollback(record: Record) -> list[Cause]:
    """Whether the fault was seen, the right thing decided, and clients were served well again."""
    start, decided = record.last(DrillStarted), record.last(Decided)
    if start is None:
        return [Cause(Verdict.UNKNOWN, "Drill", "it did not get as far as its start")]
    causes = []
    attested, restored = record.last(FaultAttested), record.last(Restored)
    chosen, steps = record.last(ProcedureChosen), record.every(StepEnded)
    if attested is None or not attested.seen:
        evidence = attested.evidence if attested else "nobody looked"
        what = "the fault did not bite: its symptom was not seen"
        causes.append(Cause(Verdict.UNKNOWN, "Fault", what, evidence))
    if decided is None:
        causes.append(Cause(Verdict.UNKNOWN, "Decision", "none was made"))
    else:
        causes += _of_decision(start, decided, record)
    if chosen is None:
        if restored is None and decided and not decided.rollback and decided.ours is False:
            what = "clients were not served well again after the cause was removed"
            causes.append(Cause(Verdict.FAILED, "Cause", what))
        return causes
    section = f"Procedure {chosen.procedure}"
    own = [step for step in steps if step.section == section]
    broken = not own or any(s.verdict in (Verdict.FAILED, Verdict.UNCOVERED) for s in own)
    total = sum(step.took_s for step in own)
    if total > chosen.estimate_high_s:
        what = f"took {total:.0f} s, its estimate ends at {chosen.estimate_high_s:g} s"
        causes.append(Cause(Verdict.FAILED, section, what))
    if broken:
        return causes
    if not any(step.section == "Final verification" for step in steps):
        # Only after it does anybody look for good answers: that none was seen says nothing.
        causes.append(Cause(Verdict.UNKNOWN, "Final verification", "it was not performed"))
    elif restored is None:
        what = "clients were not served well again"
        causes.append(Cause(Verdict.FAILED, section, what))
    return causes


def _of_decision(start: DrillStarted, decided: Decided, record: Record) -> list[Cause]:
    """Hold the decision against what the fault called for."""
    injected, attested = record.last(FaultInjected), record.last(FaultAttested)
    fired = record.every(TriggerFired)
    wanted = injected.calls_for if injected else "rollback"
    seen = attested is not None and attested.seen
    verdict = Verdict.FAILED if seen else Verdict.UNKNOWN
    evidence = "; ".join((*decided.evidence, *decided.attribution))
    causes = []
    if wanted == "rollback" and not decided.rollback and start.procedure == "auto":
        what = f"no rollback was called for ({decided.action})"
        causes.append(Cause(verdict, "Decision", what, evidence))
    if wanted != "rollback" and decided.rollback:
        what = f"a rollback was called for, where “{wanted}” is right"
        causes.append(Cause(verdict, "Decision", what, evidence))
    if wanted == "no rollback" and not decided.rollback and not _right_not_to(decided):
        what = f"nobody can say why there should be no rollback ({decided.action})"
        causes.append(Cause(Verdict.UNKNOWN, "Decision", what, evidence))
    if injected and injected.trigger and injected.trigger not in [one.trigger for one in fired]:
        causes.append(Cause(verdict, "Decision", uncredited(record), evidence))
    return causes


def uncredited(record: Record) -> str:
    """Return why the detector's time to detect is not credited to it, "" when it is.

    What sets off another trigger than the one that the fault is there for was found by accident.
    """
    injected, decided = record.last(FaultInjected), record.last(Decided)
    if decided is None:
        return ""
    if not decided.trigger:
        return "no trigger fired"
    wanted = injected.trigger if injected else ""
    if wanted in ("", decided.trigger):
        return ""
    fired = record.every(TriggerFired)
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
