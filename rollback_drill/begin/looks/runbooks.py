"""The runbook: which document it is, what it is read as, and which variables its commands need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rollback_drill.begin.clue import Clue
from rollback_drill.begin.folder import Folder
from rollback_drill.campaigns.needed import variables_needed
from rollback_drill.runbook.parse import read_document

# A header of a request that holds a variable, as curl is told of it.
_SENT = re.compile(r"""(?:-H|--header)[ =]?["']([\w-]+): *\$\{?(\w+)\}?["']""")
_NAMES = ("*rollback*.md", "*roll-back*.md", "*runbook*.md", "*ROLLBACK*.md", "*RUNBOOK*.md")


def runbook_in(folder: Folder) -> Path | None:
    """Return the document that is called like one; one with "rollback" in its name first."""
    found = folder.called(*_NAMES)
    found.sort(key=lambda name: "roll" not in name.lower())
    return folder.root / found[0] if found else None


def look_at_runbook(path: Path, taken: list[str]) -> Iterator[Clue]:
    """Yield how the document is read, the ways in it that apply, and the variables that it needs.

    `taken`: words of ways that something else told, such as "systemd". Raises UsageError.
    """
    reading = read_document(path)
    runbook, name = reading.runbook, path.name
    offered = [
        alternative.label
        for block in runbook.blocks
        if len(block.alternatives) > 1
        for alternative in block.alternatives
        if alternative.label
    ]
    for word in taken:
        if any(word.lower() in label.lower() for label in offered):
            yield Clue("alternative", word, name)
    for one in runbook.procedures:
        steps = f"{len(one.steps)} step{'s' if len(one.steps) != 1 else ''}"
        yield Clue(
            "", f"{name}, line {one.line}: procedure {one.number}, {one.title}: {steps}", name
        )
    if reading.problems.found:
        lines = ", ".join(str(line) for line, _ in reading.problems.found[:5])
        yield Clue(
            "", f"{name} cannot be drilled yet (lines {lines}): see `rollback-drill read`", name
        )
    if runbook.unread:
        yield Clue(
            "", f"{name}: {len(runbook.unread)} lines are unread: see `rollback-drill read`", name
        )
    for variable in sorted(variables_needed(runbook, taken)):
        yield Clue("needed", variable, name)
    for header, variable in _SENT.findall(runbook.text):
        yield Clue("sent", (header, variable), f"{name}, sent as {header}")
