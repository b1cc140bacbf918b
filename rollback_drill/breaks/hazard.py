"""What goes wrong during a rollback, on purpose. A procedure must get by, or stop and say why.

To add one, put a module into `breaks/hazards` with a class under `@hazard`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from rollback_drill.breaks.told import HazardArmed, HazardOver, WritesUnderFire
from rollback_drill.family import Family
from rollback_drill.ground.errors import DrillError, UsageError
from rollback_drill.ground.names import nearest
from rollback_drill.record.timeline import Timeline
from rollback_drill.runbook.model import Procedure
from rollback_drill.stage.model import Stage, StageOptions, check_needs


class Hazard(Protocol):
    """One mishap. `name` is kebab case. `step`: a pattern for the title of the step before which it
    is made ready, "" for before the procedure begins. `needs`: the stage's abilities without which
    it cannot be made. `mastered`: whether the procedure must get by; else it must stop with a
    reason.
    """

    name: str
    step: str
    mastered: bool

    @property
    def needs(self) -> tuple[str, ...]:
        """Abilities of a stage; see stage.model."""
        ...

    def arm(self, stage: Stage) -> str:
        """Make it ready and return a sentence that says how. Raises UsageError where it cannot."""
        ...

    def disarm(self, stage: Stage) -> str:
        """Take it back once that step is over; return what was seen of it. Works twice."""
        ...


NONE = "none"
HAZARDS: Family[Callable[[], Hazard]] = Family("hazards", "a hazard")
_Make = TypeVar("_Make", bound=Callable[[], Hazard])


def hazard(make: _Make) -> _Make:
    """Add what makes a hazard to the family, by the name of what it makes."""
    one = make()
    check_needs(one.needs, f"hazard {one.name} needs")
    HAZARDS.add(one.name, make, make)
    return make


def hazard_called(name: str) -> Hazard | None:
    """Return a new hazard called `name`, None for "none". Raises UsageError for other names."""
    if name == NONE:
        return None
    return HAZARDS.find(name, "set HAZARD to one of these names", others=(NONE,))()


def check_place(hazard: Hazard, procedures: Sequence[Procedure]) -> None:
    """Raise UsageError when none of `procedures` has the step before which `hazard` is made."""
    titles = [(one, step.title) for one in procedures for step in one.steps]
    if not hazard.step or any(re.search(hazard.step, t, re.IGNORECASE) for _, t in titles):
        return
    near = nearest(hazard.step, (title for _, title in titles))
    told = "; ".join(
        f"Procedure {one.number} has {', '.join(step.title for step in one.steps)}"
        for one in procedures
    )
    raise UsageError(
        f"a step like “{hazard.step}” for HAZARD={hazard.name}",
        f"none: {told}",
        f"{f'did you mean “{near}”? Else ' if near else ''}set PROCEDURE to one that has such a "
        "step, or leave HAZARD out",
    )


@runtime_checkable
class Measuring(Protocol):
    """A hazard that measures something; None before it is over."""

    measured: WritesUnderFire | None


@runtime_checkable
class Harmful(Protocol):
    """A hazard that sees what a procedure must never do, whatever its checkboxes say.

    `harm`: what was seen of that once it is disarmed, "" for nothing.
    """

    harm: str


@runtime_checkable
class Foreseen(Protocol):
    """A hazard that some stages can only have when they are brought up for it."""

    def foresee(self, options: StageOptions) -> StageOptions:
        """Return `options` with what this hazard needs."""
        ...


class Mishap:
    """A hazard in one drill, or none: armed before its step, taken back after it; all recorded."""

    def __init__(self, hazard: Hazard | None, timeline: Timeline) -> None:
        self._hazard = hazard
        self._timeline = timeline
        self._armed = self._over = False

    def before_step(self, stage: Stage, title: str) -> None:
        """Arm the hazard when `title` is that of its step."""
        hazard = self._hazard
        if hazard is None or self._armed:
            return
        if hazard.step and not re.search(hazard.step, title, re.IGNORECASE):
            return
        self._armed = True
        how = hazard.arm(stage)
        self._timeline.record(HazardArmed(hazard.name, how, hazard.mastered))

    def after_step(self, stage: Stage) -> None:
        """Take a hazard back that belongs to one step."""
        if self._hazard and self._hazard.step:
            self.end(stage)

    def take_back(self, stage: Stage, *, tell: bool) -> None:
        """Take back a hazard that a killed drill may have made; `tell` whether it is known to."""
        self._armed, self._over = True, not tell
        self.end(stage)

    def end(self, stage: Stage) -> None:
        """Take the hazard back, if it was armed. Works twice."""
        if self._hazard is None or not self._armed:
            return
        undone = True
        try:
            seen = self._hazard.disarm(stage)
        except DrillError as error:
            undone, seen = False, f"it could not be taken back: {error}"
        harm = self._hazard.harm if isinstance(self._hazard, Harmful) else ""
        if not self._over:
            self._timeline.record(HazardOver(self._hazard.name, seen, harm, undone))
            if isinstance(self._hazard, Measuring) and self._hazard.measured:
                self._timeline.record(self._hazard.measured)
        self._over = True
