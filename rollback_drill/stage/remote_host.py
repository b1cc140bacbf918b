"""A service host somewhere else: scripts go through ssh, a container engine or kubectl."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rollback_drill.ground.errors import StageError, WaitTimeout
from rollback_drill.ground.machine import temporary
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.host import (
    Completed,
    Running,
    completed,
    end_all,
    look,
    not_begun,
    run_bounded,
    run_program,
    unseen,
)
from rollback_drill.stage.output import KEPT, OnLine, Output
from rollback_drill.stage.programs import users_path
from rollback_drill.stage.session import ENDING, Session, ending, new_session

_SSH_OPTIONS = (
    "-T",
    "-oBatchMode=yes",  # never ask: nobody is there to answer
    "-oConnectTimeout=10",
    "-oServerAliveInterval=5",
    "-oServerAliveCountMax=3",
)
_MARKS = "/tmp"  # noqa: S108 - under names that nobody can guess
_END_LIMIT_S = 10.0
_BACK_LIMIT_S = 10.0  # for a host to answer again on which a script's end was not told
# Each script leaves its session's id in a file; its own is not one that was left behind.
_LEFT_BEHIND = """
own="$(ps -o sid= -p $$ | tr -d ' ')"; ended=0
for mark in /tmp/.drill-*; do
  case "$mark" in *.over) continue;; esac
  [ -O "$mark" ] || continue
  session="$(cat "$mark" 2>/dev/null || true)"
  if [ -z "$session" ] || [ "$session" = "$own" ]; then continue; fi
  if pgrep -s "$session" > /dev/null; then ended=$((ended + 1)); fi
  end_session "$mark"
done
echo "$ended"
"""
_STAY_S = 60


class RemoteHost:
    """See stage.host.Host. `way` is the command before which `bash` runs on that host.

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
        self._running: Running = set()
        self._marks: set[str] = set()
        self._aborted: set[str] = set()

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
        session = new_session(_MARKS)
        program = session.program(
            script, {**self.environment, **(environment or {})}, self.directory
        )
        output = Output(session.token, on_line, keep)
        start = time.monotonic()
        self._marks.add(session.mark)
        try:
            try:
                returncode = self._send(program, output, limit_s)
            except BaseException:
                self._end(session.mark)
                raise
            took_s = time.monotonic() - start
            if not output.begun:
                expected = f"{self.name} to answer by {self.way[0]}"
                raise not_begun(expected, output, self._advice())
            aborted = session.mark in self._aborted
            if returncode is None and not (self._end(session.mark) or aborted):
                raise unseen(
                    self.name, "it came to its limit, and the host did not answer when it was ended"
                )
            if output.ended or returncode is None or aborted:
                in_time = returncode is not None and not aborted
                return completed(output, took_s, in_time=in_time)
            return completed(output, took_s, killed=self._why_killed(session, output))
        finally:
            self._marks.discard(session.mark)
            self._aborted.discard(session.mark)

    def abort(self) -> None:
        """See Host.abort."""
        marks = list(self._marks)
        self._aborted.update(marks)
        self._end(*marks)
        end_all(self._running)

    def end_left_behind(self) -> int:
        """End the scripts of dead drills that still run there; return how many there were.

        Raises StageError when nobody can say.
        """
        said = look(self, ENDING + _LEFT_BEHIND, limit_s=_END_LIMIT_S * 3).stdout.strip() or "0"
        if not (said.isascii() and said.isdigit()):
            raise StageError(
                f"{self.name} to say how many scripts of dead drills were ended",
                repr(said[:80]),
                "what prints there by itself, such as a profile or a banner, must not",
            )
        return int(said)

    def close(self) -> None:
        """Give up the connection that is kept between scripts."""
        if self.way[0] == "ssh":
            run_bounded([*self.way[:1], "-O", "exit", *self.way[1:]], limit_s=_END_LIMIT_S)

    def _advice(self) -> str:
        return f"try: {shlex.join(self.way)} true"

    def _send(self, program: bytes, output: Output, limit_s: float) -> int | None:
        try:
            return run_program([*self.way, "bash"], program, output, limit_s, running=self._running)
        except FileNotFoundError as error:
            raise StageError(
                f"{self.way[0]} on this machine", "none", f"install {self.way[0]}"
            ) from error

    def _ask(self, script: str) -> Output:
        """Have a script read by a shell of that host, without a session of its own."""
        output = Output()
        self._send(script.encode(), output, _END_LIMIT_S)
        return output

    def _end(self, *marks: str) -> bool:
        """End the sessions of these marks; return whether the host did it."""
        return self._ask(f"{ending(*marks)}echo ended\n").text("stdout").strip() == "ended"

    def _why_killed(self, session: Session, output: Output) -> str:
        """Say what killed a session that told of no end, by asking the host once more. Raises
        StageError when nothing did, or the host does not answer.
        """
        begun = output.begun.partition(" ")[2]
        told = ""
        with contextlib.suppress(WaitTimeout):
            for _ in wait_until(f"{self.name} answers again", _BACK_LIMIT_S, every_s=0.5):
                asked = self._ask(session.look())
                said = asked.text("stdout").strip()
                # In a container that is just ending there is no process 1 any more to be read.
                if len(said.split()) > len(begun.split()):
                    told = said
                    break
                if _is_gone(asked.text("stderr")):
                    return "it ended the container in which it ran, with the service in it"
        state, _, there = told.partition(" ")
        if not told:
            raise StageError(
                f"{self.name} to answer by {self.way[0]}",
                "the connection broke while a script ran, and none was to be had again",
                self._advice(),
            )
        if there != begun:
            return "what it ran in was restarted meanwhile: its process 1 is another one"
        if state == "killed":
            return (
                "the session in which it ran was killed, as by a signal that reached more than it "
                "was meant for"
            )
        if state == "goes-on":
            self._end(session.mark)
        raise unseen(self.name, f"the connection by {self.way[0]} broke while it ran")


def _is_gone(words: str) -> bool:
    """Whether docker or kubectl say that there is no container that runs any more."""
    return any(
        said in words.lower() for said in ("is not running", "completed pod", "no such container")
    )


def local_way(options: Sequence[str]) -> list[str]:
    """Return the command that runs a script on this machine, as its user would: with the variables
    of the shell that started the drill, but not in an environment of Python that is active there,
    which may be the suite's own. `options`: further words for `env`.
    """
    return ["env", "--unset=VIRTUAL_ENV", f"PATH={users_path()}", *options]


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
