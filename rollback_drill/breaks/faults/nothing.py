"""No fault at all: a healthy release must not be rolled back."""

from __future__ import annotations

from rollback_drill.breaks.fault import OutsideCause, Scene, fault
from rollback_drill.ground.words import each_said
from rollback_drill.watch.probe import front_health, hosts_health

_WATCH_S = 15.0


@fault
class Nothing(OutsideCause):
    """Nothing is broken: what the detector says now would be a false alarm."""

    name = "none"
    symptom = "every host and the front door are healthy"
    watch_s = _WATCH_S

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        del scene
        return "nothing is broken"

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask every host and the front door."""
        seen = {**hosts_health(scene.stage), "front door": front_health(scene.stage)}
        return set(seen.values()) == {200}, f"/health answers: {each_said(seen)}"

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
