"""Where commands run. Every command has a time limit; its output is handed on line by line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from rollback_drill.ground.errors import StageError
from rollback_drill.stage.output import KEPT, OnLine, Output
from rollback_drill.stage.session import new_session

__all__ = [
    "Completed",
    "Host",
    "LocalHost",
    "OnLine",
    "Running",
    "completed",
    "end_all",
    "look",
    "not_begun",
    "run_bounded",
    "run_program",
    "unseen",
]

Running = set[subprocess.Popen[bytes]]
_GRACE_S = 0.5
_LATE_S = 2.0
_CHUNK = 65_536
_KILLED = 128 + signal.SIGKILL  # as a shell tells it


@dataclass(frozen=True, slots=True)
class Completed:
    """What a script left. `exit_status` is None when it was ended at its limit, or by its caller.

    `why`: what ended it, in words, when it came neither to its own end nor to its limit. `left_out`
    bytes between the beginning and the end of its output were not kept.
    """

    exit_status: int | None
    stdout: str
    stderr: str
    took_s: float
    why: str = ""
    left_out: int = 0

    @property
    def ok(self) -> bool:
        """Whether the script ended by itself with status 0."""
        return self.exit_status == 0


class Host(Protocol):
    """A machine, container or folder in which the runbook's commands run."""

    name: str

    def run(
        self,
        script: str,
        *,
        limit_s: float,
        environment: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
        keep: int = KEPT,
    ) -> Completed:
        """Run a bash `script` under `set -euo pipefail`; end it and its children at `limit_s`.

        Of each stream `keep` bytes of its beginning and a few of its end are kept. Raises
        StageError when it could not be begun, or nobody saw how it ended: nothing of its output is
        known then, not even that it was empty.
        """
        ...

    def abort(self) -> None:
        """End every script that runs now, from another thread: the drill is over."""
        ...


def look(
    host: Host,
    script: str,
    *,
    limit_s: float,
    environment: Mapping[str, str] | None = None,
    keep: int = KEPT,
) -> Completed:
    """Run a script for what it tells. Raises StageError when it did not tell all: it came to its
    limit, was killed, or told more than is kept.
    """
    done = host.run(script, limit_s=limit_s, environment=environment, keep=keep)
    what = ""
    if done.exit_status is None:
        what = f"it had not answered after {limit_s:g} s"
    elif done.why:
        what = done.why
    elif done.left_out:
        what = f"it told too much: {done.left_out:,} bytes of it were left out"
    if what:
        raise StageError(
            f"{host.name} to tell by {_begin_of(script)}", what, "look at it there by hand"
        )
    return done


def _begin_of(script: str) -> str:
    first = script.strip().partition("\n")[0]
    return f"“{first[:60]}…”" if len(first) > 60 else f"“{first}”"


class LocalHost:
    """Runs scripts as processes of this machine, in `directory`, with `environment` alone."""

    def __init__(self, name: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.directory = directory
        self.environment = dict(environment)
        self._running: Running = set()

    def run(
        self,
        script: str,
        *,
        limit_s: float,
        environment: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
        keep: int = KEPT,
    ) -> Completed:
        """See Host.run."""
        session = new_session()
        output = Output(session.token, on_line, keep)
        start = time.monotonic()
        try:
            returncode = run_program(
                ["bash"],
                session.program(script),
                output,
                limit_s,
                cwd=self.directory,
                env={**self.environment, **(environment or {})},
                running=self._running,
            )
        except OSError as error:
            raise StageError(
                f"{self.name} to run a script in {self.directory}", str(error), "see that folder"
            ) from error
        took_s = time.monotonic() - start
        if not output.begun:
            raise not_begun(f"{self.name} to run a script", output, "is this machine too busy?")
        if returncode is None or output.ended:
            return completed(output, took_s, in_time=returncode is not None)
        if returncode >= 0:
            raise unseen(self.name, f"its session ended with {returncode} and told of no end")
        why = f"the session in which it ran was killed by signal {-returncode}"
        return completed(output, took_s, killed=why)

    def abort(self) -> None:
        """See Host.abort."""
        end_all(self._running)


def completed(
    output: Output, took_s: float, *, in_time: bool = True, killed: str = ""
) -> Completed:
    """Return what a script left, once its output is finished: at its end, or at its limit when it
    is not `in_time`. `killed`: what ended it, in words, when its session told of no end.
    """
    status = _KILLED if killed else output.exit_status if in_time else None
    stdout, stderr = output.text("stdout"), output.text("stderr")
    return Completed(status, stdout, stderr, took_s, killed, output.left_out)


def not_begun(expected: str, output: Output, advice: str) -> StageError:
    """Return the error for a host that never began a script, with its last word on it."""
    words = output.before().strip().splitlines() or ["no word why"]
    return StageError(expected, words[-1][:300], advice)


def unseen(name: str, found: str) -> StageError:
    """Return the error for a script that was begun, and nobody saw how it ended."""
    return StageError(f"{name} to tell how a script ended", found, "see what it did there by hand")


def run_bounded(
    argv: list[str],
    *,
    limit_s: float,
    on_line: OnLine | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Completed:
    """Run `argv` in a session of its own; at `limit_s` seconds end the whole session."""
    output = Output(on_line=on_line)
    start = time.monotonic()
    status = run_program(argv, b"", output, limit_s, cwd=cwd, env=env)
    stdout, stderr = output.text("stdout"), output.text("stderr")
    return Completed(status, stdout, stderr, time.monotonic() - start, "", output.left_out)


def run_program(
    argv: list[str],
    program: bytes,
    output: Output,
    limit_s: float,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    running: Running | None = None,
) -> int | None:
    """Run `argv` in a session of its own, with `program` on its standard input; fill `output`.

    Return its exit status, negative for a signal, None when it was ended at the limit. It is ended,
    too, when it stays after it told of its end. While it runs it is in `running`.
    """
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    running = set() if running is None else running
    running.add(process)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    threading.Thread(target=_write, args=(process.stdin, program), daemon=True).start()
    readers = [
        threading.Thread(target=_read, args=(pipe, stream, output), daemon=True)
        for stream, pipe in (("stdout", process.stdout), ("stderr", process.stderr))
    ]
    for reader in readers:
        reader.start()
    try:
        in_time = output.wait(limit_s, lambda: process.poll() is not None)
        # A daemon that the script started may hold a pipe open: its output is not awaited. But what
        # tells of the end may be read late on a busy machine.
        deadline = time.monotonic() + (_GRACE_S if output.told else _LATE_S)
        if in_time:
            for reader in readers:
                reader.join(max(0.0, deadline - time.monotonic()))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        if process.poll() is None:
            _end_session(process)
    except BaseException:
        _end_session(process)
        raise
    finally:
        running.discard(process)
        output.finish()
    return process.returncode if in_time else None


def _write(pipe: IO[bytes], program: bytes) -> None:
    # It may end without having read all of it.
    with contextlib.suppress(BrokenPipeError), pipe:
        left = memoryview(program)
        while left:
            left = left[pipe.write(left) :]


def _read(pipe: IO[bytes], stream: str, output: Output) -> None:
    """Read to the end, also what is not awaited: who writes must not be held up."""
    with pipe:
        while chunk := pipe.read(_CHUNK):
            output.feed(stream, chunk)


def end_all(running: Running) -> None:
    """End the sessions of all that are `running`."""
    for process in list(running):
        _end_session(process)


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """End all that is in the process's session, also what made a process group of its own."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for pid in _members(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sent)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE_S)
        if not _members(process.pid):
            return


def _members(session: int) -> list[int]:
    import psutil

    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == session:
                found.append(pid)
    return found
