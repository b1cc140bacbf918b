"""The one waiting idiom: `for _ in wait_until("the service answers", 10): if ok(): break`."""

from __future__ import annotations

from collections.abc import Iterator

from rollback_drill.ground import clock
from rollback_drill.ground.errors import WaitTimeout


def wait_until(
    what: str, timeout_s: float, *, every_s: float = 0.05, advice: str = "see the timeline"
) -> Iterator[float]:
    """Yield the elapsed seconds until the caller breaks out of the loop.

    Raises WaitTimeout, naming `what`, once `timeout_s` seconds have passed; the condition
    is always tried at least once, and once more after the last pause.
    """
    start = clock.monotonic()
    while True:
        elapsed = clock.monotonic() - start
        yield elapsed
        if elapsed >= timeout_s:
            raise WaitTimeout(f"{what} within {timeout_s:g} s", "it did not happen", advice)
        clock.sleep(min(every_s, max(0.0, timeout_s - (clock.monotonic() - start))))
