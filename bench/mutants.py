"""Mutants: small changes of a module, each of which its tests are to notice.

    python -m bench.mutants rollback_drill/judge/red.py tests/judge [--confirm]

Tests are read once. Each mutant is a fork in which the functions' code is replaced, and only tests
that reach its line run, the fastest first. What stands outside of functions is shown to a Python of
its own that imports the changed module; with --confirm, so is whatever no fork noticed.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import types
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from cosmic_ray.ast import get_ast
from coverage import Coverage

from bench.mutations import Mutant, mutants
from rollback_drill.ground.clock import now

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 20.0
"""For a mutant's tests, beside five times what they take otherwise."""
_ALONE_S = 300.0
_QUIET = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not drill and not slow"]
_Codes = dict[tuple[str, int], types.CodeType]


class Code:
    """The functions of the module at `path` that live in this process, and what remembers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        keys = {code: key for key, code in self._codes(path.read_text()).items()}
        everything = gc.get_objects()
        self._functions = [
            (thing, keys[thing.__code__])
            for thing in everything
            if isinstance(thing, types.FunctionType)
            and thing.__code__.co_filename == str(path)
            and thing.__code__ in keys
        ]
        self._caches = [
            thing
            for thing in everything
            if isinstance(thing, functools._lru_cache_wrapper)
            and str(getattr(thing, "__module__", "")).startswith("rollback_drill")
        ]

    def replace(self, source: str) -> None:
        """Have every function do what `source` says."""
        new = self._codes(source)
        for function, key in self._functions:
            if key in new:
                function.__code__ = new[key]
        for cache in self._caches:
            cache.cache_clear()

    def _codes(self, source: str) -> _Codes:
        found: _Codes = {}
        _collect(compile(source, str(self.path), "exec"), found)
        return found


def _collect(code: types.CodeType, into: _Codes) -> None:
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            into[const.co_qualname, sum(name == const.co_qualname for name, _ in into)] = const
            _collect(const, into)


class Loop:
    """A plugin of pytest that holds each mutant in a fork instead of running the tests.

    `alone`: those for a Python of its own, with the tests that reach them; `missed`: those that no
    test reaches, or none notices.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.killed = 0
        self.alone: list[Mutant] = []
        self.missed: list[tuple[Mutant, list[str]]] = []
        self._took: dict[str, float] = {}
        self._reach: dict[int, set[str]] = defaultdict(set)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Hold all mutants by the tests that were found."""
        importlib.import_module(_name(self.path))  # members of a family are found when asked for
        code, tree = Code(self.path), get_ast(self.path.read_text())
        gc.freeze()
        self._measure(session)
        for mutant in mutants(self.path):
            lines = _statement(tree, mutant.line)
            if lines is None:
                self.alone.append(mutant)
                continue
            tests = {test for line in lines for test in self._reach.get(line, ())}
            items = sorted(
                (item for item in session.items if item.nodeid in tests),
                key=lambda item: self._took[item.nodeid],
            )
            if items and self._notice(items, code, mutant):
                self.killed += 1
            else:
                self.missed.append((mutant, sorted(tests)))
        return True

    def _measure(self, session: pytest.Session) -> None:
        """Find out, in a fork, how long each test takes and which lines it reaches."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "told.json"
            pid = os.fork()
            if not pid:
                with _silent():
                    out.write_text(json.dumps(self._measured(session)))
                    os._exit(0)
            os.waitpid(pid, 0)
            failed, self._took, reach = json.loads(out.read_text())
        if failed:
            raise SystemExit(f"without any mutant these fail: {', '.join(failed[:3])}")
        for line, tests in reach.items():
            self._reach[int(line)] = set(tests)

    def _measured(self, session: pytest.Session) -> tuple[Any, ...]:
        cover = Coverage(include=[str(self.path)], data_file=None, config_file=False)
        cover.start()
        failed, took = [], {}
        for item, after in zip(session.items, [*session.items[1:], None], strict=True):
            cover.switch_context(item.nodeid)
            began = now()
            if not _passes(item, after):
                failed.append(item.nodeid)
            took[item.nodeid] = now() - began
        cover.stop()
        return failed, took, cover.get_data().contexts_by_lineno(str(self.path))

    def _notice(self, items: list[pytest.Item], code: Code, mutant: Mutant) -> bool:
        """Whether one of the tests fails beside `mutant`, or does not end in time."""
        limit_s = LIMIT_S + 5 * sum(self._took[item.nodeid] for item in items)
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            noticed = True
            with contextlib.suppress(BaseException), _silent():
                gc.disable()
                code.replace(mutant.source)
                noticed = not all(map(_passes, items, [*items[1:], None]))
            os._exit(noticed)
        return _ended(pid, limit_s) != 0


