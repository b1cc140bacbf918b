"""Heals a fault, and records what became of it: a fault counts as healed once that was seen."""

from __future__ import annotations

from rollback_drill.breaks.fault import Fault, ProvesHealed, Scene
from rollback_drill.breaks.told import FaultHealed, HealAttested
from rollback_drill.ground.errors import DrillError
from rollback_drill.record.timeline import Timeline


def heal(fault: Fault, scene: Scene, timeline: Timeline) -> bool:
    """Heal `fault`; return whether its healing went through. Never raises DrillError."""
    try:
        fault.heal(scene)
    except DrillError as error:
        timeline.record(HealAttested(fault.name, False, f"it could not be healed: {error}"))
        return False
    timeline.record(FaultHealed(fault.name))
    return True


def attest_healed(fault: Fault, scene: Scene, timeline: Timeline) -> None:
    """Record whether a healed `fault` is gone, if it can tell. It may write to the service."""
    if isinstance(fault, ProvesHealed):
        gone, evidence = fault.healed(scene)
        timeline.record(HealAttested(fault.name, gone, evidence))
