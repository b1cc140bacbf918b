"""What somebody found who looked: a verdict, and the evidence for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollback_drill.ground.verdict import Verdict, worst


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: its verdict, and the evidence as a sentence. `lacks`: there are too few
    samples for any answer.
    """

    verdict: Verdict
    evidence: str
    lacks: bool = False


def passed(evidence: str) -> Finding:
    """Return a passing finding."""
    return Finding(Verdict.PASSED, evidence)


def attested(evidence: str) -> Finding:
    """Return a finding that somebody or something named vouches for, unseen by the drill."""
    return Finding(Verdict.ATTESTED, evidence)


def failed(found: str, expected: str) -> Finding:
    """Return a failing finding: what was found, and only then what should have been."""
    return Finding(Verdict.FAILED, f"{found}, expected {expected}")


def unknown(evidence: str) -> Finding:
    """Return a finding for too little evidence."""
    return Finding(Verdict.UNKNOWN, evidence)


def lacking(evidence: str) -> Finding:
    """Return a finding for too few samples, of which more come with time (see perform.enough)."""
    return Finding(Verdict.UNKNOWN, evidence, lacks=True)


def judged(ok: bool, found: str, expected: str) -> Finding:
    """Return a passing finding with what was found when `ok`, else a failing one."""
    return passed(found) if ok else failed(found, expected)


def together(findings: Iterable[Finding]) -> Finding:
    """Return several findings as one: the worst verdict, and the evidence of those that have it."""
    found = list(findings)
    verdict = worst(one.verdict for one in found)
    good = verdict in (Verdict.PASSED, Verdict.ATTESTED)
    said = [one.evidence for one in found if good or one.verdict is verdict]
    return Finding(verdict, "; ".join(said))
