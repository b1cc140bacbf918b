"""What `docs/adding.md` shows, as files that can be run."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding.md"
_BLOCK = re.compile(
    r"^```python\n# (?P<path>rollback_drill/\S+\.py)\n(?P<text>.*?)^```$", re.M | re.S
)


def files_of(page: str) -> dict[str, str]:
    """Return the files that a page shows, by their paths from a folder on the path of Python."""
    return {found["path"]: found["text"] for found in _BLOCK.finditer(page)}


def put(folder: Path, files: dict[str, str]) -> Path:
    """Write `files` into `folder`, which is returned: it has to be on the path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


FILES = files_of(PAGE.read_text(encoding="utf-8"))
