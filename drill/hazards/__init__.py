"""One module per kind of mishap; see `drill.hazard`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from drill.errors import UsageError
from drill.hazard import Hazard

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
        raise UsageError(
            f"a hazard: {NONE}, {', '.join(hazards)}", repr(name), "set HAZARD to one of these"
        )
    return hazards[name]()
