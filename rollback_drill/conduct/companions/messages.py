"""Delivers what the runbook's checklists have written for people."""

from __future__ import annotations

from rollback_drill.conduct.companion import Companion


class Messages(Companion):
    """See `perform.messages`."""

    def up(self) -> None:
        """See Companion.up."""
        self.rig.courier.begin(self.rig.stage.hosts[0])

    def after_checklist(self) -> None:
        """See Companion.after_checklist."""
        self.rig.courier.deliver(self.rig.stage.hosts[0], self.rig.performer.environment)
