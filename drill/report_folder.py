"""The folder that a report is written to."""

from __future__ import annotations

import shutil
from pathlib import Path

from drill.errors import UsageError

_GENERATED = (
    "index.html", "postmortem.md", "verdict.json", "junit.xml", "timeline.jsonl", "allure-results",
    "traffic",
)  # fmt: skip
_ROOM_BYTES = 512 * 1024 * 1024


def prepare_directory(directory: Path) -> None:
    """Make `directory` ready for a new report: what an earlier drill wrote there is removed.

    Raises UsageError when it cannot be written to or the disk has too little room.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name in _GENERATED:
            path = directory / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (directory / "traffic").mkdir()
        free = shutil.disk_usage(directory).free
    except OSError as error:
        raise UsageError(
            f"a folder for the report at {directory}", str(error.strerror), "set REPORT=DIR"
        ) from error
    if free < _ROOM_BYTES:
        raise UsageError(
            f"{_ROOM_BYTES >> 20} MB free for {directory}",
            f"{free >> 20} MB",
            "make room or set REPORT to a folder on another disk",
        )
