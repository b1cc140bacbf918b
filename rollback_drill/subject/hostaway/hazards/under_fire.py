"""The downgrade under fire: writers, a long reader and a hostile lock holder go on meanwhile."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from rollback_drill.breaks.hazard import hazard
from rollback_drill.breaks.told import WritesUnderFire
from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError
from rollback_drill.record.watched import Watched
from rollback_drill.stage.model import Stage

_WRITERS = 4
_RATE = 40.0  # writes/s in all, each due on an absolute schedule
_TRIES = 2
_READ_S = 5.0
_LOOK_S = 0.1
_WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'cursor_audit'::regclass"
_EXAMPLES = 10
_GRACE_S = 30.0
_MARK = "under-fire-"
_INSERT = (
    "INSERT INTO reservations "
    "(reference, listing_id, guest_name, check_in, check_out, total_cents) "
    "VALUES (%s, (SELECT min(id) FROM listings), 'Under Fire', '2031-01-01', '2031-01-02', 100)"
)


@hazard
class UnderFire:
    """Measures the worst time that a write was kept waiting, and that none of them is lost."""

    name = "under-fire"
    step = r"revert.*migrations?|migrations?.*(revert|downgrade)|downgrade"
    needs = ("database",)
    mastered = True

    def __init__(self) -> None:
        self._over = clock.signal()
        self._threads: list[Watched] = []
        self._lock = threading.Lock()
        self._written: set[str] = set()
        self._refused = 0
        self._worst_s = 0.0
        self._told = ""
        self.measured: WritesUnderFire | None = None

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        began = clock.monotonic()
        for number in range(_WRITERS):
            self._start(self._write, stage, began, number)
        self._start(self._hold, stage, "SELECT count(*) FROM reservations", _READ_S)
        # A table that clients do not write to, so that what they wait for is the downgrade alone.
        self._start(self._lock_out, stage)
        return (
            f"{_RATE:g} writes a second go on, one session reads for {_READ_S:g} s, another locks "
            "a table of the new release until it is waited for a second time"
        )

    def _start(self, work: Any, *arguments: object) -> None:
        thread = Watched("writer under fire", work, *arguments, over=self._over)
        self._threads.append(thread.start())

    def _hold(self, stage: Stage, statement: str, seconds: float) -> None:
        import psycopg

        with contextlib.suppress(psycopg.Error), stage.database.neighbour() as session:
            session.execute("BEGIN")
            session.execute(statement.encode())
            self._over.wait(seconds)
            session.execute("ROLLBACK")

    def _lock_out(self, stage: Stage) -> None:
        """Hold a lock until the downgrade, having waited for it in vain, waits for it again."""
        import psycopg

        with contextlib.suppress(psycopg.Error, StageError), stage.database.neighbour() as session:
            session.execute("BEGIN")
            session.execute("LOCK TABLE cursor_audit IN ACCESS EXCLUSIVE MODE")
            waited, times = False, 0
            while times < _TRIES and not self._over.wait(_LOOK_S):
                waits = bool(stage.database.fetch(_WAITING))
                times += waits and not waited
                waited = waits
            session.execute("ROLLBACK")

    def _write(self, stage: Stage, began: float, number: int) -> None:
        import psycopg

        turn = number
        with stage.database.neighbour() as session:
            while True:
                due = began + turn / _RATE
                if self._over.wait(max(0.0, due - clock.monotonic())):
                    return
                reference = f"{_MARK}{turn}"
                try:
                    session.execute(_INSERT, (reference,))
                    written = True
                except psycopg.Error:
                    written = False
                with self._lock:
                    self._worst_s = max(self._worst_s, clock.monotonic() - due)
                    self._refused += not written
                    if written:
                        self._written.add(reference)
                turn += _WRITERS

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm. Its own writes are read back, and removed."""
        self._over.set()
        for thread in self._threads:
            thread.end(_GRACE_S)
        under_fire = bool(self._threads)
        self._threads.clear()
        try:
            # Also without `arm`: a drill that was killed leaves its own behind.
            found = stage.database.fetch(
                "DELETE FROM reservations WHERE reference LIKE %s RETURNING reference",
                (f"{_MARK}%",),
            )
        except StageError as error:
            self._told = f"the writes under fire could not be read back: {error.found}"
            self._measure(None)
            return self._told
        if not under_fire:
            return self._told
        lost = sorted(self._written - {reference for (reference,) in found})
        self._measure(lost)
        if not self._written:
            self._told = f"no writes were made during the downgrade, {self._refused} were refused"
            return self._told
        self._told = (
            f"{len(self._written)} writes went on during the downgrade, {len(lost)} of them are "
            f"lost, {self._refused} were refused; the longest waited {self._worst_s:.2f} s"
        )
        return self._told

    def _measure(self, lost: list[str] | None) -> None:
        self.measured = WritesUnderFire(
            written=len(self._written),
            lost=None if lost is None else len(lost),
            refused=self._refused,
            worst_stall_s=round(self._worst_s, 3),
            examples=tuple(lost or ())[:_EXAMPLES],
        )
