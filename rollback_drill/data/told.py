"""What is told of the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from rollback_drill.record.decoding import Holds
from rollback_drill.record.told import Count, Name, Number, Seconds, Told


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
