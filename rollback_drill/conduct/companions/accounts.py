"""Accounts for the data: while clients are out, or else at the end of each procedure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rollback_drill.conduct.companion import Companion
from rollback_drill.data.told import CLOSED, HEALTHY, OUT, PREPARING, READY, STARTED, TAKEN_UP
from rollback_drill.perform.performer import Part
from rollback_drill.runbook.maintenance import ENTER, LEAVE
from rollback_drill.runbook.model import Procedure


class Accounts(Companion):
    """See `data.accounting`."""

    place = 20
    _procedure: Procedure | None = None  # the one whose end was not accounted for yet
    _begun = False  # whether a procedure has begun
    _over = False  # whether clients have gone
    _out = False  # whether they were taken off the failing release

    def up(self) -> None:
        """See Companion.up."""
        self.rig.accounts.look(TAKEN_UP if self.rig.accounts.continues else STARTED)

    def before_clients(self) -> None:
        """See Companion.before_clients. Work of routine was done since."""
        if not self.rig.accounts.continues:
            self.rig.accounts.look(READY)

    def steady(self) -> None:
        """See Companion.steady. What others write shows before anything is broken."""
        if self.rig.accounts.others_write:
            self.rig.accounts.look(HEALTHY)

    def before_checklist(self, title: str) -> None:
        """See Companion.before_checklist."""
        del title
        if not self._begun:
            self.rig.accounts.look(PREPARING)
            self.rig.accounts.note_damage()

    def after_checklist(self) -> None:
        """See Companion.after_checklist."""
        if self._over:
            self.rig.accounts.look(CLOSED)

    def before_procedure(self, procedure: Procedure) -> None:
        """See Companion.before_procedure."""
        self._procedure = procedure
        self._begun = True
        self.rig.accounts.look(f"before Procedure {procedure.number}", procedure)
        self.rig.accounts.note_damage()
        self.rig.accounts.begin(procedure)

    def before_part(self, part: Part) -> None:
        """See Companion.before_part."""
        if self._procedure and LEAVE.search(part.title):
            self.rig.accounts.see(self._procedure, "after")
            self._end()

    def after_part(self, part: Part) -> None:
        """See Companion.after_part."""
        if part.number == 1 and self.rig.fault.damages and not self._out:
            # It went on until clients were out.
            self._out = True
            self.rig.accounts.look(OUT)
            self.rig.accounts.note_damage(again=True)
        if self._procedure and ENTER.search(part.title):
            self.rig.accounts.see(self._procedure, "before")

    def after_procedure(self, procedure: Procedure, *, held: bool) -> None:
        """See Companion.after_procedure."""
        del procedure, held
        if self._procedure:
            self._end()

    def closed(self) -> None:
        """See Companion.closed."""
        self._over = True
        performer = self.rig.performer
        performer.moment = replace(performer.moment, balance=self.rig.accounts.close())

    def promises(self, procedure: Procedure) -> Mapping[str, int]:
        """See Companion.promises."""
        accounts = self.rig.accounts
        again = int(self.rig.fault.damages and not self._out and accounts.keeps_paths)
        promised = accounts.promises(procedure)
        return {**promised, "DamageSeen": promised["DamageSeen"] + again}

    def _end(self) -> None:
        self.rig.accounts.end()
        self._procedure = None
