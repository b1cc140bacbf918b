"""What of the user's machine must not reach into a drill: settings, and odd places for files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from rollback_drill.ground.errors import UsageError

# libpq takes whatever a connection does not say from these, beside its own files.
_OF_LIBPQ = re.compile(r"PG[A-Z]+|PSQLRC")
_kept_out: dict[str, str] = {}

_PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - only new folders are made in them
# Runbooks, supervisors and sockets take a path as a word: no space, quote, comma or percent sign.
_HARMLESS = re.compile(r"[\w./+-]{1,60}", re.ASCII)


def keep_out() -> None:
    """Keep the user's own settings of libpq out of this process: they would change, or break, each
    connection of the suite.
    """
    for name in [name for name in os.environ if _OF_LIBPQ.fullmatch(name)]:
        _kept_out[name] = os.environ.pop(name)


def variable(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the variable that a user's file names, also one that is kept out; "" when not set."""
    return environment.get(name) or _kept_out.get(name, "")


def temporary() -> Path:
    """Return the folder for temporary folders: the user's (TMPDIR), unless paths in it cannot be
    written as words, are too long for a socket, or closed to whom a stage runs programs as.

    Raises UsageError when there is none.
    """
    import tempfile  # with all that it packs and draws lots by: not for a mistyped word

    for place in (tempfile.gettempdir(), *_PLACES):
        path = Path(place)
        # What root starts runs as somebody else in part, who has to come there too.
        enterable = reachable(path) if os.geteuid() == 0 else path.is_dir()
        if _HARMLESS.fullmatch(place) and enterable and os.access(path, os.W_OK | os.X_OK):
            return path
    raise UsageError(
        "a folder for temporary folders that every user can enter",
        tempfile.gettempdir(),
        "set TMPDIR to one with a short path of letters and digits",
    )


def reachable(path: Path) -> bool:
    """Whether every user of this machine may come to what is at `path`."""
    try:
        return all(folder.stat().st_mode & 0o001 for folder in (path, *path.absolute().parents))
    except OSError:
        return False
