"""Lets the hazard that was asked for happen at its step."""

from __future__ import annotations

from rollback_drill.breaks.hazard import Mishap, hazard_called
from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.rig import Rig
from rollback_drill.perform.performer import Part


class Misfortune(Companion):
    """See `breaks.hazard`."""

    place = 10  # before anybody looks at what it does

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._mishap = Mishap(hazard_called(rig.request.hazard), rig.timeline)

    def before_part(self, part: Part) -> None:
        """See Companion.before_part."""
        self._mishap.before_step(self.rig.stage, part.title)

    def after_part(self, part: Part) -> None:
        """See Companion.after_part."""
        del part
        self._mishap.after_step(self.rig.stage)

    def take_back(self) -> None:
        """See Companion.take_back."""
        self._mishap.end(self.rig.stage)
