"""Accounts for the data: while clients are out, or else at the end of each procedure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rollback_drill.conduct.companion import Companion
from rollback_drill.perform.performer import Part
from rollback_drill.runbook.maintenance import ENTER, LEAVE
from rollback_drill.runbook.model import Procedure


class Accounts(Companion):
    """See `data.accounting`."""

    place = 20
    _procedure: Procedure | None = None  # the one whose end was not accounted for yet

    def before_procedure(self, procedure: Procedure) -> None:
        """See Companion.before_procedure."""
        self._procedure = procedure
        self.rig.accounts.begin(procedure)

    def before_part(self, part: Part) -> None:
        """See Companion.before_part."""
        if self._procedure and LEAVE.search(part.title):
            self.rig.accounts.see(self._procedure, "after")
            self._end()

    def after_part(self, part: Part) -> None:
        """See Companion.after_part."""
        if part.number == 1:
            self.rig.accounts.note_damage()
        if self._procedure and ENTER.search(part.title):
            self.rig.accounts.see(self._procedure, "before")

    def after_procedure(self, procedure: Procedure, *, held: bool) -> None:
        """See Companion.after_procedure."""
        del procedure, held
        if self._procedure:
            self._end()

    def closed(self) -> None:
        """See Companion.closed."""
        performer = self.rig.performer
        performer.moment = replace(performer.moment, ledger=self.rig.accounts.close())

    def promises(self, procedure: Procedure) -> Mapping[str, int]:
        """See Companion.promises."""
        return self.rig.accounts.promises(procedure)

    def _end(self) -> None:
        self.rig.accounts.end()
        self._procedure = None
