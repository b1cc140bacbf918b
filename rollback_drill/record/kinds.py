"""Knows every kind of event: each room says in its `told` what it can tell."""

from __future__ import annotations

from collections.abc import Mapping

from rollback_drill.family import modules
from rollback_drill.record.told import Told


def kinds() -> Mapping[str, type[Told]]:
    """Return every kind of event by its name, as all rooms tell them."""
    modules("told")
    return Told.kinds
