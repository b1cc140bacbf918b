"""Customers who send again what was acknowledged, as one does whose connection broke."""

from __future__ import annotations

import re
from pathlib import Path

from rollback_drill.conduct.companion import Companion
from rollback_drill.conduct.rig import Rig
from rollback_drill.data.ledger import rows_of
from rollback_drill.data.writes import Fate, Write, read_writes
from rollback_drill.ground.errors import StageError
from rollback_drill.record.told import Noted
from rollback_drill.runbook.model import Procedure
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.model import lacks_of
from rollback_drill.subject.hostaway.recipe import TABLE
from rollback_drill.subject.hostaway.told import SentAgain

_NEEDS = ("known", "database")
_MOST, _NEWEST = 2, 100  # that are sent, of so many
_TIMEOUT_S = 5.0
_READS_LOG = re.compile(r"\bdatabase logs?\b", re.IGNORECASE)


class Repeating(Companion):
    """The service promises that a reference may be used once (409 the second time). Postgres logs
    each refusal as an error: nothing is sent where a box still looks at its log.
    """

    place = 90  # after all that counts rows

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self._held = False

    def after_procedure(self, procedure: Procedure, *, held: bool) -> None:
        """See Companion.after_procedure."""
        del procedure
        self._held = held

    def closed(self) -> None:
        """See Companion.closed."""
        stage, runbook = self.rig.stage, self.rig.runbook
        boxes = (box.text for step in runbook.post_rollback for box in step.checkboxes)
        if not self._held or stage.stays or lacks_of(stage, _NEEDS):
            return  # what a service makes of it would stay there
        if any(_READS_LOG.search(text) for text in boxes):
            why = "a box after the rollback looks at the database's log, where it would stand"
            self.rig.timeline.record(Noted(f"nothing was sent twice: {why}"))
            return
        try:
            for write in self._there(_acknowledged(self.rig.traffic.directory))[-_MOST:]:
                self.rig.timeline.record(self._again(write))
        except StageError as error:
            self.rig.timeline.record(Noted(f"nothing more was sent twice: {error}"))

    def _there(self, writes: list[Write]) -> list[Write]:
        """Return those that a restored backup, or whatever else, did not take away."""
        references = [write.reference for write in writes]
        there = rows_of(self.rig.stage.database, TABLE, references)
        return [write for write in writes if write.reference in there]

    def _again(self, write: Write) -> SentAgain:
        stage, before = self.rig.stage, self._rows()
        with http.Client(stage.base_url, keyed(stage), limit_s=_TIMEOUT_S) as client:
            fields = {"reference": write.reference, **write.values()}
            try:
                status = client.request("POST", "/api/reservations", json=fields).status
            except NoAnswer:
                status = 0
        return SentAgain(write.reference, status, self._rows() - before)

    def _rows(self) -> int:
        ((count, _),) = self.rig.stage.database.fetch(
            f"SELECT count(*), max(id) FROM {TABLE.name}"  # noqa: S608 - known
        )
        return int(count)


def _acknowledged(traffic: Path) -> list[Write]:
    """Return the newest reservations that were acknowledged, as any release knows them."""
    found = [
        write
        for writes in read_writes(traffic).values()
        for write in writes
        if write.creates and write.fate is Fate.ACKNOWLEDGED and "channel" not in write.values()
    ]
    return sorted(found, key=lambda one: one.sent)[-_NEWEST:]
