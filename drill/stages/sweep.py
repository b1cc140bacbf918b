"""Removes what a killed drill left behind: processes by identity, then their folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import psutil

PREFIX = "rollback-drill-"
_STATE = "owner.jsonl"


def note_owner(folder: Path) -> None:
    """Write down in `folder` that this process owns it, before anything is started."""
    _note(folder, os.getpid())


def note_child(folder: Path, pid: int) -> None:
    """Write down in `folder` that its owner started the process `pid`."""
    _note(folder, pid)


def _note(folder: Path, pid: int) -> None:
    with (folder / _STATE).open("a") as state:
        state.write(json.dumps(_identity(pid)) + "\n")


def _identity(pid: int) -> tuple[int, float]:
    """A process id is used again; with its creation time it names one process for ever."""
    return pid, psutil.Process(pid).create_time()


def _find(pid: int, created: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < 0.01 else None
    except psutil.Error:
        return None


def sweep() -> list[str]:
    """Remove the folders of dead drills and the processes they started; return the folders."""
    removed = []
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lines = (folder / _STATE).read_text().splitlines()
            owner, *children = [json.loads(line) for line in lines]
        except (OSError, ValueError):
            continue  # being made just now, or not ours
        if _find(*owner):
            continue
        for identity in children:
            process = _find(*identity)
            if process:
                for one in (*process.children(recursive=True), process):
                    with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself
                        one.kill()
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(str(folder))
    return removed
