"""A terminal: what comes from logs, runbooks and hosts is shown there, never obeyed.

Nor does one that went away end a drill: what it does not take is lost, and nothing else is.
"""

from __future__ import annotations

import contextlib
import io
import select
import sys
from typing import Any

_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
_UNSEEN = (*range(0x80, 0xA0), 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SIGNS = {**_CONTROLS, 0x7F: 0x2421, **dict.fromkeys(_UNSEEN, 0xFFFD)}
"""A picture for each character that a terminal would obey; one for what turns text around."""


def shown(text: str) -> str:
    """Return `text` with a visible sign for each character that a terminal would obey."""
    return text.translate(_SIGNS)


def outlive_terminal() -> None:
    """Let this process live on when its terminal, or who reads its output, went away."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout is sys.__stdout__:
        sys.stdout = _lasting(sys.stdout)
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:
        sys.stderr = _lasting(sys.stderr)


def _lasting(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return `stream` so that a letter that it has no sign for, or its end, is no error."""
    with contextlib.suppress(OSError):
        stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Lasting(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=True,  # nothing is left to whoever ends this process
    )


class _Lasting(io.FileIO):
    """A file descriptor that takes everything, whether or not anybody reads it."""

    def write(self, data: Any) -> int:
        try:
            while (written := super().write(data)) is None:  # somebody made it not wait by itself
                select.select([], [self], [])
        except OSError:
            written = memoryview(data).nbytes
        return written
