"""A service host that is a container: scripts run in it through the engine."""

from __future__ import annotations

import codecs
import threading
import time
import uuid
from collections.abc import Iterator, Mapping

from docker.errors import APIError, DockerException

from drill.errors import StageError
from drill.host import SESSION_END, SESSION_WRAPPER, Completed, OnLine, bash
from drill.stages.engine import client

_LOOK_S = 0.05
_GRACE_S = 1.0
_MAX_LINE = 4_000


class ContainerHost:
    """See drill.host.Host. `environment` reaches scripts through the engine, never as arguments."""

    def __init__(
        self, name: str, container_id: str, directory: str, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.container_id = container_id
        self.directory = directory
        self.environment = dict(environment)
        self._marks: set[str] = set()

    def run(
        self,
        script: str,
        *,
        limit_s: float,
        environment: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
    ) -> Completed:
        """See Host.run. Raises StageError when the engine or the container does not answer."""
        start = time.monotonic()
        mark = f"/run/drill-{uuid.uuid4().hex}"
        command = ["setsid", "--wait", "bash", "-c", SESSION_WRAPPER, "drill", mark, bash(script)]
        capture = _Capture(on_line)
        self._marks.add(mark)
        try:
            api = client().api
            execution = api.exec_create(
                self.container_id,
                command,
                environment={**self.environment, **(environment or {})},
                workdir=self.directory,
            )["Id"]
            frames = api.exec_start(execution, stream=True, demux=True)
            reader = threading.Thread(target=capture.read, args=(frames,), daemon=True)
            reader.start()
            status: int | None
            try:
                status = self._await(execution, reader, start + limit_s)
            except BaseException:
                self._end(mark)
                raise
            if status is None:
                self._end(mark)
            # A daemon that the script started may hold the pipe open: it is not awaited.
            reader.join(_GRACE_S)
        except (DockerException, OSError) as error:
            raise StageError(
                f"{self.name} to run a script",
                " ".join(str(error).split())[:300],
                "does the container still run? see `docker ps --all`",
            ) from error
        finally:
            self._marks.discard(mark)
        stdout, stderr = capture.text("stdout"), capture.text("stderr")
        return Completed(status, stdout, stderr, time.monotonic() - start)

    def abort(self) -> None:
        """See Host.abort."""
        for mark in list(self._marks):
            self._end(mark)

    def _await(self, execution: str, reader: threading.Thread, deadline: float) -> int | None:
        """Return the exit status, None at the deadline. The output's end wakes us early."""
        pause = _LOOK_S
        while True:
            left = deadline - time.monotonic()
            reader.join(max(0.0, min(pause, left)))
            pause = min(2 * pause, 0.5)  # most scripts are short; long ones need no haste
            seen = client().api.exec_inspect(execution)
            if not seen["Running"]:
                return int(seen["ExitCode"])
            if time.monotonic() >= deadline:
                return None

    def _end(self, mark: str) -> None:
        try:
            api = client().api
            ending = api.exec_create(self.container_id, ["bash", "-c", SESSION_END, "drill", mark])[
                "Id"
            ]
            api.exec_start(ending)
        except APIError:
            return  # the container is gone, and the script with it


class _Capture:
    """Splits what comes from the two streams into lines."""

    def __init__(self, on_line: OnLine | None) -> None:
        self._on_line = on_line
        self._lines: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._rest = dict.fromkeys(self._lines, "")
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decode = {stream: decoder("replace") for stream in self._lines}

    def read(self, frames: Iterator[tuple[bytes | None, bytes | None]]) -> None:
        for pair in frames:
            for stream, chunk in zip(self._lines, pair, strict=True):
                if chunk:
                    text = self._rest[stream] + self._decode[stream].decode(chunk)
                    *lines, self._rest[stream] = text.split("\n")
                    for line in lines:
                        self._take(stream, line)
        for stream, rest in self._rest.items():
            if rest:
                self._rest[stream] = ""
                self._take(stream, rest)

    def _take(self, stream: str, line: str) -> None:
        line = line[:_MAX_LINE]
        self._lines[stream].append(line)
        if self._on_line:
            self._on_line(stream, line)

    def text(self, stream: str) -> str:
        return "\n".join(self._lines[stream])
