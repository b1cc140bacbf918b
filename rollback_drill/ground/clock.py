"""One clock for every record: Unix seconds that never jump backwards."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_EPOCH = time.time() - time.monotonic()


def now() -> float:
    """Return Unix seconds, advanced by the monotonic clock since this process started.

    `time.monotonic` is one clock for all processes of a Linux machine, so records of
    several processes can be compared to within the error of their first `time.time()`.
    """
    return _EPOCH + time.monotonic()


def iso(at: float) -> str:
    """Return Unix seconds `at` as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
