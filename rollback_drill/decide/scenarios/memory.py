"""The service uses up its memory."""

from __future__ import annotations

import re

from rollback_drill.decide.diagnosis import Recognition, Strength, symptom
from rollback_drill.decide.evidence import Evidence, memory_sentences


@symptom(r"\bOOM\b|out[- ]of[- ]memory|memory (?:leak|grow|usage)|killed for memory", depth=1)
def memory(evidence: Evidence, match: re.Match[str]) -> Recognition:  # noqa: ARG001 - no numbers
    """Kills for memory prove it; provable growth without a kill is consistent with it."""
    told = memory_sentences(evidence)
    strength = Strength.CONSISTENT if told else Strength.ABSENT
    if evidence.kills:
        strength = Strength.PROVEN
    return Recognition(strength, told)
