"""What clients' answers were held against, and which of them cannot be true."""

from __future__ import annotations

from dataclasses import dataclass

from rollback_drill.record.told import Count, Name, Told, UnixTime


@dataclass(frozen=True, slots=True)
class AnswersCompared(Told):
    """How many answers clients held against each rule in the time that began at `since`, in Unix
    seconds. `owed`: whether there must be some; `alone`: whether nobody else writes; `why`: why
    nothing can be said, "" where something can.
    """

    since: UnixTime
    counts: dict[str, Count]
    owed: bool
    alone: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class AnswersContradict(Told):
    """Answers to an `operation` broke a `rule`: `times` of them, or more, asked from `first_at` to
    `last_at` (Unix seconds). `asked`, `expected` and `seen` are of the first. They are held
    against what was known `since`; `shared`: about rows that others may write.
    """

    rule: Name
    operation: Name
    asked: Name
    expected: str
    seen: str
    times: Count
    since: UnixTime
    first_at: UnixTime
    last_at: UnixTime
    shared: bool
