"""What can be broken: one module per kind of fault, whose FAULTS makes new ones by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

from drill.errors import UsageError
from drill.fault import Fault


def all_faults() -> dict[str, Callable[[], Fault]]:
    """Return what makes each fault, by the fault's name."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    makers = [maker for module in modules for maker in module.FAULTS]
    return dict(sorted((maker().name, maker) for maker in makers))


def find(name: str) -> Fault:
    """Return a new fault called `name`. Raises UsageError with the names that exist."""
    faults = all_faults()
    if name not in faults:
        raise UsageError(
            f"a fault: {', '.join(faults)}", repr(name), "set FAULT to one of these names"
        )
    return faults[name]()
