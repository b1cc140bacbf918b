"""Writes what one worker does to its files (see `traffic.recordings`), as it happens."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from rollback_drill.traffic.crowd import Ask
from rollback_drill.traffic.observation import Observation
from rollback_drill.traffic.recordings import (
    CONTRADICTIONS,
    GENERATOR,
    OBSERVATIONS,
    WRITES,
    path_of,
)


class Recorder:
    """The files of one worker, opened for appending."""

    def __init__(self, directory: Path, worker: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._observations, self._writes, self._generator, self._contradictions = (
            os.open(path_of(directory, kind, worker), flags, 0o644)
            for kind in (OBSERVATIONS, WRITES, GENERATOR, CONTRADICTIONS)
        )
        self._pending: list[str] = []

    def start(self, due: float, rate: float) -> None:
        """Say when the first request is due and how many follow a second."""
        _write(self._generator, f"start,{due!r},{rate!r}\n")

    def sample(self, at: float, lag_s: float, cpu: float, in_flight: int) -> None:
        """Say how the generator was in the last second."""
        _write(self._generator, f"sample,{at:.6f},{lag_s:.6f},{cpu:.4f},{in_flight}\n")

    def end(self, scheduled: int) -> None:
        """Say how many requests there were in all; every one of them was observed."""
        self.flush()
        _write(self._generator, f"end,{scheduled}\n")

    def announce(self, ask: Ask) -> None:
        """Write down a write that is about to be sent."""
        fields = _object(ask.body)
        _write(self._writes, f"{ask.reference},{ask.operation},{ask.subject},{fields}\n")

    def contradict(self, lines: Iterable[str]) -> None:
        """Write down what of answers cannot be true, or how many were compared."""
        for line in lines:
            _write(self._contradictions, f"{line}\n")

    def observe(self, seen: Observation) -> None:
        """Remember an observation until the next `flush`."""
        self._pending.append(seen.to_line() + "\n")

    def flush(self) -> None:
        """Write all remembered observations."""
        if self._pending:
            text = "".join(self._pending)
            self._pending.clear()
            _write(self._observations, text)


def _object(body: str) -> str:
    """Return `body` as a JSON object on one line: itself, or one that holds it."""
    with contextlib.suppress(ValueError, RecursionError):
        if "\n" not in body and "\r" not in body and isinstance(json.loads(body), dict):
            return body
    return json.dumps({"body": body})


def _write(file: int, text: str) -> None:
    data = text.encode(errors="backslashreplace")
    while data:
        data = data[os.write(file, data) :]
