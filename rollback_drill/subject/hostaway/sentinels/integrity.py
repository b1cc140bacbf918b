"""Reads recent acknowledged writes back from the database, while clients go on writing."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path

from rollback_drill.data.ledger import losses, rows_of
from rollback_drill.data.writes import Write, written_lines
from rollback_drill.ground.verdict import Verdict
from rollback_drill.stage.model import Stage
from rollback_drill.subject.hostaway.recipe import TABLE
from rollback_drill.traffic.appended import Appended
from rollback_drill.traffic.observation import Observation
from rollback_drill.traffic.recordings import OBSERVATIONS, WRITES
from rollback_drill.watch.sentinel import Look, sentinel

_MOST = 300  # reservations a look


@sentinel
class Integrity:
    """Fails when an acknowledged new reservation is gone or is not what its client sent.

    Only reservations that nobody tried to change since count here: their content is not in doubt.
    The ledger judges all of them when traffic has ended.
    """

    name = "integrity"
    needs = ("known", "database")
    every_s = 0.5

    def __init__(self, stage: Stage, traffic: Path) -> None:
        self._stage = stage
        self._writes = Appended(traffic, WRITES)
        self._observations = Appended(traffic, OBSERVATIONS)
        self._announced: dict[str, Write] = {}
        self._touched: Counter[str] = Counter()
        self._acknowledged: deque[Write] = deque(maxlen=_MOST)

    def look(self) -> Look:
        """Read the newest acknowledged reservations back."""
        # Observations first: every one of them was announced before it was sent.
        lines = list(self._observations.lines())
        self._read_announced()
        for line in lines:
            if not line.endswith(","):  # else it is not a write
                self._acknowledge(Observation.from_line(line))
        chosen = [write for write in self._acknowledged if self._alone(write)]
        if not chosen:
            return Look(Verdict.UNKNOWN, "no write was acknowledged yet")
        found = rows_of(self._stage.database, TABLE, [write.subject for write in chosen])
        # A change that was done before the rows were read has been announced by now.
        self._read_announced()
        damaged = [
            str(loss)
            for write in chosen
            if self._alone(write)
            for loss in losses(TABLE, [write], found.get(write.subject))
        ]
        if damaged:
            return Look(
                Verdict.FAILED,
                f"{len(damaged)} of the last {len(chosen)} acknowledged reservations are damaged "
                f"or gone: {damaged[0]}",
            )
        return Look(Verdict.PASSED, f"the last {len(chosen)} acknowledged reservations are intact")

    def _read_announced(self) -> None:
        for write in written_lines(self._writes.lines()):
            self._touched[write.subject] += 1
            if write.kind == "create":
                self._announced[write.reference] = write

    def _acknowledge(self, seen: Observation) -> None:
        if seen.reference in self._announced:
            write = self._announced.pop(seen.reference)
            if 200 <= seen.status < 300:
                self._acknowledged.append(write)

    def _alone(self, write: Write) -> bool:
        """Whether nobody has tried to change this reservation."""
        return self._touched[write.subject] == 1
