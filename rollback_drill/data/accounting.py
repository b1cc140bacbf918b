"""Keeps account of the data while procedures are performed: what there was, and what became of it.

It records and never judges. Where a stage has no database that can be asked, only the end is read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rollback_drill.data import archive
from rollback_drill.data.balance import Balance, balance
from rollback_drill.data.catalogue import Watching
from rollback_drill.data.fingerprint import expected, fingerprint
from rollback_drill.data.ledger import Declared, damaged_by_now, read_back, read_path
from rollback_drill.data.ledger_by_asking import read_back_by_asking
from rollback_drill.data.standing import Standing
from rollback_drill.data.told import ENDED, DamageSeen, DataSeen, PathRead
from rollback_drill.data.writes import announced, read_writes
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Timeline, read
from rollback_drill.record.told import Noted
from rollback_drill.runbook.maintenance import ENTER, LEAVE
from rollback_drill.runbook.model import Procedure
from rollback_drill.stage.model import Stage
from rollback_drill.subject.subject import Rereads, Table


class Accounting:
    """The data of one drill on `stage`; `traffic` are the folders of what its clients recorded.

    Of a drill that continues another one, `damaged` is what that one found to be damaged before
    anything was changed (None: it did not look), with `untouched` what it saw "before" counts, and
    `scopes` say which rows stood when it began, `entries` what the database was made of.
    """

    def __init__(
        self,
        stage: Stage,
        timeline: Timeline,
        *traffic: Path,
        damaged: frozenset[str] | None = None,
        untouched: bool = False,
        scopes: Mapping[str, str] | None = None,
        entries: dict[str, str] | None = None,
    ) -> None:
        self._stage = stage
        self._timeline = timeline
        self._traffic = traffic
        self._damaged = damaged
        self._untouched = untouched
        self._standing = (
            Standing(stage.database, stage.subject.table, scopes, stage.changing)
            if stage.database
            else None
        )
        self._watching = Watching(stage.database, entries)
        self._continues = scopes is not None and entries is not None
        self._performed: list[Procedure] = []
        self._moments: list[tuple[str, float]] = []

    def begin(self, procedure: Procedure) -> None:
        """Note that `procedure` is performed from now on."""
        before = sum(one.number == procedure.number for one in self._performed)
        self._performed.append(procedure)
        name = f"Procedure {procedure.number}" + (f" ({before + 1})" if before else "")
        if not self._moments:
            self._moments.append((f"before {name}", 0.0))
        self._moments.append((f"during {name}", now()))

    def promises(self, procedure: Procedure) -> dict[str, int]:
        """Return how often the data will be looked at while `procedure` is performed."""
        looks = [ENTER, LEAVE] if self._stage.database else []
        seen = [
            any(moment.search(step.title) for step in procedure.steps)
            and not (moment is ENTER and self._untouched)
            for moment in looks
        ]
        return {
            "DataSeen": sum(seen),
            "DamageSeen": int(self.keeps_paths and self._damaged is None),
            "PathRead": int(self.keeps_paths),
        }

    def look(self, moment: str, procedure: Procedure | None = None) -> None:
        """Look at all that stood before there were clients; `procedure`: that begins now."""
        if not self._standing:
            return
        number, transformed = (procedure.number, procedure.transformed) if procedure else (0, {})
        try:
            self._timeline.record(self._standing.look(moment, number, transformed))
            self._timeline.record(self._watching.look(moment, number))
        except StageError as error:
            self._note(f"what stood in the database could not be looked at {moment}: {error}")

    def note_damage(self, *, again: bool = False) -> None:
        """Remember, once, what the failing release has damaged before anything was changed; what
        was noted so far does not count when it is asked `again`.
        """
        if (self._damaged is not None and not again) or not self.keeps_paths:
            return
        try:
            self._damaged = damaged_by_now(self._stage.database, self._table, self._traffic)
            self._timeline.record(DamageSeen(tuple(sorted(self._damaged))))
        except StageError as error:
            self._note(f"the writes could not be read back before the rollback: {error}")

    def see(self, procedure: Procedure, moment: str) -> None:
        """Look at all data "before" or "after" `procedure` changed anything."""
        if not self._stage.database or (moment == "before" and self._untouched):
            return
        self._untouched = False
        database = self._stage.database
        try:
            declared = procedure.transformed if moment == "before" else {}
            wanted = expected(database, declared) if declared else {}
            tables = fingerprint(database)
            self._timeline.record(DataSeen(procedure.number, moment, tables, wanted))
        except StageError as error:
            self._note(f"the data could not be looked at {moment} the procedure: {error}")

    def end(self) -> None:
        """Read back all writes acknowledged so far: what the last procedure made of them."""
        procedure = self._performed[-1]
        during = self._moments[-1][0]
        self._moments.append((during.replace("during", "after", 1), now()))
        if not self.keeps_paths:
            return
        try:
            self._timeline.record(self._path())
        except StageError as error:
            self._note(f"the writes could not be read back after {procedure.title}: {error}")

    def so_far(self) -> Balance:
        """Say what became of all data so far, while clients go on. Raises StageError."""
        self.look("while clients go on")
        return replace(self._balance(), fates=self._path())

    def _balance(self) -> Balance:
        return balance(Book(read(self._timeline.path)))

    def _path(self) -> PathRead:
        number = self._performed[-1].number if self._performed else 0
        return read_path(
            self._stage.database,
            self._table,
            self._traffic,
            number,
            self._damaged or (),
            self._declared(),
        )

    def announced(self) -> list[str]:
        """Return the references of all writes that clients announced. Raises StageError."""
        return list(announced(self._traffic))

    def close(self) -> Balance:
        """Read every write back, now that traffic is over, and look at all other rows. Raises
        StageError.
        """
        subject = self._stage.subject
        self._settle()
        self.look(ENDED)
        if self._standing:
            self._count(self._standing)
        if isinstance(subject, Rereads):
            ledger = read_back_by_asking(self._stage, subject, self._traffic)
        else:
            ledger = read_back(
                self._stage.database,
                self._table,
                self._traffic,
                self._damaged or (),
                self._declared(),
                self._moments,
            )
        self._timeline.record(ledger)
        return self._balance()

    def _settle(self) -> None:
        """Let what clients wrote be looked at as well: nobody is to change it from now on."""
        if self._standing and not self.others_write:
            with contextlib.suppress(StageError):  # whoever counts them says so
                self._standing.settle(read_writes(self._traffic))

    def _count(self, standing: Standing) -> None:
        try:
            counted = standing.count(read_writes(self._traffic), shared=self._stage.stays)
        except StageError as error:
            self._note(f"the rows could not be counted: {error}")
        else:
            if counted:
                self._timeline.record(counted)

    @property
    def continues(self) -> bool:
        """Whether it goes on with what a dead drill has looked at."""
        return self._continues

    @property
    def others_write(self) -> bool:
        """Whether rows that stood may be changed by others, or by clients of whom nobody knows what
        they write.
        """
        return self._stage.stays or self._stage.subject.table is None

    @property
    def keeps_paths(self) -> bool:
        """Whether writes can be read back before traffic is over."""
        return self._stage.subject.table is not None and bool(self._stage.database)

    @property
    def _table(self) -> Table:
        table = self._stage.subject.table
        assert table is not None  # else nobody asks, see `keeps_paths`
        return table

    def _declared(self) -> Declared:
        """Return what the procedures that were performed so far say that they do to data."""
        dropped = {name for one in self._performed for name in one.dropped}
        transformed = {k: v for one in self._performed for k, v in one.transformed.items()}
        kept = archive.values(self._stage, self._table.name) if dropped else {}
        last = max((at for name, at in self._moments if name.startswith("after")), default=0.0)
        return Declared(dropped, kept, transformed, last)

    def _note(self, text: str) -> None:
        self._timeline.record(Noted(text))
