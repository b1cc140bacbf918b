"""Virtual time: nothing is waited for. The clock jumps to whatever comes next.

Everybody who works beside others is a greenlet. One runs at a time, until it waits; whoever is due
first goes on then, in the order in which they began to wait where several are due at once. So the
same work takes the same course, to the last event, whatever machine it runs on.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Generic, TypeVar

from greenlet import getcurrent, greenlet

from rollback_drill.ground import clock
from rollback_drill.ground.clock import Signal, TimeIsOver, Worker

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class NobodyGoesOn(RuntimeError):
    """Everybody waits for somebody else."""


@contextlib.contextmanager
def virtual_time(begin: float) -> Iterator[None]:
    """Keep virtual time from `begin` (Unix seconds) on in this block; it ends whoever still waits.

    Who is left to Python's collection of garbage would die in the middle of another block.
    """
    made = VirtualClock(begin)
    with clock.kept_by(made):
        try:
            yield
        finally:
            made.close()


class _Turn:
    """A moment at which somebody goes on, unless it was called off."""

    __slots__ = ("off", "who")

    def __init__(self, who: greenlet) -> None:
        self.who = who
        self.off = False


class VirtualClock:
    """Begins at `begin` (Unix seconds). To be used by the thread that made it alone."""

    def __init__(self, begin: float) -> None:
        self._now = begin
        self._begin = begin
        self._turns: list[tuple[float, int, _Turn]] = []
        self._count = itertools.count()
        self._hub = greenlet(self._go_on)
        self._begun: set[greenlet] = set()  # and not ended
        self._closed = False

    def now(self) -> float:
        """See Clock.now."""
        return self._now

    def monotonic(self) -> float:
        """See Clock.monotonic."""
        return self._now - self._begin

    def sleep(self, seconds: float) -> None:
        """See Clock.sleep."""
        at = self._now + max(0.0, seconds)
        if not self._turns or at < self._turns[0][0]:
            self._now = at  # nobody is due before
            return
        self._due(at, getcurrent())
        self._let_others()

    def signal(self) -> Signal:
        """See Clock.signal."""
        return _Signal(self)

    def lock(self) -> _Lock:
        """See Clock.lock."""
        return _Lock(self)

    def worker(self, name: str, work: Callable[[], None]) -> Worker:
        """See Clock.worker."""
        del name
        return _Worker(self, work)

    def at_once(
        self, do: Callable[[_Item], _Result], items: Sequence[_Item], at_failure: Callable[[], None]
    ) -> list[_Result]:
        """See Clock.at_once."""
        done = [_Done(self, partial(do, item)) for item in items]
        try:
            return [one.result() for one in done]
        except BaseException:
            at_failure()
            raise

    # For those who wait.

    def _due(self, at: float, who: greenlet) -> _Turn:
        turn = _Turn(who)
        heapq.heappush(self._turns, (at, next(self._count), turn))
        return turn

    def _wait(self, waiters: deque[_Turn], timeout: float | None) -> None:
        """Wait until somebody calls one's turn in `waiters`, or the time is over."""
        if timeout is None:
            turn = _Turn(getcurrent())
        else:
            turn = self._due(self._now + max(0.0, timeout), getcurrent())
        waiters.append(turn)
        self._let_others()
        turn.off = True

    def _call(self, turn: _Turn) -> None:
        """Let somebody go on now who waits."""
        if not turn.off:
            turn.off = True
            self._due(self._now, turn.who)

    def _let_others(self) -> None:
        """Go on once it is one's turn."""
        if self._closed:
            raise TimeIsOver
        who = self._next()
        if who is None:  # who has not begun is false, too
            self._hub.switch()
        elif who is not getcurrent():
            who.switch()

    def _next(self) -> greenlet | None:
        """Return who is to go on, at the time of that turn; None where nobody is."""
        while self._turns:
            at, _, turn = heapq.heappop(self._turns)
            if not turn.off and not turn.who.dead:
                self._now = max(self._now, at)
                return turn.who
        return None

    def _go_on(self, *ended: object) -> None:
        """Let the next one go on whenever somebody has ended."""
        del ended
        while True:
            who = self._next()
            if who is None:
                main = self._hub.parent
                assert main is not None
                main.throw(NobodyGoesOn("everybody waits for somebody else"))
            else:
                who.switch()

    def close(self) -> None:
        """End everybody who still waits, where he waits. To be called by who made the clock."""
        self._closed = True
        while self._begun:
            who = self._begun.pop()
            if who:  # else its turn to begin never came
                who.parent = getcurrent()  # to whom it goes on from its end
                who.throw(TimeIsOver)
        if self._hub:
            self._hub.throw()


class _Signal:
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._set = False
        self._waiters: deque[_Turn] = deque()

    def set(self) -> None:
        self._set = True
        while self._waiters:
            self._clock._call(self._waiters.popleft())

    def is_set(self) -> bool:
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set and timeout != 0.0:
            self._clock._wait(self._waiters, timeout)
        return self._set


class _Lock:
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._held = False
        self._waiters: deque[_Turn] = deque()

    def __enter__(self) -> None:
        while self._held:
            self._clock._wait(self._waiters, None)
        self._held = True

    def __exit__(self, *exc: object) -> None:
        self._held = False
        if self._waiters:
            self._clock._call(self._waiters.popleft())


class _Worker:
    def __init__(self, clock: VirtualClock, work: Callable[[], None]) -> None:
        self._clock = clock
        self._over = _Signal(clock)
        self._began = False
        self._work = work

    def start(self) -> None:
        self._began = True
        who = greenlet(self._run, parent=self._clock._hub)
        self._clock._begun.add(who)
        self._clock._due(self._clock.now(), who)

    def ended(self, within_s: float) -> bool:
        return not self._began or self._over.wait(within_s)

    def wait(self) -> None:
        self._over.wait()

    def _run(self) -> None:
        try:
            self._work()
        except TimeIsOver:
            pass  # it goes no further
        finally:
            self._clock._begun.discard(getcurrent())
            self._over.set()


class _Done(Generic[_Result]):
    """What came of doing something beside others."""

    def __init__(self, clock: VirtualClock, do: Callable[[], _Result]) -> None:
        self._do = do
        self._results: list[_Result] = []
        self._error: BaseException | None = None
        self._worker = _Worker(clock, self._keep)
        self._worker.start()

    def _keep(self) -> None:
        try:
            self._results.append(self._do())
        except TimeIsOver:
            raise
        except BaseException as error:
            self._error = error

    def result(self) -> _Result:
        self._worker.wait()
        if self._error is not None:
            raise self._error
        return self._results[0]
