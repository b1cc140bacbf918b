"""The downgrade fails, for good or for a while: retries or the alternative must do."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from rollback_drill.breaks.hazard import hazard
from rollback_drill.data.told import OWN
from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError, WaitTimeout
from rollback_drill.ground.wait import wait_until
from rollback_drill.record.watched import Watched
from rollback_drill.stage.model import Stage

if TYPE_CHECKING:
    import psycopg

_REVERT = r"revert.*migrations?|migrations?.*(revert|downgrade)|downgrade"
_LIMIT_S = 120.0
_DAMAGED = 50  # rows
_ON_REVISION = f"{OWN}before_the_revision_changes"


def _before_the_revision_changes(stage: Stage, statements: str) -> None:
    """Have `statements` of PL/pgSQL run before the downgrade's last one: on its revision.

    The trigger is in no backup: that was taken before.
    """
    stage.database.fetch(
        f"CREATE OR REPLACE FUNCTION {_ON_REVISION}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {statements} END $$"
    )
    stage.database.fetch(
        f"CREATE TRIGGER {_ON_REVISION} BEFORE UPDATE OR DELETE ON alembic_version "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {_ON_REVISION}()"
    )


def _let_the_revision_change(stage: Stage) -> None:
    with contextlib.suppress(StageError):
        stage.database.fetch(f"DROP FUNCTION IF EXISTS {_ON_REVISION}() CASCADE")


@hazard
class DowngradeForbidden:
    """It fails midway: the first table is dropped, the second belongs to somebody else."""

    name = "downgrade-forbidden"
    step = _REVERT
    needs = ("database",)
    mastered = True

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        user = stage.environment["DB_USER"]
        stage.database.fetch(
            f'ALTER TABLE reservations OWNER TO postgres; GRANT ALL ON reservations TO "{user}"'
        )
        return "the table of reservations belongs to another user, so its columns cannot be dropped"

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm. A restored copy belongs to the service's user already."""
        user = stage.environment["DB_USER"]
        with contextlib.suppress(StageError):
            stage.database.fetch(f'ALTER TABLE reservations OWNER TO "{user}"')
        return ""


@hazard
class DowngradeDamagesData(DowngradeForbidden):
    """It fails midway and has already changed rows for good, as one without a transaction does."""

    name = "downgrade-damages-data"

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        cut = stage.database.fetch(
            "UPDATE listings SET name = left(name, 3) WHERE id IN "
            "(SELECT id FROM listings ORDER BY id LIMIT %s) RETURNING id",
            (_DAMAGED,),
        )
        return f"{len(cut)} listings have a cut name, and {super().arm(stage)}"


@hazard
class DowngradeDataFails:
    """Its schema changes succeed, and then a statement on data fails: the one on its revision."""

    name = "downgrade-data-fails"
    step = _REVERT
    needs = ("database",)
    mastered = True

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        _before_the_revision_changes(stage, "RAISE EXCEPTION 'refused by the drill';")
        return "after the schema changes the row with the revision cannot be changed"

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm. A restored copy has no trigger."""
        _let_the_revision_change(stage)
        return ""


@hazard
class DowngradeTimesOut:
    """Its last statement takes longer than a statement of the service's user is given."""

    name = "downgrade-times-out"
    step = _REVERT
    needs = ("database",)
    mastered = True

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        _before_the_revision_changes(stage, "PERFORM pg_sleep(30); RETURN NULL;")
        self._set(stage, "SET statement_timeout = '200ms'")
        return "the statement on its revision waits, and every statement is ended after 200 ms"

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm."""
        _let_the_revision_change(stage)
        with contextlib.suppress(StageError):
            self._set(stage, "RESET statement_timeout")
        return ""

    def _set(self, stage: Stage, what: str) -> None:
        user, name = stage.environment["DB_USER"], stage.environment["DB_NAME"]
        stage.database.fetch(f'ALTER ROLE "{user}" IN DATABASE "{name}" {what}')


class _Locked:
    """Somebody holds a lock that the downgrade waits for, until `_over` is set."""

    name = ""
    step = _REVERT
    needs = ("database",)
    mastered = True

    def __init__(self) -> None:
        self._over = clock.signal()
        self._thread: Watched | None = None
        self._session: psycopg.Connection[Any] | None = None

    def _lock(self, stage: Stage) -> None:
        self._session = stage.database.neighbour()
        self._session.execute("BEGIN")
        self._session.execute("LOCK TABLE reservations IN ACCESS EXCLUSIVE MODE")

    def _release(self) -> None:
        import psycopg

        if self._session is not None:
            with contextlib.suppress(psycopg.Error):
                self._session.close()
            self._session = None

    def _watch(self, work: Any, stage: Stage) -> None:
        self._thread = Watched(f"hazard {self.name}", work, stage, over=self._over).start()

    def disarm(self, stage: Stage) -> str:
        """See Hazard.disarm."""
        del stage
        self._over.set()
        if self._thread is not None:
            self._thread.end(_LIMIT_S)
        self._release()
        return ""

    def _someone_waits(self, stage: Stage) -> bool:
        user = stage.environment["DB_USER"]
        return any(one.blocks for one in stage.database.sessions() if one.user != user)


@hazard
class DowngradeConnectionLost(_Locked):
    """Its connection is cut whenever it has begun, until the alternative is taken."""

    name = "downgrade-connection-lost"

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        self._lock(stage)
        self._watch(self._cut, stage)
        return "the downgrade's connection is cut in its middle, each time it is tried"

    def _cut(self, stage: Stage) -> None:
        fresh = f"{stage.environment['DB_NAME']}_fresh"
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s "
            "AND wait_event_type = 'Lock'"
        )
        while not self._over.wait(0.1):
            with contextlib.suppress(StageError):
                if stage.database.fetch("SELECT 1 FROM pg_database WHERE datname = %s", (fresh,)):
                    break
                stage.database.fetch(query, (stage.environment["DB_USER"],))
        self._release()


@hazard
class PostgresRestarts(_Locked):
    """Postgres is restarted while the downgrade is under way."""

    name = "postgres-restarts"

    def arm(self, stage: Stage) -> str:
        """See Hazard.arm."""
        self._lock(stage)
        self._watch(self._restart, stage)
        return "Postgres is restarted in the middle of the downgrade"

    def _restart(self, stage: Stage) -> None:
        with contextlib.suppress(WaitTimeout, StageError):
            for _ in wait_until("the downgrade to begin", _LIMIT_S):
                if self._over.is_set():
                    return
                if self._someone_waits(stage):
                    stage.stop_database()
                    self._release()
                    stage.start_database()
                    return
