"""What scripts find on the PATH of a host that is this very machine: tools, and no environment.

A runbook's `pip` or `uv pip` changes the environment of Python that it finds. That may be the
service's; it must be neither the suite's own nor one that its user has activated.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
from pathlib import Path

from rollback_drill.ground.home import cache as cache_folder

__all__ = ["BIN", "interpreter", "search_path", "users_path"]

BIN = Path(sys.executable).parent
_TOOLS = ("uv", "supervisorctl", "caddy")
_KEPT_IN = cache_folder() / "python"


def interpreter(cache: Path = _KEPT_IN) -> Path:
    """Return a folder of `cache` with this suite's interpreter, without its environment, as
    `python3` and `python`, and nothing else.

    It stays there: environments that are made with it refer to it by this path.
    """
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    folder = cache / hashlib.sha256(os.fsencode(base)).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        with contextlib.suppress(FileExistsError):
            (folder / name).symlink_to(base)
    return folder


def search_path(folder: Path, *before: Path, given: str = "") -> str:
    """Return a PATH: the folders `before`, the suite's tools by links in a new `folder`, its
    interpreter, and of `given` (by default, the user's own) what is not of an environment.
    """
    given = given or os.environ["PATH"]
    folder.mkdir()
    for name in _TOOLS:
        if found := shutil.which(name, path=f"{BIN}:{given}"):
            (folder / name).symlink_to(found)
    return ":".join([*map(str, (*before, folder, interpreter())), users_path(given)])


def users_path(given: str = "") -> str:
    """Return of `given` (by default, the user's own PATH) what is not of an environment."""
    folders = (given or os.environ["PATH"]).split(":")
    return ":".join(one for one in folders if one and not _of_environment(Path(one)))


def _of_environment(folder: Path) -> bool:
    """Whether programs in `folder` are those of a virtual environment (PEP 405)."""
    return (folder.parent / "pyvenv.cfg").exists()
