"""The lists of phases that drills are made of."""

from __future__ import annotations

from rollback_drill.conduct.beginning import Anew
from rollback_drill.conduct.phases import (
    Phase,
    authorize,
    be_steady,
    break_it,
    choose_procedure,
    do_routine_work,
    gather_facts,
    go_round,
    let_clients_in,
    look_at_outcome,
    make_ready,
    press_on,
    roll_back,
    supply_files,
    verify_service,
)
from rollback_drill.conduct.plan import Plan
from rollback_drill.conduct.request import Request
from rollback_drill.perform.operator import OperatorPerformer
from rollback_drill.perform.performer import LiteralPerformer, Performer
from rollback_drill.stage.model import Stage

DECIDE: tuple[Phase, ...] = (let_clients_in, be_steady, break_it)
_BEFORE: tuple[Phase, ...] = (choose_procedure, authorize, gather_facts, make_ready)
DRILL: tuple[Phase, ...] = (do_routine_work, *DECIDE, *_BEFORE, roll_back, verify_service)
LITERAL: tuple[Phase, ...] = (
    do_routine_work,
    supply_files,
    *DECIDE,
    *_BEFORE,
    press_on,
    look_at_outcome,
    verify_service,
)
"""Press on after steps that fail, and look at what they leave behind."""


def plan_for(request: Request) -> Plan:
    """Return the drill that was asked for."""
    performer = OperatorPerformer if request.mode == "operator" else Performer
    return Plan(request, DRILL + _round(request), Anew(), performer)


def deciding_plan(request: Request) -> Plan:
    """Return the drill that ends with the decision: nothing is rolled back."""
    return Plan(request, DECIDE, Anew())


def literal_plan(request: Request, stage: Stage) -> Plan:
    """Return the drill that brings `stage` up and performs a document as it stands."""
    return Plan(request, LITERAL + _round(request), Anew(stage), LiteralPerformer)


def _round(request: Request) -> tuple[Phase, ...]:
    return (go_round,) if request.round_trip else ()
