"""The phases of a drill, in the order in which they happen.

A phase is a plain function over the drill. False ends the rolling back; what has to come at the
end of every drill, the `endings`, comes all the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from rollback_drill.breaks.fault import Scene
from rollback_drill.conduct.attest import break_and_decide
from rollback_drill.conduct.drill import Drill
from rollback_drill.conduct.steady import (
    PATIENCE_S,
    await_looks,
    await_requests,
    reach_steady_state,
)
from rollback_drill.conduct.told import Restored
from rollback_drill.decide.decider import Decider
from rollback_drill.decide.statistics import quantile_upper_bound
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import WaitTimeout
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.judge.impact import facts_after
from rollback_drill.perform.performer import Part, facts_for
from rollback_drill.perform.supply import supply
from rollback_drill.perform.told import Authorized, ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import read
from rollback_drill.record.told import PhaseName
from rollback_drill.runbook import authority
from rollback_drill.runbook.model import Checklist, Procedure
from rollback_drill.runbook.outcome import outcome_of
from rollback_drill.stage.model import Stage, lacks_of
from rollback_drill.watch.probe import front_health, hosts_health
from rollback_drill.watch.sentinel import Sentinels, all_sentinels

Phase = Callable[[Drill], bool]

_CHECKLIST_BUDGET_S = 300.0  # for checklists whose heading gives none
_CLOSING_BUDGET_S = 3600.0


def do_routine_work(drill: Drill) -> bool:
    """Do what the procedure that was asked for presumes: work that is done before any incident."""
    asked = _asked(drill)
    if asked:
        drill.rig.performer.run_routine(asked)
    return True


def supply_files(drill: Drill) -> bool:
    """Make the files that the procedure reads and nothing in it makes."""
    asked = _asked(drill)
    for told in supply(asked, drill.rig.stage.hosts[0]) if asked else ():
        drill.note(told)
    return True


def let_clients_in(drill: Drill) -> bool:
    """Begin the traffic, with everybody who goes along. Whatever ends it takes back and heals
    first: an abort must not wait for clients before that.
    """
    rig, clients = drill.rig, drill.clients
    for one in drill.companions:
        one.before_clients()
    clients.callback(_leave_to_clients, rig.stage, 0.0)  # behind the end of the traffic
    _leave_to_clients(rig.stage, rig.rate)
    clients.enter_context(rig.traffic)
    for one in drill.companions:
        clients.enter_context(one)
    clients.enter_context(rig.guard)
    clients.callback(drill.heal)
    for one in drill.companions:
        clients.callback(one.take_back)
    clients.enter_context(drill.watching)
    if rig.progress:
        rig.progress.follow(rig.traffic)
    return True


def _leave_to_clients(stage: Stage, rate: float) -> None:
    """Have so many requests per second of the stage's limit left to clients by all others."""
    if stage.allowance:
        stage.allowance.leave(rate)


def be_steady(drill: Drill) -> bool:
    """See the service healthy: it must meet what the runbook holds it to, before it is broken."""
    rig = drill.rig
    # They ask the database a lot, and would be in the way of its migrations: see `break_it`.
    sentinels = all_sentinels(rig.stage, rig.traffic.directory)
    drill.watching.enter_context(Sentinels(sentinels, rig.timeline))
    drill.begin(PhaseName.STEADY)
    drill.healthy = reach_steady_state(rig.performer.moment, rig.rate).histogram
    for one in drill.companions:
        one.steady()
    return True


def break_it(drill: Drill) -> bool:
    """Make the fault, and wait for a decision."""
    rig = drill.rig
    drill.begin(PhaseName.FAULT)
    decider = Decider(rig.runbook, rig.request.pace)
    for at, sample in list(rig.performer.moment.samples)[-1:]:
        decider.probe(sample, at)  # a kill before the next look is none of before the fault
    baseline = quantile_upper_bound(drill.healthy) or drill.healthy.quantile(0.95)
    drill.scene = Scene(rig.stage, baseline, rig.webhook, rig.traffic.directory, rig.token)
    drill.decided = break_and_decide(
        drill.scene, rig.fault, decider, rig.traffic, drill.healthy, rig.timeline
    )
    drill.watching.close()
    rig.performer.moment = replace(rig.performer.moment, decision=drill.decided)
    return True


