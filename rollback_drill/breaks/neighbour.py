"""Another application that uses the same database; a base for faults that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollback_drill.breaks.fault import OutsideCause, Scene
from rollback_drill.ground import clock
from rollback_drill.record.watched import Watched

if TYPE_CHECKING:
    import psycopg

_GRAB_S = 15.0


class Neighbour(OutsideCause):
    """Somebody else who uses the same database, in `sessions` that healing closes."""

    def __init__(self) -> None:
        self.sessions: list[psycopg.Connection[Any]] = []
        self.over = clock.signal()
        self._thread: Watched | None = None

    def start(self, work: Any, scene: Scene) -> None:
        """Do `work` in a thread of its own, until `over`."""
        self._thread = Watched("neighbour", work, scene, over=self.over).start()

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
        del scene
        self.over.set()
        if self._thread:
            self._thread.end(_GRAB_S)
        for session in self.sessions:
            session.close()
        self.sessions.clear()
