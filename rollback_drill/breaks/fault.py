"""What breaks the release, attests its symptom, and heals.

To add one, put a module into `breaks/faults` with a class under `@fault`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

from rollback_drill.family import Family
from rollback_drill.stage.model import Stage, check_needs

FAULT_LIMIT_S = 60.0  # a fault that nobody noticed after a minute of traffic is not going to be


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may use: the stage, the healthy p95 (seconds, its upper confidence bound), the
    webhook for incidents and tickets with the `token` that it wants, and the generators' folder,
    where they take orders.
    """

    stage: Stage
    baseline_s: float
    webhook: str
    traffic: Path
    token: str = ""


class Fault(Protocol):
    """One way to break. `name` is kebab case. `symptom` says what an observer must see.

    `trigger`: a pattern for the name of the runbook's trigger that it must set off, "" for none in
    particular. `needs`: the stage's abilities without which it cannot be made. `ours`: whether the
    release is to blame, so that a rollback helps. `damages`: whether it changes or takes away data:
    damage by any other one is a finding. `watch_s`: seconds after which the detector has its last
    word.
    """

    name: str
    symptom: str
    trigger: str
    ours: bool
    damages: bool
    watch_s: float

    @property
    def needs(self) -> tuple[str, ...]:
        """Abilities of a stage; see stage.model."""
        ...

    def inject(self, scene: Scene) -> str:
        """Switch the fault on and return a sentence that says how."""
        ...

    def attest(self, scene: Scene) -> tuple[bool, str]:
        """Look for the symptom, independently of traffic and detector: (seen, evidence)."""
        ...

    def heal(self, scene: Scene) -> None:
        """Switch the fault off. Must work after a rollback, without `inject`, and twice."""
        ...


FAULTS: Family[Callable[[], Fault]] = Family("faults", "a fault")
_Make = TypeVar("_Make", bound=Callable[[], Fault])


def fault(make: _Make) -> _Make:
    """Add what makes a fault to the family, by the name of what it makes."""
    one = make()
    check_needs(one.needs, f"fault {one.name} needs")
    FAULTS.add(one.name, make, make)
    return make


@runtime_checkable
class ProvesHealed(Protocol):
    """A fault whose healing is somebody else's work, and is looked at like its making."""

    def healed(self, scene: Scene) -> tuple[bool, str]:
        """Wait until the symptom is gone: (gone, evidence). Bounded; never raises DrillError."""
        ...


class LatentDefect:
    """A defect of the failing release, switched on by its settings; a base for such faults."""

    trigger = ""
    needs: tuple[str, ...] = ("known", "defects")
    ours = True
    damages = False
    watch_s = FAULT_LIMIT_S

    def heal(self, scene: Scene) -> None:
        """See Fault.heal."""
        scene.stage.defects.set_defects({})


class OutsideCause:
    """A cause that the release has no part in: a rollback must not be done; a base for faults."""

    trigger = ""
    needs: tuple[str, ...] = ("known",)
    ours = False
    damages = False
    watch_s = FAULT_LIMIT_S
