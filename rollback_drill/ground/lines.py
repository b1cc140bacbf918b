"""Reads text files line by line, whatever stands at their path: nothing hangs, all is bounded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rollback_drill.ground.errors import UsageError

LONGEST_LINE = 1 << 24
"""Bytes of a line that anybody may have written."""


def read_lines(
    path: Path, expected: str, advice: str, *, whole_only: bool = False, longest: int = LONGEST_LINE
) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of the file at `path`, without line ends and a byte order mark.

    `whole_only`: a last line without its end is left out: somebody was killed while he wrote it.
    Raises UsageError that says `expected` and `advice` for what is no file, or no UTF-8, or has a
    line of more than `longest` bytes.
    """
    with _opened(path, expected, advice) as file:
        number = 0
        while raw := file.readline(longest + 1):
            number += 1
            if len(raw) > longest:
                # Even where it is the last: nobody wrote so much of a line.
                found = f"more than {longest >> 20} MB without an end in line {number}"
                raise UsageError(expected, found, advice)
            if whole_only and not raw.endswith(b"\n"):
                return
            try:
                line = raw.decode()
            except UnicodeDecodeError as error:
                found = f"bytes that are no UTF-8 in line {number}"
                raise UsageError(expected, found, advice) from error
            yield number, (line.removeprefix("\ufeff") if number == 1 else line).rstrip("\r\n")


def _opened(path: Path, expected: str, advice: str) -> BinaryIO:
    """Open a file, and nothing else: who opens a pipe would wait for somebody to write to it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise UsageError(expected, "something that is no file", advice)
    except OSError as error:
        raise UsageError(expected, str(error.strerror), advice) from error
    except ValueError as error:  # a NUL in its name
        raise UsageError(expected, str(error), advice) from error
    return os.fdopen(descriptor, "rb")
