"""How this suite writes files: beside and renamed into place, never through a link.

Whoever can write to a folder of reports could lay a link there, to a file that the drill's user may
write and he may not. So no name that is written to is ever followed: it is replaced, or refused.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import IO, TextIO

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ANYBODY = 0o666  # less what the user's umask takes away


def write(path: Path, content: str | bytes, *, mode: int = _ANYBODY) -> None:
    """Put `content` (text as UTF-8) at `path`, whole or not at all; a link there is replaced.

    Raises OSError.
    """
    # What UTF-8 has no bytes for, as in a file name of another encoding, is told by its number.
    raw = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    scratch, file = _beside(path, mode)
    _finish(scratch, path, file, raw)


def copy(source: Path, path: Path) -> None:
    """Put a copy of `source` at `path`, as `write` does. Raises OSError."""
    with source.open("rb") as original:
        scratch, file = _beside(path, _ANYBODY)
        _finish(scratch, path, file, original)


def create(path: Path) -> TextIO:
    """Return a new, empty file at `path`, opened to be written as it grows (UTF-8).

    What was there before, a link too, is another file, and stays as it is. Raises OSError.
    """
    scratch, file = _beside(path, _ANYBODY)
    try:
        scratch.replace(path)
    except BaseException:
        file.close()
        scratch.unlink(missing_ok=True)
        raise
    return io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace")


def append(path: Path, *lines: str) -> None:
    """Add `lines` to the file at `path`, which is made where there is none; the first begins anew
    where somebody was killed while he wrote the last.

    Raises OSError, also when it is no file but a link, a pipe or a folder.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, _ANYBODY)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "a symbolic link, which is not written through") from error
        raise
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if not is_file:
            raise OSError(errno.EINVAL, "something that is no file")
        size = file.seek(0, os.SEEK_END)
        if not lines:
            return
        torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
        # At once, so that two who write at a time do not mix.
        text = "\n" * bool(torn) + "".join(f"{line}\n" for line in lines)
        file.write(text.encode("utf-8", "backslashreplace"))


def remove(path: Path) -> None:
    """Remove what is at `path`: a folder with all that is in it, a file, or a link alone.

    What is not there is no error. Raises OSError.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _beside(path: Path, mode: int) -> tuple[Path, IO[bytes]]:
    """Open a new file beside `path`, whose name nobody can have foreseen."""
    scratch = path.with_name(f".{path.name[:60]}.{secrets.token_hex(8)}.part")
    return scratch, os.fdopen(os.open(scratch, _NEW, mode), "wb")


def _finish(scratch: Path, path: Path, file: IO[bytes], content: bytes | IO[bytes]) -> None:
    try:
        with file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                shutil.copyfileobj(content, file)
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
