"""Reads the engine as a house: what its map names, which room asks which, what is called twice."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import rollback_drill

SHARED = ("SABOTAGES",)
"""Names by which modules of a family offer their members."""
PURE = "told"
"""The modules that only say what can be told: a room's own is known wherever it is asked for."""
PRIVATE = ("subject.hostaway", "subject.described")
"""The services that can be drilled: the engine asks the subject, and none of these by name."""
MACHINES = ("psycopg", "docker", "httpx", "requests", "http.client")


@dataclass(frozen=True)
class Arrow:
    """Module `source` imports from module `target`; both by their names within the house."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source} imports {self.target}"


class House:
    """A package on disk, parsed once. Its modules' names leave the package's own out."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        paths = {_dotted(path, folder): path for path in sorted(folder.rglob("*.py"))}
        self.trees = {name: ast.parse(path.read_text()) for name, path in paths.items()}
        self.packages = {name for name, path in paths.items() if path.stem == "__init__"}
        self.map = ast.get_docstring(self.trees[""]) or ""
        self.order = re.findall(r"^- `(\w+)`:", self.map, re.MULTILINE)

    def missing_on_the_map(self) -> list[str]:
        """Return what stands on the first level and is not named, and what is named in vain."""
        first = {name.split(".")[0] for name in self.trees} - {"", "__main__"}
        doors = first & (self.trees.keys() - self.packages)
        rooms = first - doors
        named = set(re.findall(r"`(\w+)`", self.map))
        return sorted((rooms ^ set(self.order)) | (doors - named))

    @functools.cached_property
    def arrows(self) -> list[Arrow]:
        """Return every import of a module of the house, wherever in a module it stands."""
        return [
            Arrow(source, target)
            for source, tree in self.trees.items()
            for target in dict.fromkeys(self._targets(source, tree))
            if target != source
        ]

    def upwards(self) -> list[str]:
        """Return each import of a higher room's module, but for what says or asks only."""
        return [
            str(arrow)
            for arrow in self.arrows
            if arrow.target.rpartition(".")[2] != PURE
            and not _private(arrow.target)  # a rule of its own, see `private`
            and self._floor(arrow.target) > self._floor(arrow.source)
        ]

    def private(self) -> list[str]:
        """Return each import of a service's own room by the engine."""
        return [
            str(arrow)
            for arrow in self.arrows
            if _private(arrow.target) and not _private(arrow.source)
        ]

    def abroad(self, others: tuple[str, ...]) -> list[str]:
        """Return each import of one of `others`, packages that depend on this one."""
        return [
            f"{source} imports {module}"
            for source, tree in self.trees.items()
            for module, _ in _imports(tree)
            if module.split(".")[0] in others
        ]

    def twice(self) -> list[str]:
        """Return each public name that is defined for two things, and where."""
        places = defaultdict(list)
        for module, tree in self.trees.items():
            for name in _defined(tree):
                if not name.startswith("_") and name not in SHARED:
                    places[name].append(module)
        return [
            f"{name}: {', '.join(where)}" for name, where in sorted(places.items()) if where[1:]
        ]

    def circles(self) -> list[str]:
        """Return each module that comes back to itself by its imports."""
        asks = defaultdict(set)
        for arrow in self.arrows:
            asks[arrow.source].add(arrow.target)
        return [module for module in sorted(asks) if module in _reached(module, asks)]

    def _floor(self, module: str) -> int:
        # What stands on the first level is above every room, but for the registry, which needs
        # the ground only. So is the demo: what it adds to families is found, and asked by nobody.
        if module in ("", "family"):
            return 0
        if _private(module):
            return len(self.order)
        room = module.split(".")[0]
        return self.order.index(room) if room in self.order else len(self.order)

    def _targets(self, source: str, tree: ast.Module) -> Iterator[str]:
        inside = source if source in self.packages else source.rpartition(".")[0]
        for module, name in _imports(tree, f"{self.name}.{inside}".strip(".")):
            if _within(module, self.name):
                asked = module[len(self.name) + 1 :]
                deeper = f"{asked}.{name}".strip(".")
                yield deeper if deeper in self.trees else asked


@functools.cache
def engine() -> House:
    """Return the engine, read once."""
    return House(Path(rollback_drill.__file__).parent)


def reached(room: str, folder: Path, unwanted: tuple[str, ...]) -> list[str]:
    """Import all of a room, or of a family, in a Python of its own; return what of `unwanted` came
    along.
    """
    paths = {*folder.rglob(f"{room}/**/*.py"), *folder.rglob(f"{room}.py")}
    modules = [f"{folder.name}.{_dotted(path, folder)}" for path in sorted(paths)]
    script = (
        "import sys, importlib\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(*(name for name in {unwanted!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [f"{room} reaches {name}" for name in done.stdout.split()]


def _dotted(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.Module, package: str = "") -> Iterator[tuple[str, str]]:
    """Yield (module, name) of every import; "" for the name where the module itself is asked."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                parents = package.split(".")
                module = ".".join((*parents[: len(parents) - node.level + 1], module)).strip(".")
            yield from ((module, alias.name) for alias in node.names)


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (one.id for one in node.targets if isinstance(one, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _private(module: str) -> bool:
    return any(_within(module, one) for one in PRIVATE)


def _reached(start: str, asks: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        new = asks.get(ahead.pop(), set()) - seen
        seen |= new
        ahead += new
    return seen
