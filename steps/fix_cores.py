"""How a run is shared among the machine's cores (`-n`), and when its features begin.

Modules go to whichever worker is free, the longest first, or one worker ends with them while the
others have nothing to do. Features come last, when each worker has a test or two left of all
others: what they measure is a service's, not a neighbour's. Each of them goes to whichever worker
is free: their drills take turns at what they measure (`conduct/turns.py`), and set up and clear up
beside each other.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import NodeManager, WorkerController

_FEATURES = "features/"
_LEFT = 2
"""Tests: what xdist lets a worker have left before it is given more."""
_CLEARS_UP_S = 30
"""How long a worker that is told to end has for what it brought up."""


def _is_feature(nodeid: str) -> bool:
    return nodeid.startswith(_FEATURES)


class _Shared(LoadFileScheduling):  # type: ignore[misc] # has no types
    """Module by module, then feature by feature.

    A worker begins a test once it knows the next one, so that none ever runs out of tests before
    the features are handed out.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if _is_feature(nodeid) else str(super()._split_scope(nodeid))

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        super().mark_test_complete(node, item_index, duration)
        for one in self.nodes if _is_feature(next(iter(self.workqueue), "")) else ():
            self._reschedule(one)  # it may have waited for this one

    def _too_early(self) -> bool:
        """Whether what comes next is a feature, and a worker has still more than a test or two."""
        return _is_feature(next(iter(self.workqueue), "")) and any(
            self._pending_of(
                {scope: unit for scope, unit in work.items() if not _is_feature(scope)}
            )
            > _LEFT
            for work in self.assigned_work.values()
        )

    def _assign_work_unit(self, node: WorkerController) -> None:
        # Of a worker that crashed all comes back, also what is done: a worker that is given nothing
        # but that would wait for ever.
        while self.workqueue and all(next(iter(self.workqueue.values())).values()):
            self.workqueue.popitem(last=False)
        if not self.workqueue:
            node.shutdown()
        elif not self._too_early():
            super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Shared | None:
    """Share by our own rule, unless another is asked for (`--dist`)."""
    if config.getoption("dist") != "load":
        return None
    NodeManager.EXIT_TIMEOUT = _CLEARS_UP_S
    config.option.loadscopereorder = False  # they come in the order that is made below
    return _Shared(config, log)


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
