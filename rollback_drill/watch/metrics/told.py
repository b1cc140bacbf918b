"""What the hosts' own metrics tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from rollback_drill.record.decoding import Range
from rollback_drill.record.told import Count, Name, Seconds, Told, UnixTime


@dataclass(frozen=True, slots=True)
class Counted(Told):
    """What a host's own metrics say of clients' requests since its process began, at `started_at`
    (Unix seconds; 0: not told). `requests`: by status; `timed`: how many its histogram holds, which
    took `total_s` together. `flaws`: why its page cannot be right.

    `asked`: what the suite itself had asked of the service by then, by status ("0": no answer), and
    `asked_before` by the time at which the page was asked for;
    `alone`: whether nobody but the drill asks it; `read_at`: the middle of the `within_s` seconds
    that its answer took, in Unix seconds.
    """

    host: Name
    requests: dict[str, Count]
    timed: Count
    total_s: Annotated[float, Range(0.0, 1e15)]
    started_at: UnixTime
    asked: dict[str, Count]
    alone: bool
    flaws: tuple[str, ...] = ()
    read_at: UnixTime = 0.0
    within_s: Seconds = 0.0
    asked_before: dict[str, Count] | None = None


SECRET, PERSON = "a secret of the service", "the name of a client"


@dataclass(frozen=True, slots=True)
class Leaked(Told):
    """`what` is nobody's business stands in the open. `where`: "the metrics of host-1"."""

    where: Name
    what: str = SECRET
