"""A service host somewhere else: scripts go through ssh, a container engine or kubectl."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from drill.errors import StageError
from drill.host import (
    SESSION_END,
    SESSION_WRAPPER,
    Completed,
    OnLine,
    bash,
    end_all,
    run_bounded,
)
from drill.machine import temporary

_SSH_UNREACHABLE = 255
_SSH_OPTIONS = (
    "-T",
    "-oBatchMode=yes",  # never ask: nobody is there to answer
    "-oConnectTimeout=10",
    "-oServerAliveInterval=5",
    "-oServerAliveCountMax=3",
)
_END_LIMIT_S = 10.0
# Each script leaves its session's id in a file; its own is not one that was left behind.
_LEFT_BEHIND = """
own="$(ps -o sid= -p $$ | tr -d ' ')"; ended=0
for mark in /tmp/.drill-*; do
  case "$mark" in *.over) continue;; esac
  [ -O "$mark" ] || continue
  session="$(cat "$mark" 2>/dev/null || true)"
  if [ -z "$session" ] || [ "$session" = "$own" ]; then continue; fi
  if pgrep -s "$session" > /dev/null; then ended=$((ended + 1)); fi
  bash -c @END drill "$mark"
done
echo "$ended"
"""
_STAY_S = 60


class RemoteHost:
    """See drill.host.Host. `way` is the command before which `bash -c …` runs on that host.

    All that a script needs goes over its standard input, so that no value of `environment` ever
    stands in a list of processes, here or there.
    """

    def __init__(
        self, name: str, way: Sequence[str], directory: str, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.way = list(way)
        self.directory = directory
        self.environment = dict(environment)
        self._running: set[subprocess.Popen[str]] = set()
        self._marks: set[str] = set()

    def run(
        self,
        script: str,
        *,
        limit_s: float,
        environment: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
    ) -> Completed:
        """See Host.run. Raises StageError when the host cannot be reached."""
        mark = f"/tmp/.drill-{uuid.uuid4().hex}"  # noqa: S108 - a name that nobody can guess
        variables = {**self.environment, **(environment or {})}
        told = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        told += f"cd {shlex.quote(self.directory)} || exit 1\n"
        told += "exec setsid --wait bash -c " + " ".join(
            shlex.quote(part) for part in (SESSION_WRAPPER, "drill", mark, bash(script))
        )
        self._marks.add(mark)
        try:
            done = self._send(told + " < /dev/null\n", limit_s, on_line)
        except BaseException:
            self._end(mark)
            raise
        finally:
            self._marks.discard(mark)
        if done.exit_status is None:
            self._end(mark)
        if done.exit_status == _SSH_UNREACHABLE and self.way[0] == "ssh":
            words = done.stderr.strip().splitlines() or ["no word why"]
            raise StageError(
                f"{self.name} to answer by ssh", words[-1], f"try: {shlex.join(self.way)} true"
            )
        return done

    def abort(self) -> None:
        """See Host.abort."""
        self._end(*list(self._marks))
        end_all(self._running)

    def end_left_behind(self) -> int:
        """End the scripts of dead drills that still run there; return how many there were."""
        script = _LEFT_BEHIND.replace("@END", shlex.quote(SESSION_END))
        return int(self.run(script, limit_s=_END_LIMIT_S * 3).stdout.strip() or 0)

    def close(self) -> None:
        """Give up the connection that is kept between scripts."""
        if self.way[0] == "ssh":
            subprocess.run(
                [*self.way[:1], "-O", "exit", *self.way[1:]],
                capture_output=True, check=False, timeout=_END_LIMIT_S,
            )  # fmt: skip

    def _send(self, text: str, limit_s: float, on_line: OnLine | None = None) -> Completed:
        remote = "bash -c 'eval \"$(cat)\"'"
        argv = [*self.way, remote] if self.way[0] == "ssh" else [*self.way, *shlex.split(remote)]
        try:
            return run_bounded(
                argv, limit_s=limit_s, on_line=on_line, stdin=text, running=self._running
            )
        except FileNotFoundError as error:
            raise StageError(
                f"{self.way[0]} on this machine", "none", f"install {self.way[0]}"
            ) from error

    def _end(self, *marks: str) -> None:
        """End the scripts of these marks, all at once: an abort must not wait for each in turn."""
        endings = [shlex.join(["bash", "-c", SESSION_END, "drill", mark]) for mark in marks]
        if endings:
            self._send("".join(f"{one} &\n" for one in endings) + "wait\n", _END_LIMIT_S)


def ssh_way(target: str, port: int, options: Sequence[str], folder: Path) -> list[str]:
    """Return the command that runs a script at `target` ("user@name") over one kept connection.

    `folder` holds the connection's socket; it must be the user's own. What the user's ssh
    configuration says of the target applies.
    """
    kept = (
        "-oControlMaster=auto",
        f"-oControlPath={folder}/%C",
        f"-oControlPersist={_STAY_S}s",
    )
    return ["ssh", *_SSH_OPTIONS, *kept, "-p", str(port), *options, target]


def socket_folder() -> Path:
    """Return a new folder for connections, short enough for a socket's path."""
    return Path(tempfile.mkdtemp(prefix="rd-", dir=temporary()))
