"""Heals a fault, and records what became of it: a fault counts as healed once that was seen."""

from __future__ import annotations

from drill import events
from drill.errors import DrillError
from drill.fault import Fault, ProvesHealed, Scene
from drill.timeline import Timeline


def heal(fault: Fault, scene: Scene, timeline: Timeline) -> bool:
    """Heal `fault`; return whether its healing went through. Never raises DrillError."""
    try:
        fault.heal(scene)
    except DrillError as error:
        timeline.record(events.HealAttested(fault.name, False, f"it could not be healed: {error}"))
        return False
    timeline.record(events.FaultHealed(fault.name))
    if isinstance(fault, ProvesHealed):
        gone, evidence = fault.healed(scene)
        timeline.record(events.HealAttested(fault.name, gone, evidence))
    return True
