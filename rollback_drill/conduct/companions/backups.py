"""Proves the backup that routine work has just made, as long as nobody writes."""

from __future__ import annotations

from rollback_drill.conduct.companion import Companion
from rollback_drill.ground.errors import StageError
from rollback_drill.ground.finding import unknown
from rollback_drill.perform.backup import newest, prove
from rollback_drill.perform.told import BackupProven

_FOLDER = "SECURE_STORAGE"


class Backups(Companion):
    """See `perform.backup`. Later a failing release may hold every connection, and rows come."""

    def before_clients(self) -> None:
        """See Companion.before_clients."""
        stage, accounts = self.rig.stage, self.rig.accounts
        if not self._routine or not stage.database or accounts.others_write:
            return
        if accounts.continues:
            return  # that was long before it was taken up, and proven then
        try:
            _, path = newest(stage, _FOLDER)
        except (LookupError, KeyError):
            return  # that there is none, a box says
        try:
            found = prove(stage.database, stage.hosts[0], path, stage.environment["DB_USER"])
        except StageError as error:
            found = unknown(str(error))
        name = path.rpartition("/")[2]
        self.rig.timeline.record(BackupProven(name, found.verdict, found.evidence))

    @property
    def _routine(self) -> bool:
        number = self.rig.request.procedure
        asked = None if number == "auto" else self.rig.runbook.procedure(int(number))
        return asked is not None and bool(asked.prerequisite_blocks)
