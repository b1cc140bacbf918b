"""Customers in the middle of all pages, and those who keep a cursor."""

from __future__ import annotations

from collections.abc import Mapping

from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.rig import Rig
from rollback_drill.runbook.model import Procedure
from rollback_drill.subject.hostaway.cursors import KeptCursors
from rollback_drill.subject.hostaway.walkers import Walkers


class Walking(Companion):
    """See `subject.hostaway.walkers`."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._walkers = Walkers(rig.stage, rig.timeline, rig.traffic.directory)

    def __enter__(self) -> object:
        return self._walkers.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._walkers.__exit__(*exc)


class Keeping(Companion):
    """See `subject.hostaway.cursors`."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._cursors = KeptCursors(rig.stage.base_url, rig.stage.api_key, rig.timeline)

    def steady(self) -> None:
        """See Companion.steady."""
        if self.rig.stage.known:
            self._cursors.keep()

    def after_procedure(self, procedure: Procedure, *, held: bool) -> None:
        """See Companion.after_procedure."""
        if held:
            self._cursors.show(f"after Procedure {procedure.number}")

    def promises(self, procedure: Procedure) -> Mapping[str, int]:
        """See Companion.promises."""
        del procedure
        return {"CursorShown": self._cursors.count}
