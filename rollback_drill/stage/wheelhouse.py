"""Fetches the wheels that the service's releases need, once, so that `uv sync` works offline."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rollback_drill.ground.errors import StageError, UsageError
from rollback_drill.ground.home import DEMO
from rollback_drill.ground.home import cache as cache_folder
from rollback_drill.stage.host import run_bounded

__all__ = ["HOST_PYTHON", "container_platforms", "ensure_wheelhouse"]

HOST_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LOCK = DEMO / "service" / "requirements.lock"
CACHE = cache_folder() / "wheelhouse"
_LIMIT_S = 240
# Names of the machine in wheels. An engine on a Mac calls aarch64 "arm64".
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
# glibc versions up to that of the containers' Debian 12, newest first (PEP 600), and the alias
# that stands for 2.17 (PEP 599).
_GLIBC = (*(f"manylinux_2_{minor}" for minor in range(36, 16, -1)), "manylinux2014")
_STALE_S = 3600
_LONGEST = 400  # characters of pip's words in an error


def container_platforms(machine: str = "") -> tuple[str, ...]:
    """Return the wheel platforms of a Debian 12 container on `machine` (default: this one's).

    Raises UsageError for a machine other than x86_64 and aarch64.
    """
    machine = machine or platform.machine()
    name = _MACHINES.get(machine.lower())
    if name is None:
        raise UsageError(
            "a machine of the kind x86_64 or aarch64", machine, "use STAGE=processes here"
        )
    return tuple(f"{glibc}_{name}" for glibc in _GLIBC)


def ensure_wheelhouse(
    cache: Path = CACHE,
    python: str = HOST_PYTHON,
    platforms: Sequence[str] = (),
    *,
    lock: Path = LOCK,
) -> Path:
    """Return a folder with a wheel of every package in `lock`, fetched when it is not there yet.

    `python`: "3.11" or such. `platforms`: wheel platforms, none for this very machine. The folder
    lies in `cache` under a name made of these and of the lock's hash. Raises UsageError when the
    lock is missing, StageError when a wheel cannot be fetched.
    """
    try:
        content = lock.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the pinned requirements {lock}", error.strerror or str(error), "restore the file"
        ) from error
    target = cache / _key(content, python, platforms)
    if target.is_dir():
        return target
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _sweep(cache)
        # A folder with the final name is complete: it is filled beside it and then renamed.
        scratch = Path(tempfile.mkdtemp(prefix=".fetching-", dir=cache))
    except OSError as error:
        raise UsageError(f"to write into {cache}", str(error), "check its free space") from error
    try:
        _progress(f"Fetching the wheels of the service for Python {python} (once) ...")
        _fetch(lock, scratch, python, platforms)
        scratch.chmod(0o755)  # the service's user may be another one
        try:
            scratch.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was faster, with the same content
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _sweep(cache: Path) -> None:
    """Remove what a killed run left half fetched; a younger folder may still be filled."""
    for scratch in cache.glob(".fetching-*"):
        if time.time() - scratch.stat().st_mtime > _STALE_S:
            shutil.rmtree(scratch, ignore_errors=True)


def _key(lock: bytes, python: str, platforms: Sequence[str]) -> str:
    where = platforms or [f"{sys.platform}-{platform.machine()}", *platform.libc_ver()]
    digest = hashlib.sha256(b"\0".join([lock, python.encode(), "|".join(where).encode()]))
    return f"py{python}-{digest.hexdigest()[:16]}"


def _fetch(lock: Path, target: Path, python: str, platforms: Sequence[str]) -> None:
    command = [
        *[sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"],
        *["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-input"],
        *["--requirement", str(lock), "--dest", str(target), "--python-version", python],
    ]
    for name in platforms:
        command += ["--platform", name]
    done = run_bounded(command, limit_s=_LIMIT_S, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    if done.exit_status is None:
        raise StageError(
            f"the service's wheels within {_LIMIT_S} s",
            "the download did not end",
            "check the network and try again",
        )
    if not done.ok:
        # pip names the reason first or, for a hash, the package in the line below.
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        first = next((at for at, line in enumerate(lines) if "ERROR" in line), 0)
        found = " ".join(lines[first : first + 2])[:_LONGEST] or "pip said nothing"
        raise StageError(
            f"a wheel of every package in {lock.name} for Python {python}",
            found,
            "check the network and the package index that pip is configured for, then try again",
        )
    if not any(target.glob("*.whl")):
        raise StageError(f"wheels for {lock.name}", "an empty folder", "look into the lock")


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
