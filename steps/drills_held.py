"""Which drills a scenario looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from rollback_drill.record.book import Book


@dataclass(frozen=True, slots=True)
class HeldDrill:
    """A drill that was held for a scenario, or read by it. `name`: its own among those of a run."""

    name: str
    report: Path
    book: Book


HELD: pytest.StashKey[list[HeldDrill]] = pytest.StashKey()
"""Of a test: the drills that it looked at, in their order."""
