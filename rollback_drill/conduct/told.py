"""What is told of the drill itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, ClassVar

from rollback_drill.record.decoding import Form, Range
from rollback_drill.record.told import Amount, Count, Name, Number, Seconds, Told, UnixTime, Where


def _day(text: str) -> bool:
    return not text or bool(datetime.fromisoformat(text))


SIMULATED = "simulated"
"""Name of a stage that is a model, see `conduct.worlds`."""


@dataclass(frozen=True, slots=True)
class DrillStarted(Told):
    """What was asked for. `procedure` is "auto" or a number.

    `promises`: how many events of which kinds will be recorded, whatever comes of the drill; None
    where an old record does not say. `version`: of this package, "" where an old record does not
    say.
    """

    stage: Name
    stage_reason: str
    hosts: tuple[str, ...]
    failing: Name
    stable: Name
    fault: Name
    procedure: Annotated[str, Form("auto or a number", re.compile(r"auto|\d{1,6}").fullmatch)]
    runbook_path: Where
    runbook_sha256: Name
    runbook_title: str
    pace: Annotated[float, Range(1e-3, 1e6)]
    rate: Annotated[float, Range(1e-3, 1e6)]
    seed: Count
    hazard: Name = "none"
    clients: Count = 0  # of the traffic; 0 where an old record does not say
    promises: dict[str, Count] | None = None
    version: str = ""

    @property
    def kind(self) -> str:
        """What it was, for a heading: nobody may take a model for a stage."""
        return "Simulated drill, in a model" if self.stage == SIMULATED else "Rollback drill"


@dataclass(frozen=True, slots=True)
class StageUp(Told):
    """The stage stands. `where`: by what it is found again should this drill be killed (a folder of
    this machine, a staging environment's file), "" where it cannot be. `owner`: the drill's process
    id and when it was made (Unix seconds), which together name one process for ever.
    """

    where: Where
    owner: tuple[Number, UnixTime] = (0, 0.0)


@dataclass(frozen=True, slots=True)
class Resumed(Told):
    """All before this was recorded by a drill that was killed; what follows continues it.

    `directory`: its report, with its traffic; `died_at`: when it recorded its last event;
    `ended_scripts`: commands that still ran on the hosts and were ended.
    """

    by_clients: ClassVar[bool] = True

    directory: Where
    died_at: UnixTime
    ended_scripts: Count = 0


@dataclass(frozen=True, slots=True)
class Restored(Told):
    """The first good answer that clients got, and kept getting, after the decision."""

    by_clients: ClassVar[bool] = True

    after_s: Seconds


@dataclass(frozen=True, slots=True)
class EarlierDrills(Told):
    """Times to restore of earlier drills that passed and compare with this one, in seconds:
    `count` of them, None where an old record does not say. `last`: the figures of the last one,
    whether or not it passed, which began at `last_began` (ISO; "": there was none).
    """

    key: str
    restored_s: tuple[Seconds, ...]
    count: Count | None = None
    last: dict[str, Amount] = field(default_factory=dict)
    last_began: Annotated[str, Form("a date, or nothing", _day)] = ""
