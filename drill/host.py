"""Where commands run. Every command has a time limit; its output is handed on line by line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

OnLine = Callable[[str, str], None]
"""Called with the stream ("stdout" or "stderr") and one line without its newline."""

_GRACE_S = 0.5
_MAX_LINE = 4_000


@dataclass(frozen=True, slots=True)
class Completed:
    """What a script left. `exit_status` is None when it was killed at its limit."""

    exit_status: int | None
    stdout: str
    stderr: str
    took_s: float

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
    ) -> Completed:
        """Run a bash `script` under `set -euo pipefail`; end it and its children at `limit_s`."""
        ...

    def abort(self) -> None:
        """End every script that runs now, from another thread: the drill is over."""
        ...


def bash(script: str) -> str:
    """Return `script` with strict error handling in front, so that no failure goes unnoticed."""
    return "set -euo pipefail\n" + script


# A script that runs elsewhere leads a session of its own and leaves its id in a file, by which all
# of it can be ended. Where the end comes first, a second file tells it not to begin.
SESSION_WRAPPER = (
    'echo $$ > "$1"; trap "rm -f $1 $1.over" EXIT; [ ! -e "$1.over" ] || exit 1; bash -c "$2"'
)
SESSION_END = """
: > "$1.over"
(sleep 5; rm -f "$1.over") > /dev/null 2>&1 &
session=$(cat "$1" 2>/dev/null) || exit 0
for signal in TERM KILL; do
  pkill -$signal -s "$session" || break
  for _ in 1 2 3 4 5; do pgrep -s "$session" >/dev/null || break 2; sleep 0.1; done
done
rm -f "$1"
"""


class LocalHost:
    """Runs scripts as processes of this machine, in `directory`, with `environment` alone."""

    def __init__(self, name: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.directory = directory
        self.environment = dict(environment)
        self._running: set[subprocess.Popen[str]] = set()

    def run(
        self,
        script: str,
        *,
        limit_s: float,
        environment: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
    ) -> Completed:
        """See Host.run."""
        return run_bounded(
            ["bash", "-c", bash(script)],
            limit_s=limit_s,
            on_line=on_line,
            cwd=self.directory,
            env={**self.environment, **(environment or {})},
            running=self._running,
        )

    def abort(self) -> None:
        """See Host.abort."""
        end_all(self._running)


def run_bounded(
    argv: list[str],
    *,
    limit_s: float,
    on_line: OnLine | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    running: set[subprocess.Popen[str]] | None = None,
) -> Completed:
    """Run `argv` in a session of its own; at `limit_s` seconds end the whole session.

    `stdin` is what it reads, nothing by default. While it runs it is in `running`.
    """
    start = time.monotonic()
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    running = set() if running is None else running
    running.add(process)
    captured: dict[str, list[str]] = {"stdout": [], "stderr": []}

    def pump(stream: str, pipe: IO[str]) -> None:
        for line in pipe:
            line = line.rstrip("\n")[:_MAX_LINE]
            captured[stream].append(line)
            if on_line:
                on_line(stream, line)

    assert process.stdout
    assert process.stderr
    readers = [
        threading.Thread(target=pump, args=("stdout", process.stdout), daemon=True),
        threading.Thread(target=pump, args=("stderr", process.stderr), daemon=True),
    ]
    for reader in readers:
        reader.start()
    status: int | None
    try:
        if stdin is not None:
            assert process.stdin
            # It may end without having read all of it.
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(stdin)
        status = process.wait(timeout=max(0.0, limit_s))
    except subprocess.TimeoutExpired:
        status = None
        _end_session(process)
    except BaseException:
        _end_session(process)
        raise
    finally:
        running.discard(process)
    for reader in readers:
        # A daemon that the script started may hold the pipe open: its output is not awaited.
        reader.join(timeout=_GRACE_S)
    return Completed(
        status,
        "\n".join(captured["stdout"]),
        "\n".join(captured["stderr"]),
        time.monotonic() - start,
    )


def end_all(running: set[subprocess.Popen[str]]) -> None:
    """End the sessions of all that are `running`."""
    for process in list(running):
        _end_session(process)


def _end_session(process: subprocess.Popen[str]) -> None:
    for sent in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sent)
        except ProcessLookupError:
            return
        try:
            process.wait(timeout=_GRACE_S)
        except subprocess.TimeoutExpired:
            continue
