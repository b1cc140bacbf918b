"""Builds the wheel out of a copy of what is under version control, with litter beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LITTER = (
    "rollback_drill/__pycache__/cli.cpython-311.pyc",
    "rollback_drill/ground/__pycache__/home.cpython-311.pyc",
    "rollback_drill/.cache/kept/made.txt",
    "service/v0.0.9/__pycache__/settings.cpython-311.pyc",
    "service/v0.0.9/.venv/bin/python",
    "service/v0.0.9/uv.lock",
    "features/reports/latest/index.html",
    "reports/latest/verdict.json",
    ".cache/uv/made.txt",
)
"""What work leaves behind, and no wheel may hold."""
LEFT_OUT = {"service/requirements.in"}
"""What stands among what is taken, and serves this repository alone."""


def under_version_control(root: Path = ROOT) -> list[str]:
    """Return the paths of the repository's files, and of those that are about to be."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in done.stdout.split("\0") if name and (root / name).exists())


def place_of(path: str) -> str:
    """Return where the wheel has the file of the repository at `path`, "" for nowhere."""
    top, _, rest = path.partition("/")
    if path in LEFT_OUT:
        return ""
    if top == "rollback_drill":
        return path
    if top in ("load", "steps"):
        return f"rollback_drill/{path}"
    if top in ("service", "features") or path == "runbook/rollback.md":
        return f"rollback_drill/demo/{top}/{rest}"
    return ""


def build(tree: Path, to: Path) -> Path:
    """Return the wheel, built into `to` out of a copy of the repository that is made at `tree`."""
    for name in under_version_control():
        place = tree / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place)
    for name in LITTER:
        place = tree / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("made by somebody's work")
    # By what is installed: an isolated build would fetch its backend anew.
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(to)],
        cwd=tree,
        capture_output=True,
        check=True,
        timeout=120,
    )
    (wheel,) = to.glob("*.whl")
    return wheel


def files_in(wheel: Path) -> set[str]:
    """Return the names of the files in `wheel`, what describes it left out."""
    with zipfile.ZipFile(wheel) as opened:
        return {name for name in opened.namelist() if ".dist-info/" not in name}
