"""Time and waiting, for all of the engine: by the machine's clock, or by a virtual one.

Whoever above `stage` wants to know the time, pauses, waits for somebody or works beside others asks
here. So a drill can be held in virtual time (`ground.virtual`) by the very same code.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Protocol, TypeVar

_EPOCH = time.time() - time.monotonic()
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class TimeIsOver(BaseException):
    """Ends whoever still waits when the time that is kept comes to its end: no error of his."""


class Signal(Protocol):
    """What somebody waits for until another one sets it; `threading.Event` is one."""

    def set(self) -> None:
        """Let everybody go on who waits."""
        ...

    def is_set(self) -> bool:
        """Return whether it was set."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds; return whether it is set."""
        ...


class Worker(Protocol):
    """Work that is done beside what goes on."""

    def start(self) -> None:
        """Begin."""
        ...

    def ended(self, within_s: float) -> bool:
        """Wait at most `within_s` seconds; return whether it has ended, or never began."""
        ...


class Clock(Protocol):
    """A kind of time, with all that waits in it."""

    def now(self) -> float:
        """Return Unix seconds that never jump backwards."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some moment, for what takes long."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        ...

    def signal(self) -> Signal:
        """Return a new signal."""
        ...

    def lock(self) -> AbstractContextManager[object]:
        """Return a new lock that may be held while time passes."""
        ...

    def worker(self, name: str, work: Callable[[], None]) -> Worker:
        """Return a worker that will do `work` beside its caller."""
        ...

    def at_once(
        self, do: Callable[[_Item], _Result], items: Sequence[_Item], at_failure: Callable[[], None]
    ) -> list[_Result]:
        """Do something with every item at the same time; return the results in order. Raises what
        the first one raises; `at_failure` is called before the others are waited for.
        """
        ...


class MachineClock:
    """The machine's own time, and threads."""

    def now(self) -> float:
        """Advanced by the monotonic clock since this process started, which is one clock for all
        processes of a Linux machine: so records of several processes can be compared to within the
        error of their first `time.time()`.
        """
        return _EPOCH + time.monotonic()

    def monotonic(self) -> float:
        """See Clock.monotonic."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See Clock.sleep."""
        time.sleep(seconds)

    def signal(self) -> Signal:
        """See Clock.signal."""
        return threading.Event()

    def lock(self) -> AbstractContextManager[object]:
        """See Clock.lock."""
        return threading.Lock()

    def worker(self, name: str, work: Callable[[], None]) -> Worker:
        """See Clock.worker."""
        return _Thread(name, work)

    def at_once(
        self, do: Callable[[_Item], _Result], items: Sequence[_Item], at_failure: Callable[[], None]
    ) -> list[_Result]:
        """See Clock.at_once."""
        with ThreadPoolExecutor(max_workers=max(1, len(items))) as pool:
            try:
                return list(pool.map(do, items))
            except BaseException:
                at_failure()
                raise


class _Thread:
    """A thread that does not keep the program alive."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=work, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ended(self, within_s: float) -> bool:
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(within_s)
        return not self._thread.is_alive()


_clock: Clock = MachineClock()


@contextlib.contextmanager
def kept_by(clock: Clock) -> Iterator[None]:
    """Keep time by `clock` in this block."""
    global _clock
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before


def now() -> float:
    """Return Unix seconds that never jump backwards."""
    return _clock.now()


def monotonic() -> float:
    """Return seconds since some moment, for what takes long."""
    return _clock.monotonic()


def sleep(seconds: float) -> None:
    """Let so many seconds pass."""
    _clock.sleep(seconds)


def signal() -> Signal:
    """Return a new signal."""
    return _clock.signal()


def lock() -> AbstractContextManager[object]:
    """Return a new lock that may be held while time passes."""
    return _clock.lock()


def worker(name: str, work: Callable[[], None]) -> Worker:
    """Return a worker that will do `work` beside its caller."""
    return _clock.worker(name, work)


def at_once(
    do: Callable[[_Item], _Result],
    items: Sequence[_Item],
    at_failure: Callable[[], None] = lambda: None,
) -> list[_Result]:
    """Do something with every item at the same time; return the results in order.

    Raises what the first one raises; `at_failure` is called before the others are waited for.
    """
    return _clock.at_once(do, items, at_failure)


def iso(at: float) -> str:
    """Return Unix seconds `at` as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
