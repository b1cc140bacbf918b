"""Delivers what the runbook's steps and checklists have written for people, each in its time."""

from __future__ import annotations

from rollback_drill.conduct.companion import Companion
from rollback_drill.perform.performer import Part


class Messages(Companion):
    """See `perform.messages`."""

    def up(self) -> None:
        """See Companion.up."""
        self.rig.courier.begin(self.rig.stage.hosts[0])

    def after_part(self, part: Part) -> None:
        """See Companion.after_part: a later step may write over it."""
        del part
        self.after_checklist()

    def after_checklist(self) -> None:
        """See Companion.after_checklist."""
        self.rig.courier.deliver(self.rig.stage.hosts[0], self.rig.performer.environment)
