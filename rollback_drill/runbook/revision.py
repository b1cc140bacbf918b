"""A runbook as it was in another revision of its repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from rollback_drill.ground.errors import UsageError

_LIMIT_S = 30


def text_at(path: Path, revision: str) -> str:
    """Return the text of the file at `path` where this branch left `revision`, or there where
    nobody knows that. Raises UsageError when git does not know it.
    """
    folder, name = path.resolve().parent, path.resolve().name
    if revision.startswith("-"):
        raise UsageError("a revision", repr(revision), "set BASE=REVISION")
    begun = _git(folder, "merge-base", "HEAD", revision)
    where = begun.stdout.strip() if begun.returncode == 0 and begun.stdout.strip() else revision
    found = _git(folder, "show", f"{where}:./{name}")
    if found.returncode != 0:
        why = found.stderr.strip().splitlines() or ["git says nothing"]
        raise UsageError(
            f"{name} in {revision}", why[-1], "check out the whole history (fetch-depth: 0)"
        )
    return found.stdout


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True, text=True, check=False, timeout=_LIMIT_S, errors="replace",
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError("git", str(error), "install git") from error
