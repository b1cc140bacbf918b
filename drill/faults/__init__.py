"""What can be broken: one module per fault, found by the name in its FAULT."""

from __future__ import annotations

import importlib
import pkgutil

from drill.errors import UsageError
from drill.fault import Fault


def all_faults() -> dict[str, type[Fault]]:
    """Return the class of every fault by its name."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    faults: list[type[Fault]] = [module.FAULT for module in modules]
    return {fault.name: fault for fault in sorted(faults, key=lambda fault: fault.name)}


def find(name: str) -> Fault:
    """Return a new fault called `name`. Raises UsageError with the names that exist."""
    faults = all_faults()
    if name not in faults:
        raise UsageError(
            f"a fault: {', '.join(faults)}", repr(name), "set FAULT to one of these names"
        )
    return faults[name]()
