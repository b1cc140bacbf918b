"""Writes the file where there is none; else fills in what is open, and keeps the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from rollback_drill.begin.draft import Draft, Field, toml_of
from rollback_drill.ground import files
from rollback_drill.ground.errors import UsageError
from rollback_drill.stage.unfilled import FILL_IN


def refuse_elsewhere(path: Path, root: Path) -> None:
    """Raise UsageError unless `path` is a file below the folder `root`, reached by no link."""
    whole = path if path.is_absolute() else root / path
    real = root.resolve()
    inside = whole.parent.resolve().is_relative_to(real) and ".." not in path.parts
    below = whole.relative_to(root).parts if whole.is_relative_to(root) else ()
    steps = [root.joinpath(*below[: n + 1]) for n in range(len(below))]
    if not inside or not below or any(step.is_symlink() for step in steps):
        raise UsageError(
            "TO: a file in this folder, which no link leads to",
            str(path),
            "set TO=rollback-drill.toml",
        )
    if whole.suffix != ".toml" or whole.is_dir() or not whole.parent.is_dir():
        raise UsageError(
            "TO: a file whose name ends in .toml, in a folder that there is", str(path),
            "set TO=rollback-drill.toml",
        )  # fmt: skip


def write_or_keep(path: Path, draft: Draft, runbook: str) -> list[str]:
    """Write `draft` to `path`; return sentences that say what was done. Raises UsageError."""
    try:
        if not path.exists():
            files.write(path, draft.text(path.name, runbook))
            return [f"Wrote {path.name}."]
        text = path.read_text(encoding="utf-8")
        tables = tomlkit.parse(text)
        told = list(_compare(tables, draft))
        new = tomlkit.dumps(tables)
        if new != text:
            files.write(path, new, mode=path.stat().st_mode & 0o777)
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise UsageError(f"TOML in {path}", str(error), "mend that line") from error
    except OSError as error:
        raise UsageError(f"to write {path}", str(error.strerror), "set TO=FILE") from error
    return [f"{path.name} is there already: what a person wrote is kept.", *told]


def _compare(tables: Any, draft: Draft) -> Iterator[str]:
    for one in draft.fields:
        holder = _holder(tables, one.place[:-1])
        name, where = str(one.place[-1]), _spelled(one)
        if holder is None or name not in holder:
            if not one.open and name not in ("name", "method"):
                yield f"Left out there: {where} = {toml_of(one.value)} ({one.why})"
            continue
        held = holder[name]
        plain = held.unwrap() if hasattr(held, "unwrap") else held
        if one.open or plain == one.value:
            continue
        if isinstance(plain, str) and plain.startswith(FILL_IN):
            holder[name] = one.value
            yield f"Filled in: {where} = {toml_of(one.value)} ({one.why})"
        else:
            yield f"Kept: {where} = {toml_of(plain)}; found now: {toml_of(one.value)} ({one.why})"


def _holder(tables: Any, place: tuple[str | int, ...]) -> Any:
    """Return the table at `place`, None where there is none."""
    for step in place:
        try:
            tables = tables[step]
        except (KeyError, IndexError, TypeError, TOMLKitError):
            return None
    return tables if hasattr(tables, "keys") else None


def _spelled(one: Field) -> str:
    return "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in one.place).lstrip(".")
