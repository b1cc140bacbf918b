"""What is the same for every stage is made once and kept: a filled database, an environment.

Each lies in the suite's cache (`ground.home`), under a name made of all that it was made of: what
differs in anything has another name. It is made beside that name and renamed when it is whole, so
that several drills may make it at once, and none finds half of it. A stage gets a copy of its own.
Nothing is lost by removing the folder; what nobody took for a while goes by itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rollback_drill.ground.home import cache as cache_folder
from rollback_drill.stage.host import run_bounded
from rollback_drill.stage.sweep import PREFIX

__all__ = ["KEPT_IN", "KeptFolder", "digest", "settle"]

KEPT_IN = cache_folder() / "kept"
_MAKING = ".making-"
_STALE_S = 3600.0
_UNUSED_S = 14 * 24 * 3600.0
_MOST = 12  # of all kinds together; each has up to 100 MB
_COPY_LIMIT_S = 120.0


def digest(folder: Path) -> str:
    """Return what names all files below `folder`, by their paths and what they hold."""
    seen = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            held = hashlib.sha256(path.read_bytes()).hexdigest()
            seen.update(f"{path.relative_to(folder)}\0{held}\n".encode())
    return seen.hexdigest()


def settle(environment: Path) -> None:
    """Have the scripts of the Python environment that was copied here use it, not where it was."""
    place = environment.parent
    before = rb"/[\w./+-]+/%s\w+/%s" % (PREFIX.encode(), re.escape(place.name).encode())
    for path in (environment / "bin").iterdir():
        if path.is_file() and not path.is_symlink():
            held = path.read_bytes()
            path.write_bytes(re.sub(before, str(place).encode(), held))


class KeptFolder:
    """One thing, a folder, of a `kind`; `made_of`: all that it depends on, in words."""

    def __init__(self, kind: str, *made_of: object, cache: Path = KEPT_IN) -> None:
        words = "\0".join(map(str, made_of))
        self._cache = cache
        self.path = cache / f"{kind}-{hashlib.sha256(words.encode()).hexdigest()[:16]}"

    def take(self, to: Path) -> bool:
        """Copy it to `to`, which is not there yet, owners and times as they are.

        Return whether it was there; whoever has to make it may keep it then.
        """
        try:
            os.utime(self.path)  # nobody removes what was just taken
        except OSError:
            return False
        if _copy(self.path, to):
            return True
        shutil.rmtree(to, ignore_errors=True)
        return False

    def keep(self, made: Path, mend: Callable[[Path], None] = lambda _: None) -> None:
        """Keep a copy of the folder `made`, for the next one; `mend` is called with the copy first.

        Nothing that goes wrong with it goes wrong for who made it: it is made again next time.
        """
        with contextlib.suppress(OSError):
            self._cache.mkdir(parents=True, exist_ok=True)
            _sweep(self._cache)
            with tempfile.TemporaryDirectory(
                prefix=_MAKING, dir=self._cache, ignore_cleanup_errors=True
            ) as scratch:
                copy = Path(scratch, "copy")
                if _copy(made, copy):
                    mend(copy)
                    os.utime(copy)
                    os.sync()  # a machine that loses its power must not leave a whole name empty
                    copy.rename(self.path)  # where another one was faster, his is as good

    def forget(self) -> None:
        """Remove it: it turned out to be of no use."""
        shutil.rmtree(self.path, ignore_errors=True)


def _copy(one: Path, to: Path) -> bool:
    return run_bounded(["cp", "-a", str(one), str(to)], limit_s=_COPY_LIMIT_S).ok


def _sweep(cache: Path) -> None:
    """Remove what a killed run left half made, what nobody took for long, and what is too much."""
    ages = {}
    for path in cache.iterdir():
        with contextlib.suppress(OSError):  # somebody else removed it
            ages[path] = time.time() - path.stat().st_mtime
    whole = sorted((p for p in ages if not p.name.startswith(_MAKING)), key=lambda p: ages[p])
    doomed = {path for path in whole if ages[path] > _UNUSED_S} | {*whole[_MOST - 1 :]}
    doomed |= {p for p in ages if p.name.startswith(_MAKING) and ages[p] > _STALE_S}
    for path in doomed:
        shutil.rmtree(path, ignore_errors=True)
