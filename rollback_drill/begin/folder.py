"""A team's repository as it is looked at: ordinary files below one folder, no link followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

_MOST_BYTES = 1024 * 1024
_MOST_FILES = 20_000
_DEEPEST = 4  # folders below the first: what says how a service runs lies near the top
_LEFT_OUT = ("node_modules", "venv", "vendor", "site-packages", "reports")


class Folder:
    """`names` are the ordinary files in it, in order; hidden folders are left out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names = tuple(sorted(self._walk(), key=lambda name: (name.count("/"), name)))

    def _walk(self) -> Iterator[str]:
        found = 0
        for place, folders, files in os.walk(self.root, followlinks=False):
            here = Path(place).relative_to(self.root)
            deep = len(here.parts) >= _DEEPEST
            folders[:] = (
                []
                if deep
                else [
                    name
                    for name in sorted(folders)
                    if not name.startswith(".") and name not in _LEFT_OUT
                ]
            )
            for name in files:
                if stat.S_ISREG((Path(place) / name).lstat().st_mode):
                    yield (here / name).as_posix()
                    found += 1
                    if found >= _MOST_FILES:
                        return

    def called(self, *patterns: str) -> list[str]:
        """Return the files whose own name is like one of `patterns`, nearest to the top first."""
        return [
            name
            for name in self.names
            if any(fnmatch(name.rpartition("/")[2], pattern) for pattern in patterns)
        ]

    def text(self, name: str) -> str:
        """Return what stands in a file, "" where that cannot be read or is no text."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(self.root / name, flags), "rb") as file:
                return file.read(_MOST_BYTES).decode()
        except (OSError, UnicodeDecodeError):
            return ""
