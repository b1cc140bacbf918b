"""One reason for a verdict that is not `passed`."""

from __future__ import annotations

from dataclasses import dataclass

from rollback_drill.ground.verdict import Verdict

GOOD = (Verdict.PASSED, Verdict.ATTESTED)


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a verdict that is not `passed`, and the finding that it makes."""

    verdict: Verdict
    where: str
    what: str
    evidence: str = ""
    advice: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.what) if part)
