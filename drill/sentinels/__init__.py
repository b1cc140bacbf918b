"""One module per thing that is watched; see `drill.sentinel`."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from drill.sentinel import Sentinel
from drill.stage import Stage


def all_sentinels(stage: Stage, traffic: Path) -> list[Sentinel]:
    """Return every sentinel for `stage` and the folder of the traffic's records."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    return [
        make(stage, traffic)
        for module in modules
        for make in module.SENTINELS
        if stage.capabilities.issuperset(make.needs)
    ]
