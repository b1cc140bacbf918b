"""A test that measures a stage which others use, or keeps all cores busy, has no stage beside it.

Drills of this machine take turns at what they measure (`conduct/turns.py`), and those of a stage of
their own go before other programs. A staging environment has no such priority: what its drill
measures is spoiled by a neighbour that only sets up. Of several workers (`-n`), whoever has a test
marked `alone` waits until no other has one that opens a stage, and those that come wait for it.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollback_drill.ground.wait import wait_until

_LONGEST_S = 900.0
"""What a test of each other worker takes at most, with what it brings up and clears up."""


@contextlib.contextmanager
def _held(path: Path, how: int) -> Iterator[None]:
    """Hold a lock: by itself (LOCK_EX), or with others that share it (LOCK_SH)."""
    with path.open("ab") as file:
        for _ in wait_until(f"tests beside this one to end ({path})", _LONGEST_S, every_s=0.05):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, how | fcntl.LOCK_NB)
                break
        yield


@contextlib.contextmanager
def _beside(folder: Path, *, alone: bool) -> Iterator[None]:
    """Have a stage beside others that have one, or `alone`. Nobody overtakes who waits."""
    with contextlib.ExitStack() as until:
        with _held(folder / "next-with-a-stage", fcntl.LOCK_EX):
            how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
            until.enter_context(_held(folder / "has-a-stage", how))
        yield


@pytest.hookimpl(wrapper=True, tryfirst=True)  # what it waits is none of the test's own time
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Wait for a test's turn to have a stage, where there are several workers."""
    alone = item.get_closest_marker("alone") is not None
    worker = getattr(item.config, "workerinput", None)
    if worker is None or not (alone or item.get_closest_marker("drill")):
        return (yield)
    own: Path = item.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    with _beside(own.parent, alone=alone):
        return (yield)
