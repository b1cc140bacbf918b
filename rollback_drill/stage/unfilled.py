"""Fields of a staging file that a person must fill in: they are refused, with name and line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from rollback_drill.ground.errors import UsageError

FILL_IN = "FILL IN"
"""How a value begins that a person must replace."""


def unfilled(value: object, place: str = "") -> Iterator[str]:
    """Yield the place of every value in the tables that still says what to fill in."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from unfilled(one, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value, 1):
            yield from unfilled(one, f"{place}[{number}]")
    elif isinstance(value, str) and value.startswith(FILL_IN):
        yield place


def unfilled_lines(path: Path, tables: Mapping[str, object]) -> list[str]:
    """Return each such place of the file `path` with its line ("line 3: stage.kind")."""
    marked = _marked_lines(path)
    told = []
    for place in unfilled(tables):
        name = re.sub(r"\[\d+\]$", "", place).rpartition(".")[2]
        own = next((one for one in marked if re.match(rf"\W*{re.escape(name)}\W", one[1])), None)
        if own is not None:
            marked.remove(own)
        told.append(f"line {own[0]}: {place}" if own else place)
    return told


def refuse_unfilled(path: Path, tables: Mapping[str, object]) -> None:
    """Raise UsageError that names all of them."""
    told = unfilled_lines(path, tables) if any(unfilled(tables)) else []
    if not told:
        return
    count = f"{len(told)} field{'s' if told[1:] else ''} to fill in"
    raise UsageError(
        f"a filled-in {path}",
        f"{count}:\n  " + "\n  ".join(told) + "\n",
        f"replace each value that begins with “{FILL_IN}”; docs/staging-file.md explains every key",
    )


def _marked_lines(path: Path) -> list[tuple[int, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        (number, line)
        for number, line in enumerate(lines, 1)
        if FILL_IN in line and not line.lstrip().startswith("#")
    ]
