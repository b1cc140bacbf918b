"""A runbook as the stage's own file says that it is to be read."""

from __future__ import annotations

from pathlib import Path

from rollback_drill.runbook.coverage import Reading
from rollback_drill.runbook.hints import NO_HINTS, Hints, read_hints
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.parse import parse, read_document
from rollback_drill.stage.file import table_of

_FILE = ".toml"


def hints_of(stage: str) -> Hints:
    """Return what the file that `STAGE` names says of the runbook. Raises UsageError."""
    if not stage.endswith(_FILE):
        return NO_HINTS
    path = Path(stage)
    table = table_of(path)
    return read_hints(table["runbook"], path) if "runbook" in table else NO_HINTS


def runbook_on(path: Path, stage: str) -> Runbook:
    """Return the runbook in `path` as `STAGE` has it read. Raises UsageError."""
    return parse(path, hints_of(stage))


def reading_on(path: Path, stage: str) -> Reading:
    """Return what is understood of the document in `path`, drillable or not. Raises UsageError."""
    return read_document(path, hints_of(stage))
