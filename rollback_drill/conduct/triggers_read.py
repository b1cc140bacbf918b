"""How the triggers of a runbook are held in one drill: what is watched, and what is not and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from rollback_drill.breaks.fault import FAULTS, Fault
from rollback_drill.breaks.hazard import HAZARDS
from rollback_drill.decide.statistics import P95
from rollback_drill.decide.told import TriggersRead
from rollback_drill.decide.trigger import (
    Condition,
    OfClients,
    OfSentinel,
    Unwatched,
    Waiting,
    conditions,
    sentinels_read,
)
from rollback_drill.ground.names import nearest
from rollback_drill.ground.pace import paced_text, stretched
from rollback_drill.perform.check import CHECKS
from rollback_drill.runbook.model import Runbook
from rollback_drill.stage.model import ABILITIES
from rollback_drill.traffic.live import TIMEOUT_S
from rollback_drill.watch.sentinel import SENTINELS


def read_triggers(
    runbook: Runbook,
    *,
    pace: float = 1.0,
    lacks: Collection[str] = (),
    fault: Fault | None = None,
    patience_s: float = TIMEOUT_S,
) -> TriggersRead:
    """Return how the triggers of `runbook` are held on a stage that lacks these abilities.

    `patience_s`: after which clients give up, so that no request can be seen to take longer.
    """
    watched, missed = conditions(runbook)
    unseen = {_where(one): why for one in watched if (why := _not_here(one, lacks, patience_s))}
    return TriggersRead(
        watched=tuple(one.name for one in watched if _where(one) not in unseen),
        uncovered={one.where: one.why for one in missed},
        unseen=unseen,
        stretched=tuple(_stretched(watched, pace)),
        fault=_of_fault(runbook, fault, missed) if fault else "",
        p95_from_s={
            row.condition: row.p95.low
            for row in runbook.matrix
            if row.p95.low and row.quantile == P95
        },
    )


def check_joins() -> None:
    """Read every family that a drill uses: raise UsageError when two files define one member, and
    when one needs or reads what does not exist.
    """
    for family in (FAULTS, HAZARDS, CHECKS):
        family.members()
    advice = "correct its `sentinel` in rollback_drill/decide/triggers"
    for name in sorted(sentinels_read()):
        SENTINELS.find(name, advice, by="a trigger that reads")


def _where(condition: Condition) -> str:
    return Unwatched(condition.name, condition.line, "").where


def _not_here(one: Condition, lacks: Collection[str], patience_s: float) -> str:
    if isinstance(one.watch, OfSentinel):
        for need in SENTINELS.members()[one.watch.sentinel].needs:
            if need in lacks:
                return f"this stage has not {ABILITIES[need]}"
    if isinstance(one.watch, OfClients):
        longest = max(one.watch.limits_s)
        if longest > patience_s:
            return f"clients give up after {patience_s:g} s, before {longest:g} s are over"
    return ""


def _stretched(watched: list[Condition], pace: float) -> Iterator[str]:
    for one in watched:
        if not isinstance(one.watch, Waiting) or one.watch.limit_s == one.watch.default_s:
            continue
        if stretched(one.watch.limit_s, pace):
            yield f"{_where(one)} has to last {paced_text(one.watch.limit_s, pace)}"


def _of_fault(runbook: Runbook, fault: Fault, missed: list[Unwatched]) -> str:
    if not fault.ours or not fault.trigger:
        return ""
    for trigger in runbook.triggers:
        if re.search(fault.trigger, trigger.name, re.IGNORECASE):
            for one in missed:
                if (one.name, one.line) == (trigger.name, trigger.line):
                    return f"fault {fault.name} is there for {one.where}, and {one.why}"
            return ""
    names = [one.name for one in runbook.triggers]
    near = nearest(fault.trigger, names)
    meant = f", did you mean “{near}”?" if near else ""
    return (
        f"fault {fault.name} is there for a trigger like “{fault.trigger}”, and this runbook has "
        f"none: {', '.join(f'“{name}”' for name in names)}{meant}; whatever fires is taken"
    )
