"""One module per kind of mishap; see `breaks.hazard`."""

from __future__ import annotations

from collections.abc import Callable

from rollback_drill.breaks.hazard import Hazard
from rollback_drill.family import modules
from rollback_drill.ground.names import no_such

NONE = "none"


def all_hazards() -> dict[str, Callable[[], Hazard]]:
    """Return what makes each hazard, by the hazard's name."""
    makers = [maker for module in modules("hazards") for maker in module.HAZARDS]
    return dict(sorted((maker().name, maker) for maker in makers))


def find_hazard(name: str) -> Hazard | None:
    """Return a new hazard called `name`, None for "none". Raises UsageError for other names."""
    if name == NONE:
        return None
    hazards = all_hazards()
    if name not in hazards:
        raise no_such("a hazard", name, (NONE, *hazards), "set HAZARD to one of these names")
    return hazards[name]()
