"""What is told of a golden set that was asked again."""

from __future__ import annotations

from dataclasses import dataclass, field

from rollback_drill.record.told import Count, Name, Seconds, Told, UnixTime


@dataclass(frozen=True, slots=True)
class GoldenAsked(Told):
    """The questions of a golden set were asked again, once all clients were gone.

    `release` answered them first, at `recorded_at`; `source`: where the set comes from, "" for
    none; `digest` names it. `why`: why answers could not be compared with it, "" where they were;
    `owed`: whether they had to be. `compared` answers were held against the set, `by_rows` against
    the rows of the database. `unasked`: questions for which there was no time, `edges` among them.
    `declared`: what may differ, in words; `unsteady`: questions that were answered in two ways
    when the set was recorded. `places`: answers by who gave them.
    """

    source: str
    why: str
    owed: bool
    release: str = ""
    recorded_at: UnixTime = 0.0
    digest: str = ""
    questions: Count = 0
    compared: Count = 0
    by_rows: Count = 0
    unasked: Count = 0
    edges: Count = 0
    places: dict[str, Count] = field(default_factory=dict)
    operations: dict[str, Count] = field(default_factory=dict)
    declared: tuple[str, ...] = ()
    unsteady: tuple[str, ...] = ()
    took_s: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class GoldenUnlike(Told):
    """Answers of an `operation` were not what they must be by `against`: the golden set, the rows
    of the database, or both. `question`, `host`, `expected` and `seen`: of the first of `times`;
    `place`: where in the answer.
    """

    operation: Name
    question: Name
    host: Name
    against: Name
    place: Name
    expected: str
    seen: str
    times: Count
    hosts: tuple[str, ...] = ()
