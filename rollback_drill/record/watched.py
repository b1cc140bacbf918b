"""Threads of a drill that cannot die unseen, of whatever error, nor hang at its end.

Who looks for a drill looks in a thread of its own. One that ended in silence would leave nothing to
see, and nothing seen would be taken for nothing wrong.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from rollback_drill.ground import clock
from rollback_drill.ground.errors import in_words
from rollback_drill.record.told import ObserverDied

Report = Callable[[ObserverDied], object]

_lock = threading.Lock()
_drills: list[Report] = []
_untold: list[ObserverDied] = []


@contextlib.contextmanager
def reported_to(report: Report) -> Iterator[None]:
    """Tell `report` of every death in this block, and of those before it that nobody was told."""
    with _lock:
        _drills.append(report)
        earlier, _untold[:] = list(_untold), []
    try:
        for death in earlier:
            report(death)
        yield
    finally:
        with _lock:
            _drills.remove(report)


def died(observer: str, error: BaseException | str) -> None:
    """Say that `observer` looks no more: of an error, or for a reason in words."""
    death = ObserverDied(observer, error if isinstance(error, str) else in_words(error))
    with _lock:
        report = _drills[-1] if _drills else None
        if report is None:
            _untold.append(death)
    if report is not None:
        report(death)


class Watched:
    """A thread that runs `work`. Whatever it dies of is told, unless `over` is set by then."""

    def __init__(
        self,
        observer: str,
        work: Callable[..., object],
        *arguments: object,
        over: clock.Signal | None = None,
    ) -> None:
        self.observer = observer
        self._work = work
        self._arguments = arguments
        self._over = over
        self._worker = clock.worker(observer, self._run)

    def start(self) -> Watched:
        """Start it."""
        self._worker.start()
        return self

    def end(self, limit_s: float) -> None:
        """Wait for its end; one that has not ended after `limit_s` seconds hangs, which is told."""
        if not self.ended(limit_s):
            died(self.observer, f"it hung: it did not end within {limit_s:g} s")

    def ended(self, within_s: float = 0.0) -> bool:
        """Wait at most `within_s` seconds; return whether it has ended, or never began."""
        return self._worker.ended(within_s)

    def _run(self) -> None:
        try:
            self._work(*self._arguments)
        except clock.TimeIsOver:
            raise
        except BaseException as error:  # nobody above would hear of it
            if self._over is None or not self._over.is_set():
                died(self.observer, error)
