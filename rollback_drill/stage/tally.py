"""Counts what the suite itself asks of a service, beside the clients' traffic.

A service counts every request. Whoever holds its numbers against what clients saw must know what
came from the suite: checks, probes and those who read writes again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator

_tallies: list[Tally] = []


class Tally:
    """Answers by status ("0": none) to what was asked of `origins`, but for the paths `apart`."""

    def __init__(self, origins: Collection[str], apart: Collection[str]) -> None:
        self._origins, self._apart = tuple(origins), frozenset(apart)
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def note(self, url: str, status: int) -> None:
        """Count the answer to a request of `url`."""
        origin = next((one for one in self._origins if url.startswith(one)), None)
        if origin is None or url.removeprefix(origin).partition("?")[0] in self._apart:
            return
        with self._lock:
            self._counts[str(status)] = self._counts.get(str(status), 0) + 1

    def counts(self) -> dict[str, int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)


@contextlib.contextmanager
def tallied(origins: Collection[str], apart: Collection[str]) -> Iterator[Tally]:
    """Count what is asked in this block; see `Tally`."""
    one = Tally(origins, apart)
    _tallies.append(one)
    try:
        yield one
    finally:
        _tallies.remove(one)


def note(url: str, status: int) -> None:
    """Tell whoever counts that `url` was answered with `status`, 0 for no answer."""
    for one in tuple(_tallies):
        one.note(url, status)
