"""One module per kind of mishap; see `breaks.hazard`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from rollback_drill.breaks.hazard import Hazard
from rollback_drill.ground.names import no_such

NONE = "none"


def all_hazards() -> dict[str, Callable[[], Hazard]]:
    """Return what makes each hazard, by the hazard's name."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    makers = [maker for module in modules for maker in module.HAZARDS]
    return dict(sorted((maker().name, maker) for maker in makers))


def find_hazard(name: str) -> Hazard | None:
    """Return a new hazard called `name`, None for "none". Raises UsageError for other names."""
    if name == NONE:
        return None
    hazards = all_hazards()
    if name not in hazards:
        raise no_such("a hazard", name, (NONE, *hazards), "set HAZARD to one of these names")
    return hazards[name]()
