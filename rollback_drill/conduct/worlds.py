"""Worlds in which drills are simulated: a stage with all around it, in virtual time.

To add one, put a module `worlds.py` into a subject's folder with a class under `@world`. No drill
of a user's is held in one: `campaigns.simulation` draws thousands, to state rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rollback_drill.conduct.plan import Plan
from rollback_drill.conduct.request import Request
from rollback_drill.family import Family


@dataclass(frozen=True, slots=True)
class Draw:
    """One drill that was drawn by its `seed`. `plant`: a defect of what the rollback leaves behind,
    `loss`: of the suite's own parts, `hazard`, "" for none each; `slowness`: a factor on all that
    computes in the world; `ahead_s`: how far the hosts' clocks are ahead; `rate` in requests/s.
    """

    seed: int
    fault: str
    procedure: str = "auto"
    hazard: str = ""
    plant: str = ""
    loss: str = ""
    slowness: float = 1.0
    ahead_s: float = 0.0
    rate: float = 100.0
    pace: float = 60.0
    hosts: int = 1

    def __str__(self) -> str:
        parts = [
            self.fault,
            f"procedure {self.procedure}",
            f"{self.rate:g}/s at pace {self.pace:g}",
            f"{self.hosts} hosts",
        ]
        parts += [f"{self.slowness:.2f} times as slow", f"clocks {self.ahead_s:+.1f} s"]
        parts += [one for one in (self.hazard, self.plant, self.loss) if one]
        return ", ".join(parts)


class World(Protocol):
    """What a drill is simulated in."""

    @property
    def bit(self) -> bool:
        """Whether what was planted or lost came into effect, so that the drill could see it."""
        ...

    @property
    def lost_at(self) -> float | None:
        """When (Unix seconds) a part of the suite was missed that was lost, None where none was."""
        ...

    def plan(self, request: Request) -> Plan:
        """Return the plan of a drill in this world; virtual time is kept already."""
        ...


class MakesWorld(Protocol):
    """A kind of world, by its class: what can be drawn in it, each with what it is."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def begin(self) -> float:
        """Unix seconds at which its time begins."""
        ...

    @property
    def faults(self) -> Mapping[str, Sequence[str]]:
        """Faults that can be made in it, with the procedures that cure each, or "auto"."""
        ...

    @property
    def hazards(self) -> Mapping[str, bool]:
        """Hazards that can happen in it, and whether the runbook masters them."""
        ...

    @property
    def plants(self) -> Mapping[str, str]:
        """Defects that can be planted, with what each is."""
        ...

    @property
    def losses(self) -> Mapping[str, str]:
        """Parts of the suite that can be lost, with what each loss is."""
        ...

    @property
    def only_in(self) -> Mapping[str, str]:
        """Hazards and defects that can only happen in one procedure, with that."""
        ...

    def __call__(self, draw: Draw) -> World:
        """Return a new one."""
        ...


WORLDS: Family[MakesWorld] = Family("worlds", "a world")
_Make = TypeVar("_Make", bound=MakesWorld)


def world(make: _Make) -> _Make:
    """Add the decorated class to the family."""
    WORLDS.add(make.name, make, make)
    return make
