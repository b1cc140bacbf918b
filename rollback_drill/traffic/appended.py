"""Reads what generators append to their files, each line once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


class Appended:
    """The complete new lines of all files of one kind in a folder."""

    def __init__(self, directory: Path, kind: str) -> None:
        self._directory = directory
        self._kind = kind
        self._offsets: dict[Path, int] = {}

    def lines(self) -> Iterator[str]:
        """Yield the lines that were completed since the last call, without their newline."""
        for path in sorted(self._directory.glob(f"{self._kind}-*.csv")):
            with path.open("rb") as file:
                file.seek(self._offsets.get(path, 0))
                text = file.read()
            whole = text.rfind(b"\n") + 1
            self._offsets[path] = self._offsets.get(path, 0) + whole
            # Nothing else ends a line here: what services are sent may hold any other sign for it.
            yield from text[:whole].decode(errors="replace").split("\n")[:-1]
