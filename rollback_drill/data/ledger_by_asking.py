"""The ledger of a service without a database to ask: every write is read again through its API."""

from __future__ import annotations

from rollback_drill.data.ledger import Loss, count_fates
from rollback_drill.data.told import LedgerRead
from rollback_drill.data.writes import Fate, Folders, read_writes
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import StageError
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.subject.subject import Place, Rereads

_EXAMPLES = 10
_GONE = (404, 410)


def read_back_by_asking(place: Place, subject: Rereads, directory: Folders) -> LedgerRead:
    """Ask for every acknowledged write in `directory` again. See `data.ledger.read_back`.

    An answer without the write's reference, or that it is gone, is a loss. Raises StageError when
    the service does not answer.
    """
    everything = read_writes(directory)
    gone: dict[str, Loss] = {}
    for write in (write for writes in everything.values() for write in writes):
        if write.fate is not Fate.ACKNOWLEDGED or write.kind not in subject.writes:
            continue
        try:
            there, status = subject.read_again(place, write.kind, write.reference)
        except NoAnswer as error:
            raise _silent(str(error)) from error
        if there:
            continue
        if not 200 <= status < 300 and status not in _GONE:
            raise _silent(str(status))
        gone[write.reference] = Loss(write, "it", f"answered {status}", why="gone")
    examples = [f"{one.write.kind} {key}: {one.found}" for key, one in gone.items()]
    counted = count_fates(everything, gone, now())
    return LedgerRead(**counted | {"examples": tuple(examples[:_EXAMPLES])})


def _silent(found: str) -> StageError:
    return StageError("every write to be read again", found, "see the service's log")
