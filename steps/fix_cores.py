"""How a run is shared among the machine's cores (`-n`), and what runs beside nothing else.

Modules go to whichever worker is free, the longest first, or one worker ends with them while the
others have nothing to do. Features come last, one after the other, while nothing else runs: what
they measure is a service's, not a neighbour's. Of a run of features alone each scenario goes to
whichever worker is free: their drills take turns at what they measure (`conduct/turns.py`), and set
up and clear up beside each other.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import NodeManager, WorkerController

_ALONE = "features"
_CLEARS_UP_S = 30
"""How long a worker that is told to end has for what it brought up."""


def _is_feature(nodeid: str) -> bool:
    return nodeid.startswith(f"{_ALONE}/")


class _Shared(LoadFileScheduling):  # type: ignore[misc] # has no types
    """Module by module, then the features by the one worker that is left.

    A worker begins a test once it knows the next one or is told that there is none, so the others
    are told before the features are handed out.
    """

    _nothing_else = False  # than features

    def schedule(self) -> None:
        collected: list[str] = next(iter(self.registered_collections.values()), [])
        self._nothing_else = all(map(_is_feature, collected))
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        if self._nothing_else:
            return nodeid
        return _ALONE if _is_feature(nodeid) else str(super()._split_scope(nodeid))

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        super().mark_test_complete(node, item_index, duration)
        for one in self.nodes if self._alone_is_next() else ():
            self._reschedule(one)

    def _alone_is_next(self) -> bool:
        return next(iter(self.workqueue), "") == _ALONE

    def _others_are_busy(self, node: WorkerController) -> bool:
        return any(
            one is not node and self._pending_of(work) for one, work in self.assigned_work.items()
        )

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not (self._alone_is_next() and self._others_are_busy(node)):
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if self._alone_is_next() and not node.shutting_down:
            if any(one is not node and not one.shutting_down for one in self.nodes):
                node.shutdown()
                return
            if self._others_are_busy(node):
                return
        super()._reschedule(node)


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
