"""Whether the runbook was read in full: what nobody took, nobody performed or verified."""

from __future__ import annotations

import itertools

from drill import events
from drill.causes.cause import Cause
from drill.record import Record
from drill.verdict import Verdict

_ADVICE = "`make read RUNBOOK=FILE` shows how the document is understood; word it as README.md says"


def of_reading(record: Record) -> list[Cause]:
    """Each line that was not read, or that nobody recorded what was read."""
    read = record.every(events.RunbookRead)
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
