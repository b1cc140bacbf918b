"""Where the parts of the suite stand: beside the engine in a checkout, within it once installed.

The wheel maps `load/`, `steps/` and the demo's folders into the engine's own (`pyproject.toml`). An
installed suite may be read-only: what it keeps lies in the user's cache, what it reports where the
user is.
"""

from __future__ import annotations

import os
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[1]
PATH = ENGINE.parent
"""What has to be on the path of a Python that imports the suite."""
_DEMO = ENGINE / "demo"
INSTALLED = _DEMO.is_dir()
DEMO = _DEMO if INSTALLED else PATH
"""The folder of `service/`, `runbook/` and `features/`."""
LOAD = (ENGINE if INSTALLED else PATH) / "load"
LOAD_PACKAGE = f"{ENGINE.name}.{LOAD.name}" if INSTALLED else LOAD.name
"""How the folder is imported."""


def cache() -> Path:
    """Return the folder for what is made or fetched once; whoever needs it makes it."""
    if not INSTALLED:
        return PATH / ".cache"
    told = os.environ.get("XDG_CACHE_HOME", "")
    place = Path(told) if Path(told).is_absolute() else Path.home() / ".cache"
    return place / "rollback-drill"


def is_engine(path: Path) -> bool:
    """Whether what stands at `path`, in the engine's folder, is the engine's own code."""
    return not INSTALLED or not path.is_relative_to(_DEMO)
