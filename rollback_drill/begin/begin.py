"""`rollback-drill init`: look, write, and say what is left to a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rollback_drill.begin.clue import Clue
from rollback_drill.begin.draft import Draft
from rollback_drill.begin.folder import Folder
from rollback_drill.begin.keeping import refuse_elsewhere, write_or_keep
from rollback_drill.begin.looks.documents import look_at_documents
from rollback_drill.begin.looks.migrations import look_at_migrations
from rollback_drill.begin.looks.runbooks import look_at_runbook, runbook_in
from rollback_drill.begin.looks.running import look_at_service
from rollback_drill.begin.looks.services import (
    look_at_compose,
    look_at_dockerfile,
    look_at_supervisor,
    look_at_systemd,
    look_at_variables,
)
from rollback_drill.begin.looks.tags import look_at_tags
from rollback_drill.stage.file import table_of
from rollback_drill.stage.unfilled import unfilled_lines

_LOOKS = (
    look_at_tags,
    look_at_compose,
    look_at_systemd,
    look_at_supervisor,
    look_at_dockerfile,
    look_at_variables,
    look_at_migrations,
    look_at_documents,
)
"""What was told first is taken; what the running service says goes before all of them."""


def begin(root: Path, to: Path, runbook: Path | None, url: str) -> Iterator[str]:
    """Look at the folder `root` and the service at `url` ("" for none); write the file `to` in it.

    Yield what was done and what is left to do. Raises UsageError before anything is written.
    """
    refuse_elsewhere(to, root)
    folder = Folder(root)
    clues: list[Clue] = [*look_at_service(url)] if url else []
    for look in _LOOKS:
        clues += look(folder)
    runbook = runbook or runbook_in(folder)
    name = "RUNBOOK.md"
    if runbook:
        name = str(runbook.relative_to(root) if runbook.is_relative_to(root) else runbook)
        ways = [one.value for one in clues if one.place == "stage.alternatives"]
        clues += look_at_runbook(runbook, ways)
    path = root / to
    yield from write_or_keep(path, Draft(root.resolve().name, clues), name)
    left = unfilled_lines(path, table_of(path))
    yield f"{len(left)} field{'s' if len(left) != 1 else ''} to fill in{':' if left else '.'}"
    yield from (f"  {one}" for one in left)
    if not runbook:
        yield "No runbook was found: name yours with --runbook=FILE."
    yield f"Then: rollback-drill check --stage={to} --runbook={name}"
