"""A neighbour locks the table that every page reads: no rollback would mend it."""

from __future__ import annotations

import contextlib

from rollback_drill.breaks.fault import Scene, fault
from rollback_drill.breaks.neighbour import Neighbour

_LOCKED_S = 2.5
_FREE_S = 0.05


@fault
class SlowDatabase(Neighbour):
    """A neighbour locks the table of listings, again and again."""

    name = "slow-database"
    symptom = "statements of the service wait for a lock that somebody else holds"

    def inject(self, scene: Scene) -> str:
        """See Fault.inject."""
        self.start(self._lock, scene)
        return f"another application locks the table of listings for {_LOCKED_S:g} s at a time"

    def _lock(self, scene: Scene) -> None:
        import psycopg

        session = scene.stage.database.neighbour()
        self.sessions.append(session)
        while not self.over.is_set():
            with contextlib.suppress(psycopg.Error):
                session.execute("BEGIN")
                session.execute("LOCK TABLE listings IN ACCESS EXCLUSIVE MODE")
                self.over.wait(_LOCKED_S)
                session.execute("COMMIT")
            self.over.wait(_FREE_S)

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Ask Postgres who waits for whom."""
        user = scene.stage.environment["DB_USER"]
        waiting = sum(o.blocks for o in scene.stage.database.sessions() if o.user != user)
        return waiting > 0, f"{waiting} sessions wait for a lock of somebody else"
