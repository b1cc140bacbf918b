"""Looks at what stands around the service, before the runbook is performed and after it."""

from __future__ import annotations

from collections.abc import Mapping

from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.rig import Rig
from rollback_drill.effects.declared import declared
from rollback_drill.effects.looking import look_at_hosts, look_at_server
from rollback_drill.effects.told import AFTER, BEFORE, CLOSED, GONE, NOT_HELD, PREPARATION, UNBROKEN
from rollback_drill.runbook.model import Procedure


class Effects(Companion):
    """See `effects.looking`."""

    place = 90  # after everybody who does something to the stage

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._looked = self._performed = self._closed = False

    def steady(self) -> None:
        """See Companion.steady: when a fault has taken all connections, none is to be had."""
        self._look_at_server(UNBROKEN)

    def before_checklist(self, title: str) -> None:
        """See Companion.before_checklist."""
        del title
        if not self._looked:
            self._look(PREPARATION)

    def before_procedure(self, procedure: Procedure) -> None:
        """See Companion.before_procedure."""
        own = self.rig.stage.environment.get("DB_NAME", "")
        self.rig.timeline.record(declared(procedure, own))
        self._look(BEFORE)

    def after_procedure(self, procedure: Procedure, *, held: bool) -> None:
        """See Companion.after_procedure."""
        del procedure
        self._performed = True
        self._look(AFTER if held else NOT_HELD)

    def closed(self) -> None:
        """See Companion.closed."""
        self._closed = True
        if self._performed:
            self._look(GONE)

    def after_checklist(self) -> None:
        """See Companion.after_checklist."""
        if self._closed and self._performed:
            self._look(CLOSED)

    def promises(self, procedure: Procedure) -> Mapping[str, int]:
        """See Companion.promises."""
        del procedure
        return {"EffectsDeclared": 1}

    def _look(self, moment: str) -> None:
        self._looked = True
        for one in look_at_hosts(self.rig.stage, moment):
            self.rig.timeline.record(one)
        self._look_at_server(moment)

    def _look_at_server(self, moment: str) -> None:
        server = look_at_server(self.rig.stage, moment)
        if server:
            self.rig.timeline.record(server)
