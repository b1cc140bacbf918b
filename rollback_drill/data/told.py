"""What is told of the data, and how it reads."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Annotated

from rollback_drill.perform.told import AlternativeTaken, ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.decoding import Holds, Range
from rollback_drill.record.told import Count, Name, Number, Seconds, Told

Position = Annotated[int, Range(-(2**63), 2**63)]
"""Where a sequence stands."""
FATES = ("preserved", "transformed", "dropped", "damaged", "lost")
"""Every acknowledged write is one of these."""
STARTED, READY, HEALTHY = "at the start", "before clients came", "before anything was broken"
PREPARING, OUT = "before the preparation", "when clients were off the failing release"
TAKEN_UP = "when it was taken up"
ENDED, CLOSED = "at the end", "after the closing steps"
"""Moments at which rows that stood are looked at, beside the begin of each procedure."""
OWN = "rollback_drill_"
"""Begins the name of whatever a mishap puts into a database, and takes out again."""
NO_WRITES = "no writes were made"
"""What is said where none was acknowledged: that none of them was lost would say too much."""
_HEADING = re.compile(r"^alternative:\s*|\s*\(if [^)]*\)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of every acknowledged write: preserved + transformed + dropped + damaged + lost =
    acknowledged. See `data.ledger` for what each means.

    `examples` names at most ten lost references; `why`: counts the lost ones by reason.
    `recovery_point_s`: how long before the reading the first of the lost was acknowledged, 0 when
    none is lost; `survivor_age_s`: the same for the newest that survived, None when none did.
    """

    acknowledged: Count
    preserved: Count
    lost: Count
    indeterminate: Count
    examples: tuple[str, ...] = ()
    damaged: Count = 0
    transformed: Count = 0
    dropped: Count = 0
    why: dict[str, Count] = field(default_factory=dict)
    recovery_point_s: Seconds = 0.0
    survivor_age_s: Seconds | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LedgerRead(Fates, Told):
    """The fate of every acknowledged write when all was over.

    `periods`: counts by fate of the writes acknowledged before, during and after each procedure.
    """

    periods: dict[str, dict[str, Count]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PathRead(Fates, Told):
    """The fate of every write acknowledged so far, at the end of a procedure that was performed."""

    procedure: Number = 0


@dataclass(frozen=True, slots=True)
class DamageSeen(Told):
    """Acknowledged writes that were gone or changed before the rollback touched anything."""

    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DataSeen(Told):
    """All data while no client could write. `moment`: "before" or "after" a procedure changed
    anything. `tables`: by table its "rows" (count) and, by column, a hash of all its values.
    `expected`: the hashes that columns will have once they are transformed as the runbook says.
    """

    procedure: Number
    moment: Name
    tables: dict[str, Annotated[dict[str, str], Holds("rows")]]
    expected: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowsSeen(Told):
    """The rows that stood before there were clients, of all schemas, looked at again at a `moment`
    ("at the start", "before Procedure 2", …); `procedure`: the one that begins then, 0 for none.

    `tables` and `expected` are those of DataSeen; `scopes`: the SQL conditions of tables of which
    only some rows are looked at, since clients write others or there are too many; `unread`: why
    others were not looked at; `changing`: columns and tables whose values, by the word of who
    describes the stage, the service changes by itself.
    """

    moment: Name
    tables: dict[str, Annotated[dict[str, str], Holds("rows")]]
    procedure: Number = 0
    scopes: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    expected: dict[str, dict[str, str]] = field(default_factory=dict)
    changing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CatalogueSeen(Told):
    """What the database is made of at a `moment`, as RowsSeen has it: what is `gone`, `changed` (it
    is that now) or `new` since all `entries`, definitions by name, were told last, with what they
    `belong` to: first, and again where something was added before there were clients. `positions`
    of sequences; `behind`: the value in a sequence's column that it has not come to.
    """

    moment: Name
    procedure: Number = 0
    entries: dict[str, str] = field(default_factory=dict)
    belongs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    changed: dict[str, str] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    behind: dict[str, Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReleaseSeen(Told):
    """What a fresh database of a `release` is made of; `stable`: of the one rolled back to."""

    release: Name
    stable: bool
    entries: dict[str, str]


@dataclass(frozen=True, slots=True)
class RowsCounted(Told):
    """Whose the rows of `table` are when all clients have gone: of `stood` before them, of
    `clients`, of the suite's `own` checks, or of `strangers`; `refused`: whose making a client was
    told to be refused; `twice`: with a reference that another one has. `examples` names some of
    the last three. `shared`: whether others than the drill may write here.
    """

    table: Name
    stood: Count
    clients: Count
    own: Count
    strangers: Count
    refused: Count
    twice: Count
    examples: tuple[str, ...] = ()
    shared: bool = False


@dataclass(frozen=True, slots=True)
class TakenPath:
    """A procedure as it was performed. `name`: "Procedure 2, by “restore from the backup”" where
    it had a choice. `read`: the fate of every write, None when nobody read it. `reason`: why an
    alternative was taken, "" where none was.
    """

    procedure: int
    name: str
    read: PathRead | None
    reason: str = ""

    def to_json(self) -> dict[str, object]:
        """Return what verdict.json says of it."""
        counts = asdict(self.read) if self.read else {}
        own = {"procedure": self.procedure, "path": self.name, "reason": self.reason}
        return {**counts, **own}


def taken_paths(book: Book) -> tuple[TakenPath, ...]:
    """Return the paths of a drill in the order in which they were gone."""
    found: list[TakenPath] = []
    chosen: ProcedureChosen | None = None
    instead = reason = ""

    def note(read: PathRead | None) -> None:
        if chosen:
            ways = [instead] if instead else list(chosen.alternatives)
            by = f", by “{ways[0]}”" if ways else ""
            name = f"Procedure {chosen.procedure}{by}"
            found.append(TakenPath(chosen.procedure, name, read, reason))

    for event in book.events:
        match event.what:
            case ProcedureChosen() as following:
                note(None)
                chosen, instead, reason = following, "", ""
            case AlternativeTaken(alternative=heading, reason=reason):
                instead = _HEADING.sub("", heading)
            case PathRead() as read:
                note(read)
                chosen = None
    note(None)
    return tuple(found)


def recovery(fates: Fates, when: str) -> str:
    """Say up to which moment before `when` acknowledged writes survived."""
    if not fates.acknowledged:
        return f"{NO_WRITES}: nothing is known of a recovery point"
    newest = (
        f"the newest that survived was acknowledged {fates.survivor_age_s:.1f} s before {when}"
        if fates.survivor_age_s is not None
        else "none survived, as far as is known"
    )
    if not fates.lost:
        return f"no write lost: recovery point 0 s; {newest}"
    return (
        f"{fates.lost} of the writes acknowledged in the last {fates.recovery_point_s:.1f} s "
        f"before {when} are lost: recovery point {fates.recovery_point_s:.1f} s; {newest}"
    )


def counts(fates: Fates) -> str:
    """Return the counts by fate in words; what did not happen, but for a loss, is left out."""
    words = {"dropped": "knowingly dropped"}
    told = [
        f"{number} {words.get(name, name)}"
        for name in FATES
        if (number := getattr(fates, name)) or name in ("preserved", "lost")
    ]
    return ", ".join(told)


def data_loss(ledger: Fates) -> str:
    """Return what became of acknowledged writes, in words for customers."""
    if not ledger.acknowledged:
        return NO_WRITES
    told = []
    if ledger.lost:
        told.append(f"{ledger.lost} of {ledger.acknowledged} confirmed changes")
    if ledger.damaged:
        told.append(f"{ledger.damaged} confirmed changes were damaged before the rollback")
    text = "; ".join(told) or "none"
    if ledger.dropped:
        text += (
            f" ({ledger.dropped} confirmed changes hold what only the withdrawn release knows: "
            "it is kept in an archive)"
        )
    return text
