"""How tests of `init` make a team's repository, ask, and fill in what is left to a person."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPEN = re.compile(r"^  line (\d+): (\S+)$", re.MULTILINE)
FILE = "rollback-drill.toml"


def ask(folder: Path, *words: str) -> tuple[int, str]:
    """Run the command in `folder` as a user does; return its exit code and all that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "rollback_drill", *words],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def open_fields(said: str) -> dict[str, int]:
    """Return the places that are to be filled in, with their lines."""
    return {place: int(line) for line, place in OPEN.findall(said)}


def fill_in(folder: Path, said: str, values: Mapping[str, str]) -> None:
    """Write `values` (as TOML has them) where `said` has them filled in: each one, and no more."""
    path, fields = folder / FILE, open_fields(said)
    assert fields.keys() == values.keys()
    lines = path.read_text(encoding="utf-8").splitlines()
    for place, line in fields.items():
        name, equals, old = lines[line - 1].partition(" = ")
        assert old.startswith('"FILL IN'), (place, lines[line - 1])
        assert place.endswith(f".{name}")
        lines[line - 1] = f"{name}{equals}{values[place]}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def git(folder: Path, *words: str) -> None:
    """Run git in `folder` as somebody."""
    known = (
        "-c",
        "user.name=Ada",
        "-c",
        "user.email=ada@example.com",
        "-c",
        "commit.gpgsign=false",
    )
    subprocess.run(["git", *known, *words], cwd=folder, check=True, capture_output=True)


def tagged(folder: Path, *tags: str) -> None:
    """Make `folder` a repository with a commit and these tags."""
    git(folder, "init", "--quiet", "-b", "main", ".")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "Begin")
    for tag in tags:
        git(folder, "tag", tag)
