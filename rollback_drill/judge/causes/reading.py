"""Whether the runbook was read in full: what nobody took, nobody performed or verified."""

from __future__ import annotations

import itertools

from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.record.book import Record
from rollback_drill.runbook.told import RunbookRead

_ADVICE = "`make read RUNBOOK=FILE` shows how the document is understood; word it as README.md says"


def of_reading(record: Record) -> list[Cause]:
    """Each line that was not read, or that nobody recorded what was read."""
    read = record.every(RunbookRead)
    if not read:
        what = "nobody recorded whether it was read in full"
        return [Cause(Verdict.UNKNOWN, "Runbook", what, advice="hold the drill again")]
    found = {
        line: Cause(Verdict.UNCOVERED, f"Runbook, line {line}", f"not read: {why}", text, _ADVICE)
        for one in read
        for line, text, why in itertools.zip_longest(
            one.lines, one.texts, one.reasons, fillvalue="?"
        )
    }
    return list(found.values())
