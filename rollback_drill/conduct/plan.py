"""What a drill is: a request, a way to begin, who performs, and a list of phases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rollback_drill.breaks.fault import Fault
from rollback_drill.conduct.phases import Phase
from rollback_drill.conduct.request import Request
from rollback_drill.data.accounting import Accounting
from rollback_drill.judge.history import KeptDrill
from rollback_drill.perform.messages import Channels
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.performer import Performer
from rollback_drill.record.timeline import Timeline
from rollback_drill.runbook.model import Runbook
from rollback_drill.stage.model import Stage
from rollback_drill.traffic.live import Traffic
from rollback_drill.watch.busyness import Machine
from rollback_drill.watch.webhook import Webhook

Note = Callable[[str], None]
MakePerformer = Callable[[Moment], Performer]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that can be met. `rate`: of its traffic, in requests per second; `earlier`: times
    to restore of drills that compare, in seconds; `boxes_before`: what the runbook asked when a
    drill by it was kept last; `last`: the last drill that compares; `kept_stage`: whether the stage
    was up before and stays.
    """

    request: Request
    runbook: Runbook
    stage: Stage
    kept_stage: bool
    fault: Fault
    channels: Channels
    rate: float
    earlier: tuple[float, ...]
    boxes_before: tuple[str, ...] = ()
    last: KeptDrill | None = None

    @property
    def history_key(self) -> str:
        """What a drill must have in common with this one to be compared with it."""
        return history_key(self.request, self.stage, self.rate)


def history_key(request: Request, stage: Stage, rate: float) -> str:
    """Return what drills have in common that are compared with each other."""
    parts = (stage.name, request.fault, request.procedure, request.hazard, f"{rate:g}/s")
    return " · ".join(parts)


class Beginning(Protocol):
    """How a drill comes to its stage and to the begin of its record. `first_command`: the number
    of the first command that it runs.
    """

    first_command: int

    def open(self, request: Request, note: Note) -> Stage:
        """Return the stage, not yet brought up; `note` is told what it has to say."""
        ...

    def carry(self, timeline: Timeline) -> None:
        """Record what stands before everything, before anybody listens."""
        ...

    def announce(self, admitted: Admitted, timeline: Timeline) -> None:
        """Record what is to be done, before anything is touched."""
        ...

    def accounts(self, stage: Stage, timeline: Timeline, traffic: Path) -> Accounting:
        """Return the account of the data; `traffic`: the folder of what clients will record."""
        ...


class Listens(Protocol):
    """Where people report to, as long as it is entered; see `watch.webhook`."""

    url: str
    token: str

    def __enter__(self) -> Listens: ...

    def __exit__(self, *exc: object) -> None: ...


class LooksAtMachine(Protocol):
    """Who tells how busy the drill's own machine is; see `watch.busyness`."""

    def __enter__(self) -> LooksAtMachine: ...

    def __exit__(self, *exc: object) -> None: ...

    def sentence(self) -> str:
        """Return how busy it was lately, "" when nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a drill has of the machine that it is held on: makers of its clients, of the place to
    which people report, and of who looks at the machine.
    """

    traffic: type[Traffic] = Traffic
    webhook: Callable[[Timeline], Listens] = Webhook
    machine: Callable[[Timeline], LooksAtMachine] = Machine


@dataclass(frozen=True, slots=True)
class Plan:
    """A drill as it is to be held. `fault`: to be made instead of the one that was asked for."""

    request: Request
    phases: tuple[Phase, ...]
    beginning: Beginning
    performer: MakePerformer = Performer
    fault: Fault | None = None
    surroundings: Surroundings = Surroundings()
