"""How many of some checkboxes passed, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from rollback_drill.ground.verdict import GOOD, Verdict, worst


@dataclass(frozen=True, slots=True)
class BoxCount:
    """Some checkboxes, their worst verdict, and how many there are of each: "41 of 44 passed"."""

    told: str
    worst: Verdict

    @property
    def good(self) -> bool:
        """Whether none of them keeps a drill from passing."""
        return self.worst in GOOD


def count_of(verdicts: Collection[Verdict]) -> BoxCount:
    """Return how many of `verdicts`, at least one, are passed; and the others by name."""
    counts = Counter(verdicts)
    told = f"{counts.pop(Verdict.PASSED, 0)} of {len(verdicts)} passed"
    others = [f"{counts[one]} {one.value}" for one in Verdict if counts[one]]
    return BoxCount(", ".join([told, *others]), worst(verdicts))
