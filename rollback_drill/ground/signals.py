"""A command is told to end: by Ctrl-C, by `kill`, or by a terminal that goes away."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_MAY_BE_IGNORED = (signal.SIGHUP, signal.SIGQUIT)  # `nohup`, or in the background of a shell


@contextlib.contextmanager
def told_to_end() -> Iterator[None]:
    """Within it, whatever tells this process to end raises KeyboardInterrupt in the main thread.

    That once: later signals would cut short the clearing up, and are ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    taken = [
        number
        for number in _SIGNALS
        if number not in _MAY_BE_IGNORED or before[number] is not signal.SIG_IGN
    ]

    def interrupt(*_: object) -> None:
        for number in taken:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in taken:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number] or signal.SIG_DFL)
