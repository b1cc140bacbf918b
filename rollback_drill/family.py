"""The one registry. A family is every folder (or module) of its name in any room; each module in
it is a member's own file, and adds itself when it is imported.

So the demo's faults stand beside the demo, and whatever folder on the path is called
`rollback_drill` may hold more: nobody has to be told of a new file.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Generic, TypeVar

import rollback_drill
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.home import ENGINE, is_engine
from rollback_drill.ground.names import no_such

_Member = TypeVar("_Member")


class Family(Generic[_Member]):
    """Members by name. `folder`: where their files stand in any room; `what`: "a fault"."""

    def __init__(self, folder: str, what: str) -> None:
        self._folder, self._what = folder, what
        self._members: dict[str, tuple[str, _Member]] = {}  # and the module that defines each
        self._ordered: Mapping[str, _Member] = {}

    def add(self, name: str, member: _Member, made: object) -> None:
        """Add `member`, which `made` (a class, a function) makes or is. Raises UsageError when the
        family has one of that name.
        """
        while isinstance(made, functools.partial):
            made = made.func
        home = made.__module__
        if name in self._members:
            raise UsageError(
                f"one {self._what.partition(' ')[2]} called {name}",
                f"two: {self._members[name][0]} and {home} define it",
                "rename one of them",
            )
        self._members[name] = home, member

    def members(self) -> Mapping[str, _Member]:
        """Return all there are, in the order of their files and, of one file, of its lines: the
        same object as before where nobody was added.
        """
        modules(self._folder)
        if len(self._ordered) != len(self._members):  # none is ever replaced
            by_home = sorted(self._members.items(), key=lambda item: item[1][0])
            self._ordered = MappingProxyType({name: member for name, (_, member) in by_home})
        return self._ordered

    def names(self) -> list[str]:
        """Return the names of all, in order."""
        return sorted(self.members())

    def find(self, name: str, advice: str, *, others: Iterable[str] = (), by: str = "") -> _Member:
        """Return the member called `name`, which `by` names, by default the user.

        Raises UsageError with the names that exist (`others` as well), and the one that was meant.
        """
        members = self.members()
        if name not in members:
            raise no_such(self._what, name, (*others, *self.names()), advice, by)
        return members[name]


@functools.cache
def modules(name: str) -> tuple[ModuleType, ...]:
    """Return the modules of the family called `name`, imported, in the order of their names."""
    return tuple(sorted(_modules(name), key=lambda module: module.__name__))


def _modules(name: str) -> Iterator[ModuleType]:
    for folder in _folders():
        for path in (*folder.rglob(f"{name}/*.py"), *folder.rglob(f"{name}.py")):
            if path.stem != "__init__" and is_engine(path):
                yield _imported(folder, path)


def _folders() -> list[Path]:
    """Return our own folder, and those of the same name elsewhere on the path that are no package
    themselves: such a one is another copy of us.
    """
    named = dict.fromkeys(Path(entry or ".").resolve() / ENGINE.name for entry in sys.path)
    return [ENGINE, *(one for one in named if one.is_dir() and not (one / "__init__.py").exists())]


def _imported(folder: Path, path: Path) -> ModuleType:
    name = ".".join((rollback_drill.__name__, *path.relative_to(folder).with_suffix("").parts))
    if folder == ENGINE:
        return import_module(name)
    if name in sys.modules:
        known = sys.modules[name]
        if known.__file__ != str(path):
            raise UsageError(
                f"one file for {name}", f"two: {known.__file__} and {path}", "rename one of them"
            )
        return known
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
