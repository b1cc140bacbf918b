"""One module per thing that is watched; see `watch.sentinel`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rollback_drill.family import modules
from rollback_drill.stage.model import Stage
from rollback_drill.watch.sentinel import Sentinel


def sentinel_needs() -> dict[str, tuple[str, ...]]:
    """Return what each sentinel needs of a stage, by its name."""
    return {make.name: make.needs for make in _makers()}


def all_sentinels(stage: Stage, traffic: Path) -> list[Sentinel]:
    """Return every sentinel for `stage` and the folder of the traffic's records."""
    return [make(stage, traffic) for make in _makers() if stage.capabilities.issuperset(make.needs)]


def _makers() -> list[Any]:
    return [make for module in modules("sentinels") for make in module.SENTINELS]
