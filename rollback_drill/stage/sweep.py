"""What a killed drill left behind, by identity: removed with its folder, or taken over."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from rollback_drill.ground import files
from rollback_drill.ground.errors import UsageError, WaitTimeout
from rollback_drill.ground.machine import temporary
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.host import run_bounded

PREFIX = "rollback-drill-"
_STATE = "owner.jsonl"
_MOST_BYTES = 1 << 20
_REMOVAL_S = 120.0  # of a few thousand files, on a disk that others use
_STALE_S = 3600.0
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OF_A_DRILL = ["bash"]  # what leads the session of each script, see stage.session


def note_owner(folder: Path) -> None:
    """Write down in `folder` that this process owns it, before anything is started."""
    _note(folder, os.getpid())


def note_child(folder: Path, pid: int) -> None:
    """Write down in `folder` that its owner started the process `pid`."""
    _note(folder, pid)


def _note(folder: Path, pid: int) -> None:
    files.append(folder / _STATE, json.dumps(identity(pid)))


def is_own(folder: Path) -> bool:
    """Whether `folder` is a folder, no link to one, that nobody but this user can write to.

    Everybody may make folders of any name in the one for temporary files.
    """
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not found.st_mode & _OTHERS_MAY_WRITE
    )


def own_folder(folder: Path) -> None:
    """Make `folder`, or see that it is this user's own. Raises UsageError when it is not."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o755)
    if not is_own(folder):
        raise UsageError(
            f"a folder {folder} of this user's own",
            "one that others can write to",
            "remove it, or have its owner do so",
        )


def read_own(folder: Path, name: str) -> str:
    """Return the text of the file `name` in `folder`, if both are this user's own.

    Raises OSError, also for what is no file or too large, and ValueError for what is no text.
    """
    if not is_own(folder):
        raise PermissionError(f"{folder} is not this user's own")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(folder / name, flags), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{folder / name} is no file of this user's own")
        if found.st_size > _MOST_BYTES:
            raise OSError(f"{folder / name} is larger than any that a drill writes")
        return file.read().decode()


def _read_identities(folder: Path) -> list[tuple[int, float]]:
    """Return who is noted in `folder`, its owner first. Raises as `read_own` does."""
    found = []
    for line in read_own(folder, _STATE).splitlines():
        match json.loads(line):
            case [int(pid), int() | float() as created]:
                found.append((pid, float(created)))
            case _:
                raise ValueError(f"no identity of a process: {line[:80]}")
    if not found:
        raise ValueError("nobody is noted")
    return found


def identity(pid: int) -> tuple[int, float]:
    """Return what names one process for ever: its id, which is used again, and when it was made."""
    return pid, psutil.Process(pid).create_time()


def find(pid: int, created: float) -> psutil.Process | None:
    """Return the process of that identity, None when it is gone."""
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < 0.01 else None
    except (psutil.Error, ValueError, OverflowError):  # or it cannot be one
        return None


def sweep() -> list[str]:
    """Remove the folders of dead drills and the processes they started; return the folders."""
    places = {Path(tempfile.gettempdir()), temporary()}
    folders = [folder for place in places for folder in place.glob(f"{PREFIX}*")]
    return [str(folder) for folder in folders if sweep_folder(folder)]


def sweep_folder(folder: Path) -> bool:
    """Remove `folder` and the processes that its owner started, if the owner is dead.

    False when it lives, or the folder says of nobody that he owns it, or belongs to another user:
    what that one says of processes is not to be believed.
    """
    try:
        owner, *children = _read_identities(folder)
    except (OSError, ValueError, RecursionError):
        return _remove_forgotten(folder)  # being made just now, or not ours
    if find(*owner):
        return False
    for child in children:
        process = find(*child)
        if process:
            _end_with_all(process)
    remove_stage(folder)
    return True


def remove_stage(folder: Path) -> None:
    """Remove a stage's `folder`, and last who owns it: what is left by a removal that is cut off is
    removed by the next sweep.
    """
    with contextlib.suppress(FileNotFoundError):
        rest = [str(path) for path in folder.iterdir() if path.name != _STATE]
        run_bounded(["rm", "-rf", "--", *rest], limit_s=_REMOVAL_S)  # sooner than Python
        shutil.rmtree(folder, ignore_errors=True)


def _remove_forgotten(folder: Path) -> bool:
    """Remove a folder that was made long ago and that nobody came to own, if it is empty."""
    with contextlib.suppress(OSError):
        if is_own(folder) and time.time() - folder.stat().st_mtime > _STALE_S:
            folder.rmdir()
            return True
    return False


def _end_with_all(process: psutil.Process) -> None:
    """Kill a process and all below it. Those above come first, and stand still before anybody looks
    whom they have: who supervises others would start them anew meanwhile.
    """
    with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself
        process.suspend()
        below = process.children()
        process.kill()
        for one in below:
            _end_with_all(one)


class TakenOver:
    """A process that a dead drill started; offers what is used of `subprocess.Popen`."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.pid = process.pid

    def poll(self) -> int | None:
        """Return None while it runs. How it ended nobody knows: 0."""
        try:
            # Who ended may wait for process 1 to notice.
            over = self._process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            over = True
        return 0 if over else None

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process.send_signal(number)

    def kill(self) -> None:
        """Send it SIGKILL, if it runs."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float) -> int:
        """Wait until it has ended. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        try:
            for _ in wait_until(f"process {self.pid} ends", timeout):
                if self.poll() is not None:
                    return 0
        except WaitTimeout as error:
            raise subprocess.TimeoutExpired(str(self.pid), timeout) from error
        return 0


def take_over(folder: Path) -> list[TakenOver]:
    """Make this process the owner of a dead drill's `folder`; return what of it still runs.

    Raises UsageError when that drill lives, or its folder is gone.
    """
    try:
        owner, *children = _read_identities(folder)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the stage of the dead drill in {folder}",
            "none that is whole",
            "hold a new drill: stages of dead ones are removed when the next one begins",
        ) from error
    if find(*owner):
        raise UsageError(
            "a drill that is dead",
            f"process {owner[0]}, which still holds it",
            "press Ctrl-C there: it then heals and clears up by itself",
        )
    living = [process for one in children if (process := find(*one))]
    identities = [identity(os.getpid()), *(identity(process.pid) for process in living)]
    files.write(folder / _STATE, "".join(json.dumps(one) + "\n" for one in identities))
    return [TakenOver(process) for process in living]


def end_scripts(application: str) -> int:
    """End the scripts of a dead drill that still run for the deployment in the folder
    `application`, each with its whole session; return how many there were.
    """
    ended = 0
    for leader in psutil.process_iter(["cmdline"]):
        if leader.info["cmdline"] != _OF_A_DRILL:
            continue
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if leader.environ().get("APP_DIR") != application:
                continue
            if os.getsid(leader.pid) != leader.pid or leader.terminal():
                continue  # a part of one that is ended as a whole, or somebody's shell
            ended += 1
            members = [one for one in psutil.process_iter() if _session(one) == leader.pid]
            for member in members:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.kill()
    return ended


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except OSError:  # it ended, or belongs to somebody else
        return 0
