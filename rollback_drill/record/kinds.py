"""Knows every kind of event: each room says in its `told` what it can tell."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import rollback_drill
from rollback_drill.record.told import Told


@functools.cache
def kinds() -> Mapping[str, type[Told]]:
    """Return every kind of event by its name, as all rooms tell them."""
    for folder in map(Path, rollback_drill.__path__):
        for path in sorted(folder.rglob("told.py")):
            rooms = path.relative_to(folder).with_suffix("").parts
            import_module(".".join((rollback_drill.__name__, *rooms)))
    return Told.kinds