def choose_procedure(drill: Drill) -> bool:
    """Choose the procedure: the one that was asked for, or that was decided on. Where there is
    none to perform, the cause is removed instead.
    """
    assert drill.decided
    asked = _asked(drill)
    if not asked and not drill.decided.rollback:
        return remove_cause(drill)
    drill.procedure = asked or drill.rig.runbook.procedure(drill.decided.procedure)
    drill.chosen_by = "operator" if asked else "diagnosis"
    return True


def remove_cause(drill: Drill) -> bool:
    """Heal the fault under traffic, and see whether clients are served well again."""
    decided_at = now()
    drill.heal()
    with contextlib.suppress(WaitTimeout):
        for _ in wait_until("clients are served well again", PATIENCE_S):
            good = drill.rig.traffic.first_good_since(decided_at)
            if good is not None:
                drill.rig.timeline.record(Restored(good - decided_at))
                break
    return False


def authorize(drill: Drill) -> bool:
    """Record whether those who start this rollback may; without a table everybody may."""
    assert drill.decided
    rig = drill.rig
    table = rig.runbook.authority
    level = authority.level_of(drill.decided.severity)
    if not table:
        drill.note("the runbook has no table of authority: anybody may start a rollback")
        return True
    named = authority.rule_on(table, level, ())
    roles = rig.request.authorized_by or (f"as the table says: {named.rule}",)
    ruling = authority.rule_on(table, level, rig.request.authorized_by)
    allowed = ruling.allowed or not rig.request.authorized_by
    rig.timeline.record(Authorized(roles, level, allowed, ruling.rule, ruling.line))
    return allowed


def gather_facts(drill: Drill) -> bool:
    """Note what the runbook's messages may say of the decision."""
    assert drill.decided
    rig = drill.rig
    drill.decided_at = drill.served_since = now()
    recent = rig.traffic.window(drill.decided_at - drill.decided.detected_after_s)
    error_rate = recent.failures / recent.sent if recent.sent else 1.0
    tell_performer(drill, error_rate)
    return True


def tell_performer(drill: Drill, error_rate: float) -> None:
    """Give the performer what the runbook's messages may say; `error_rate` as a share."""
    request = drill.rig.request
    drill.rig.performer.environment = facts_for(
        drill.decided, lead=request.lead, incident=f"drill-{request.seed}", error_rate=error_rate
    )


def make_ready(drill: Drill) -> bool:
    """Perform the runbook's preparation."""
    drill.begin(PhaseName.PREPARATION)
    preparation = drill.rig.runbook.pre_rollback
    budget = preparation.budget.high_s if preparation.budget else _CHECKLIST_BUDGET_S
    _perform_checklist(drill, preparation, "Preparation", budget)
    return True


def roll_back(drill: Drill) -> bool:
    """Perform the chosen procedure; False when it did not hold."""
    assert drill.procedure
    drill.begin(PhaseName.ROLLBACK)
    return _perform(drill, drill.procedure, drill.chosen_by)


def press_on(drill: Drill) -> bool:
    """Perform the chosen procedure, and go on whatever came of it."""
    roll_back(drill)
    return True


def look_at_outcome(drill: Drill) -> bool:
    """Verify what any rollback has to leave behind, whether its document asks for it or not."""
    assert drill.procedure
    stage = drill.rig.stage
    left = outcome_of(drill.procedure, lacks_of(stage), stage.subject.leaves)
    drill.rig.performer.perform_checklist(left, "Outcome", _CHECKLIST_BUDGET_S)
    return True


def verify_service(drill: Drill) -> bool:
    """Verify the final checklist once enough requests were served since the rollback: those of a
    watch that it ended with are among them.
    """
    rig = drill.rig
    drill.begin(PhaseName.VERIFICATION)
    began = rig.performer.watched_from or now()
    with contextlib.suppress(WaitTimeout):  # too few requests: the checks will say unknown
        await_requests(rig.performer.moment, began, rig.rate)
        await_looks(rig.performer.moment, began)
    for one in drill.companions:
        one.before_checklist(rig.runbook.verification.title)
    rig.performer.perform_checklist(
        rig.runbook.verification, "Final verification", _CHECKLIST_BUDGET_S, window_from=began
    )
    restored = rig.traffic.first_good_since(drill.served_since)
    if restored is not None:
        rig.timeline.record(Restored(restored - drill.decided_at))
    drill.rolled_back = True
    return True


