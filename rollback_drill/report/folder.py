"""The folder that a report is written to: made by this suite, or refused."""

from __future__ import annotations

import shutil
from pathlib import Path

from rollback_drill.ground import files
from rollback_drill.ground.errors import UsageError

MARK = ".rollback-drill"
"""The file by which a folder is known to be of this suite."""
OWN_MAILBOX = "messages.mbox"
"""The file in which a drill keeps messages that nobody gets."""
ENVELOPE = "evidence.json"
"""The signed statement over a report."""
RUNBOOK_COPY = "runbook-as-performed.md"
"""The runbook that the statement names, as it was when it was performed."""
POSTMORTEM_PDF = "postmortem.pdf"
"""The post-mortem as it is printed, where that was asked for."""
_TOLD = "The reports in this folder are written by rollback-drill, which replaces them.\n"
_GENERATED = (
    "index.html",
    "postmortem.md",
    "postmortem.html",
    POSTMORTEM_PDF,
    "verdict.json",
    "junit.xml",
    "timeline.jsonl",
    "allure-results",
    "traffic",
    OWN_MAILBOX,
    ENVELOPE,
    RUNBOOK_COPY,
)
_FIRST_LINE = 4_096
_ROOM_BYTES = 512 * 1024 * 1024


def refuse_strangers(directory: Path) -> None:
    """Raise UsageError when `directory` holds files that nothing says are of this suite."""
    try:
        if not directory.exists() or _is_ours(directory):
            return
    except OSError as error:
        raise _no_folder(directory, error) from error
    raise UsageError(
        f"a folder for reports at {directory}",
        "one with files that no drill wrote",
        "set REPORT to a new folder, or empty this one yourself",
    )


def _no_folder(directory: Path, error: OSError) -> UsageError:
    return UsageError(
        f"a folder for the report at {directory}", str(error.strerror), "set REPORT=DIR"
    )


def claim(directory: Path) -> None:
    """Make `directory` and mark it as one of reports; nothing in it is touched.

    Raises UsageError when it cannot be written to, has too little room, or holds files that
    nothing says are of this suite: they would be replaced.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        refuse_strangers(directory)
        files.write(directory / MARK, _TOLD)
        free = shutil.disk_usage(directory).free
    except OSError as error:
        raise _no_folder(directory, error) from error
    if free < _ROOM_BYTES:
        raise UsageError(
            f"{_ROOM_BYTES >> 20} MB free for {directory}",
            f"{free >> 20} MB",
            "make room or set REPORT to a folder on another disk",
        )


def prepare_directory(directory: Path) -> None:
    """Claim `directory` for a new report: what an earlier drill wrote there is removed.

    Raises UsageError as `claim` does, before anything is removed.
    """
    claim(directory)
    try:
        for name in _GENERATED:
            files.remove(directory / name)
        (directory / "traffic").mkdir()
    except OSError as error:
        raise _no_folder(directory, error) from error


def _is_ours(directory: Path) -> bool:
    names = {path.name for path in directory.iterdir()}
    if not names or MARK in names:
        return True
    # Of a drill that was held before folders were marked.
    timeline = directory / "timeline.jsonl"
    if not timeline.is_file():
        return False
    with timeline.open("rb") as file:
        line = file.readline(_FIRST_LINE)
    return line.startswith(b'{"at":') and b'"kind":"' in line
