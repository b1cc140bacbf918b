"""The one registry. A family is every folder (or module) of its name in any room; each module in
it is a member's own file.

So the demo's faults stand beside the demo, and whatever folder on the path is called
`rollback_drill` may hold more: nobody has to be told of a new file.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import rollback_drill


@functools.cache
def modules(name: str) -> tuple[ModuleType, ...]:
    """Return the modules of the family called `name`, imported, in the order of their names."""
    return tuple(sorted(_modules(name), key=lambda module: module.__name__))


def _modules(name: str) -> Iterator[ModuleType]:
    for folder in _folders():
        for path in (*folder.rglob(f"{name}/*.py"), *folder.rglob(f"{name}.py")):
            if path.stem != "__init__":
                yield _imported(folder, path)


def _folders() -> list[Path]:
    """Return our own folder, and those of the same name elsewhere on the path."""
    own = Path(rollback_drill.__file__).parent
    named = (Path(entry or ".").resolve() / own.name for entry in sys.path)
    return [own, *(one for one in dict.fromkeys(named) if one != own and one.is_dir())]


def _imported(folder: Path, path: Path) -> ModuleType:
    name = ".".join((rollback_drill.__name__, *path.relative_to(folder).with_suffix("").parts))
    if folder == Path(rollback_drill.__file__).parent:
        return import_module(name)
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
