"""What goes wrong during a rollback, on purpose. A procedure must get by, or stop and say why.

To add one, put a module into `drill/hazards` with a class in HAZARDS.
"""

from __future__ import annotations

from typing import Protocol

from drill.stage import Stage


class Hazard(Protocol):
    """One mishap. `name` is kebab case. `step`: a pattern for the title of the step before which it
    is made ready, "" for before the procedure begins. `mastered`: whether the procedure must get
    by; else it must stop with a reason.
    """

    name: str
    step: str
    mastered: bool

    def arm(self, stage: Stage) -> str:
        """Make it ready and return a sentence that says how. Raises UsageError where it cannot."""
        ...

    def disarm(self, stage: Stage) -> str:
        """Take it back once that step is over; return what was seen of it. Works twice."""
        ...
