"""How a run is shared among the machine's cores (`-n`), and when its features begin.

Modules go to whichever worker is free, the longest first, or one worker ends with them while the
others have nothing to do. Tests that open a stage wait for most of their time: `-n auto` has more
workers than cores, as many of which have such tests as there are cores. All others compute.
Modules that want the hosts of staging to themselves come one after another: a worker that waits for
another's would do nothing for minutes.

Features measure a service, and a neighbour would be measured as well. Where drills go before other
programs (`ground/priority.py`), features come first, and whoever has none waits for their end.
Elsewhere they come last, when each worker has a test or two left of all others. Each of them goes
to whichever worker is free: their drills take turns at what they measure (`conduct/turns.py`), and
set up and clear up beside each other.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import NodeManager, WorkerController

from rollback_drill.ground import priority
from rollback_drill.stage.engine import stands_apart

from .fix_stages import HOLDING, stages_of

_FEATURES = "features/"
_LEFT = 2
"""Tests: what xdist lets a worker have left before it is given more."""
_CLEARS_UP_S = 30
"""How long a worker that is told to end has for what it brought up."""
_OF_STAGES = (*(f"mark.{name}" for name in ("drill", *HOLDING)), "kept_stage")
"""Words of modules with tests that open a stage."""
_OF_HOSTS = "scripts_alone"
"""The word of modules that have this machine's hosts of staging to themselves."""
_BEFORE_OTHERS = -5
"""By how much a worker that holds a feature goes before the other workers."""


def _cores() -> int:
    return os.cpu_count() or 1


def _is_feature(nodeid: str) -> bool:
    return nodeid.startswith(_FEATURES)


@cache
def _words(root: Path, scope: str) -> str:
    """Return the text of a module below `root`, of a feature nothing."""
    path = root / scope
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@cache
def _opens_stage(root: Path, scope: str) -> bool:
    """Whether a module or feature below `root` may have to do with a stage, by its words."""
    return _is_feature(scope) or any(one in _words(root, scope) for one in _OF_STAGES)


class _Shared(LoadFileScheduling):  # type: ignore[misc] # has no types
    """Module by module, and feature by feature.

    A worker begins a test once it knows the next one, so that none ever runs out of tests before
    all are handed out.
    """

    def __init__(self, config: pytest.Config, log: Any, *, features_first: bool) -> None:
        super().__init__(config, log)
        self._features_first = features_first
        self._lanes = _cores()

    def _has_stage(self, scope: str) -> bool:
        return _opens_stage(self.config.rootpath, scope)

    def _wants_hosts(self, scope: str) -> bool:
        return _OF_HOSTS in _words(self.config.rootpath, scope)

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if _is_feature(nodeid) else str(super()._split_scope(nodeid))

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        super().mark_test_complete(node, item_index, duration)
        for one in self.nodes:  # others may have waited for this one
            self._reschedule(one)

    def _pending(self, node: WorkerController) -> Iterator[str]:
        """Yield the module or feature of each test that `node` has before it."""
        for scope, unit in self.assigned_work[node].items():
            yield from (scope for done in unit.values() if not done)

    def _has_features_before(self, node: WorkerController) -> bool:
        """Whether features have yet to end, or to be handed out, before `node` has other tests.

        One that has features itself gets more: it begins its last one once it knows what is next.
        """
        if any(map(_is_feature, self._pending(node))):
            return False
        others = (scope for one in self.nodes for scope in self._pending(one))
        return any(map(_is_feature, self._waiting(node))) or any(map(_is_feature, others))

    def _too_early(self) -> bool:
        """Whether a worker has still more than a test or two that are no features."""
        return not self._features_first and any(
            sum(not _is_feature(one) for one in self._pending(node)) > _LEFT for node in self.nodes
        )

    def _waiting(self, node: WorkerController) -> list[str]:
        """Return what can be handed out to `node`, in the order in which it should be.

        Of a worker that crashed all comes back, also what is done.
        """
        for scope, unit in list(self.workqueue.items()):
            if all(unit.values()):
                del self.workqueue[scope]
        features = [one for one in self.workqueue if _is_feature(one)]
        others = (scope for one in self.nodes if one is not node for scope in self._pending(one))
        taken = any(map(self._wants_hosts, others))
        rest = [
            one
            for one in self.workqueue
            if not (_is_feature(one) or (taken and self._wants_hosts(one)))
        ]
        return features + rest if self._features_first else rest or features

    def _next(self, node: WorkerController) -> str:
        """Return what `node` has to do next, "" for nothing."""
        waiting = self._waiting(node)
        others = [one for one in self.nodes if one is not node]
        stages = (one for one in waiting if self._has_stage(one))
        plain = (one for one in waiting if not self._has_stage(one))
        have = sum(any(map(self._has_stage, self._pending(one))) for one in others)
        chosen = next(stages, "") if have < self._lanes else ""
        if _is_feature(chosen) or not any(_is_feature(x) for o in others for x in self._pending(o)):
            return chosen or next(plain, "")
        return next(plain, chosen)  # nobody has a stage beside a feature without need

    def _assign_work_unit(self, node: WorkerController) -> None:
        chosen = self._next(node)
        if not chosen:
            node.shutdown()
        elif not (
            self._too_early()
            if _is_feature(chosen)
            else self._features_first and self._has_features_before(node)
        ):
            self.workqueue.move_to_end(chosen, last=False)
            super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True, tryfirst=True)  # before xdist's own answer
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return how many workers `-n auto` has: two compute while others wait for a stage."""
    return _cores() + 2 if config.option.numprocesses == "auto" else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Shared | None:
    """Share by our own rule, unless another is asked for (`--dist`)."""
    if config.getoption("dist") != "load":
        return None
    NodeManager.EXIT_TIMEOUT = _CLEARS_UP_S
    config.option.loadscopereorder = False  # they come in the order that is made below
    stages = stages_of(config) if hasattr(config.option, "stages") else ()  # other tests have none
    go_before = priority.may_prefer() and ("containers" not in stages or stands_apart())
    return _Shared(config, log, features_first=go_before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Have a worker that holds a feature go before the other workers, where it may."""
    if not _is_feature(item.nodeid):
        return (yield)
    with priority.raised(_BEFORE_OTHERS):
        return (yield)


@pytest.hookimpl(trylast=True)  # after anything is chosen by a marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put modules that take long first, and features last."""
    slow = Counter(one.path for one in items if one.get_closest_marker("slow"))
    drill = Counter(one.path for one in items if one.get_closest_marker("drill"))
    items.sort(
        key=lambda one: (
            _is_feature(one.nodeid),
            -slow[one.path],
            -drill[one.path],
        )
    )