def go_round(drill: Drill) -> bool:
    """Deploy the release again, mended, and roll back once more: nothing may be lost by it."""
    assert drill.procedure
    rig = drill.rig
    drill.heal()
    again = rig.runbook.redeployment
    if again is None:
        drill.note("the runbook has no procedure for deploying the release again")
        return False
    for one in (again, drill.procedure):
        rig.performer.moment = replace(rig.performer.moment, effective_at=0.0)
        if not _perform(drill, one, "round trip"):
            return False
    return True


def let_clients_go(drill: Drill) -> bool:
    """End the traffic, and account for all that clients wrote."""
    drill.rig.traffic.stop()
    _leave_to_clients(drill.rig.stage, 0.0)
    drill.clients.close()
    if drill.rig.stage.stays and drill.healed:
        _await_healed(drill.rig.stage)
    for one in drill.companions:
        one.closed()
    return True


def _await_healed(stage: Stage) -> None:
    """Wait until the service answers: the script that heals a fault may have restarted it."""
    with contextlib.suppress(WaitTimeout):  # then whoever asks it will say so
        for _ in wait_until("the service answers after its fault was healed", PATIENCE_S):
            if {front_health(stage), *hosts_health(stage).values()} == {200}:
                return


def close(drill: Drill) -> bool:
    """Do what the runbook wants done at once after a rollback, if it has commands for it."""
    rig = drill.rig
    for checklist in rig.runbook.post_rollback if drill.rolled_back else ():
        if checklist.blocks:
            drill.begin(PhaseName.AFTERWARDS)
            facts = facts_after(Book(read(rig.timeline.path)))
            rig.performer.environment = {**rig.performer.environment, **facts}
            budget = checklist.budget.high_s if checklist.budget else _CLOSING_BUDGET_S
            _perform_checklist(drill, checklist, "After the rollback", budget)
    return True


def _asked(drill: Drill) -> Procedure | None:
    number = drill.rig.request.procedure
    return None if number == "auto" else drill.rig.runbook.procedure(int(number))


def _perform_checklist(drill: Drill, checklist: Checklist, section: str, budget_s: float) -> None:
    for one in drill.companions:
        one.before_checklist(checklist.title)
    drill.rig.performer.perform_checklist(checklist, section, budget_s)
    for one in drill.companions:
        one.after_checklist()


def _perform(drill: Drill, procedure: Procedure, chosen_by: str) -> bool:
    """Perform `procedure` with everybody who goes along; return whether it held."""
    drill.procedure = procedure
    rig = drill.rig
    promises = {"Authorized": int(bool(rig.runbook.authority))}
    for one in drill.companions:
        promises |= one.promises(procedure)
    rig.timeline.record(
        ProcedureChosen(
            procedure=procedure.number,
            title=procedure.title,
            estimate_low_s=procedure.estimate.low_s,
            estimate_high_s=procedure.estimate.high_s,
            chosen_by=chosen_by,
            step_titles=tuple(step.title for step in procedure.steps),
            dropped=procedure.dropped,
            step_budgets_s=tuple(step.budget.high_s for step in procedure.steps),
            transformed=procedure.transformed,
            alternatives=procedure.alternatives,
            step_numbers=tuple(step.number for step in procedure.steps),
            prerequisites=len(procedure.prerequisites),
            promises=promises,
        )
    )
    for one in drill.companions:
        one.before_procedure(procedure)

    def before(part: Part) -> None:
        for one in drill.companions:
            one.before_part(part)

    def after(part: Part) -> None:
        for one in drill.companions:
            one.after_part(part)

    verdict = rig.performer.perform(procedure, before_part=before, after_part=after)
    held = verdict not in (Verdict.FAILED, Verdict.UNCOVERED)
    for one in drill.companions:
        one.after_procedure(procedure, held=held)
    return held
