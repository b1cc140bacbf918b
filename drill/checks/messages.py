"""Was everybody told, without blanks left in the messages?"""

from __future__ import annotations

from drill.check import Finding, Situation
from drill.checks.maintenance import message_in
from drill.verdict import worst


def _messages(situation: Situation, names: list[str]) -> Finding:
    box = situation.stage.environment["OUTBOX"]
    found = [message_in(situation, f"{box}/{name}") for name in names]
    evidence = "; ".join(finding.evidence for finding in found)
    return Finding(worst(finding.verdict for finding in found), evidence)
