"""Three-valued verdicts (and sign-offs), and how they compose."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What is known about one item. Order of badness: see `worst`."""

    PASSED = "passed"
    ATTESTED = "attested"  # a named person signed it off, or a named channel took it
    UNKNOWN = "unknown"  # not enough evidence, or the check itself broke
    UNCOVERED = "uncovered"  # a checkbox that no check is bound to
    FAILED = "failed"


GOOD = (Verdict.PASSED, Verdict.ATTESTED)

_BADNESS = {v: i for i, v in enumerate(Verdict)}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of `verdicts`; of nothing at all it is UNKNOWN, never PASSED."""
    return max(verdicts, key=_BADNESS.__getitem__, default=Verdict.UNKNOWN)