def _passes(item: pytest.Item, after: pytest.Item | None) -> bool:
    item._initrequest()  # type: ignore[attr-defined]  # as a run of its own would begin
    return not any(one.failed for one in runtestprotocol(item, log=False, nextitem=after))


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    yield


def _ended(pid: int, limit_s: float) -> int:
    """Return the status of process `pid`; after `limit_s` seconds end its group, and return -1."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return -1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _statement(tree: Any, line: int) -> range | None:
    """Return the lines of the statement on `line`, None where that stands outside of functions."""
    end = len(tree.get_code().split("\n")[line - 1])
    node = tree.get_leaf_for_position((line, end), include_prefixes=True)
    lines = range(line, line + 1)
    while node is not None:
        if node.type == "simple_stmt":
            lines = range(node.start_pos[0], node.end_pos[0] + 1)
        if node.type in ("if_stmt", "while_stmt", "for_stmt", "with_stmt", "funcdef", "lambdef"):
            head = next(c for c in node.children if getattr(c, "value", "") == ":").end_pos[0]
            if node.type in ("funcdef", "lambdef"):
                return lines if line > head or node.type == "lambdef" else None
            if line <= head:
                lines = range(node.start_pos[0], head + 1)
        node = node.parent
    return None


class _Loader(importlib.machinery.SourceFileLoader):
    put = ""

    def get_data(self, path: str) -> bytes:
        """Return the mutant. Raises OSError for bytecode: nothing is kept of it."""
        if path != self.path:
            raise OSError
        return Path(self.put).read_bytes()

    def path_stats(self, path: str) -> Any:
        """Raise OSError, so that nobody looks for bytecode."""
        raise OSError(path)


class Changed(importlib.abc.MetaPathFinder):
    """Gives the module `name` of the file `path` the source that lies in `put`."""

    def __init__(self, name: str, path: str, put: str) -> None:
        self.name = name
        self.loader = _Loader(name, path)
        self.loader.put = put

    def find_spec(self, name: str, *_: object) -> Any:
        """Return what loads the module, None for every other one."""
        if name != self.name:
            return None
        return importlib.util.spec_from_loader(name, self.loader)


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def noticed_alone(path: Path, mutant: Mutant, tests: list[str]) -> bool:
    """Whether one of `tests` fails in a Python of its own, whose module at `path` is the mutant."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as put:
        put.write(mutant.source)
        put.flush()
        call = [sys.executable, "-m", "bench.mutants", "--alone", _name(path), str(path), put.name]
        nothing = subprocess.DEVNULL
        done = subprocess.Popen(
            [*call, *tests], cwd=ROOT, stdout=nothing, stderr=nothing, start_new_session=True
        )
        try:
            return done.wait(_ALONE_S) != 0
        except subprocess.TimeoutExpired:
            os.killpg(done.pid, signal.SIGKILL)
            done.wait()
            return True


def main(args: list[str]) -> int:
    """Hold all mutants of a module, and say which survive. See the module."""
    if args[0] == "--alone":
        sys.meta_path.insert(0, Changed(*args[1:4]))
        return int(pytest.main([*_QUIET, *args[4:]]))
    path, tests = (ROOT / args[0]).resolve(), [one for one in args[1:] if one[0] != "-"]
    loop = Loop(path)
    status = int(pytest.main([*_QUIET, *tests], plugins=[loop]))
    if status not in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
        return status
    total = loop.killed + len(loop.alone) + len(loop.missed)
    survived = [(m, "") for m in loop.alone if not noticed_alone(path, m, tests)]
    for mutant, reached in loop.missed:
        if not (reached and "--confirm" in args and noticed_alone(path, mutant, reached)):
            survived.append((mutant, "" if reached else " (no test reaches it)"))
    killed = total - len(survived)
    said = [f"{args[0]}: {total} mutants, {killed} killed ({killed / max(1, total):.1%})"]
    for mutant, far in sorted(survived, key=lambda pair: pair[0].line):
        said += [f"  {mutant.line}: {mutant.operator}{far}", f"    - {mutant.was}"]
        said += [f"    + {mutant.became}"]
    sys.stdout.write("\n".join([*said, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
