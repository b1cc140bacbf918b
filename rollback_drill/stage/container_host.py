"""A service host that is a container: scripts run in it through the engine."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Mapping

from docker.errors import DockerException

from rollback_drill.ground.errors import StageError, WaitTimeout
from rollback_drill.ground.wait import wait_until
from rollback_drill.stage.execution import Execution, began_at
from rollback_drill.stage.host import Completed, completed, not_begun, unseen
from rollback_drill.stage.output import KEPT, OnLine, Output
from rollback_drill.stage.session import ending, new_session

_GRACE_S = 1.0
_END_LIMIT_S = 10.0
_AFTERWARDS_S = 1.5
_ADVICE = "does the container still run? see `docker ps --all`"


class ContainerHost:
    """See stage.host.Host. `environment` reaches scripts on their way in, never as arguments."""

    def __init__(
        self, name: str, container_id: str, directory: str, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.container_id = container_id
        self.directory = directory
        self.environment = dict(environment)
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
        session = new_session("/run")
        variables = {**self.environment, **(environment or {})}
        program = session.program(script, variables, self.directory)
        output = Output(session.token, on_line, keep)
        start = time.monotonic()
        self._marks.add(session.mark)
        try:
            there = began_at(self.container_id)
            with Execution(self.container_id, ["bash"]) as execution:
                with contextlib.suppress(BrokenPipeError):  # it ended before it had read all
                    execution.write(program)
                reader = threading.Thread(target=_follow, args=(execution, output), daemon=True)
                reader.start()
                try:
                    in_time = output.wait(limit_s, lambda: not reader.is_alive())
                except BaseException:
                    self._end(session.mark)
                    raise
                if not in_time:
                    self._end(session.mark)
                # A daemon that the script started may hold a stream open: it is not awaited.
                reader.join(_GRACE_S)
            output.finish()
            took_s = time.monotonic() - start
            if not output.begun:
                raise not_begun(f"{self.name} to run a script", output, _ADVICE)
            if output.ended or not in_time:
                return completed(output, took_s, in_time=in_time)
            if session.mark in self._aborted:
                return completed(output, took_s, in_time=False)
            return completed(
                output, took_s, killed=self._why_killed(execution, session.mark, there)
            )
        except (DockerException, OSError, http.client.HTTPException) as error:
            raise StageError(
                f"{self.name} to run a script", " ".join(str(error).split())[:300], _ADVICE
            ) from error
        finally:
            self._marks.discard(session.mark)
            self._aborted.discard(session.mark)

    def _why_killed(self, execution: Execution, mark: str, there: str) -> str:
        """Say what killed a session that told of no end. Raises StageError when nothing did: it is
        the stream that broke.
        """
        with contextlib.suppress(WaitTimeout):
            # The engine sees the end of a container a little later than that of what ran in it.
            for _ in wait_until(f"{self.name} ends", _AFTERWARDS_S):
                now = began_at(self.container_id)
                if now != there:
                    ended = "was restarted" if now else "ended"
                    return f"the container in which it ran {ended}, with all that ran in it"
        runs, status = execution.state()
        if runs or status == 0:  # who comes to its end tells so first
            raise unseen(self.name, "the engine's stream broke off before it told of its end")
        with Execution(self.container_id, ["rm", "-f", mark]) as forgetting:
            forgetting.finish()
        return f"the session in which it ran was killed (the engine saw status {status})"

    def abort(self) -> None:
        """See Host.abort."""
        for mark in list(self._marks):
            self._aborted.add(mark)
            self._end(mark)

    def _end(self, mark: str) -> None:
        # Where it cannot be done the container is gone, and the script with it.
        with (
            contextlib.suppress(StageError, OSError, http.client.HTTPException),
            Execution(self.container_id, ["timeout", f"{_END_LIMIT_S:g}", "bash"]) as execution,
        ):
            execution.write((ending(mark) + "exit\n").encode())
            execution.finish()


def _follow(execution: Execution, output: Output) -> None:
    with contextlib.suppress(OSError, ValueError, http.client.HTTPException):  # it was closed
        for stream, chunk in execution.frames():
            output.feed(stream, chunk)
    output.wake()
