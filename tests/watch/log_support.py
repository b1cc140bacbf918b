"""A host with logs, and a Postgres with one, in a folder of this machine."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from rollback_drill.ground.clock import now
from rollback_drill.ground.finding import Finding
from rollback_drill.perform.check import bind
from rollback_drill.record.timeline import Timeline
from rollback_drill.stage.host import LocalHost
from rollback_drill.traffic.aggregate import Aggregate
from rollback_drill.traffic.interface import Interface
from rollback_drill.watch.log_reader import Tail
from rollback_drill.watch.logs import APPLICATION


def line(message: str = "Request answered", level: str = "INFO", at: float | None = None) -> str:
    told = datetime.fromtimestamp(now() if at is None else at, UTC).isoformat()
    return json.dumps({"time": told, "level": level, "message": message}) + "\n"


class Postgres:
    """Stands for a server with its log: what it is asked to log goes there, if it `logs`."""

    def __init__(self) -> None:
        self.text = "2026-11-26 10:00:00.000 UTC [1] LOG:  database system is ready\n"
        self.logs = True
        self.clock_s = 0.0

    def fetch(self, query: str, parameters: object = ()) -> list[tuple[Any, ...]]:
        sign = re.search(r"RAISE LOG '(.*?)'", query)
        if sign and self.logs:
            self.text += f"{self.stamp()} UTC [2] LOG:  {sign[1]}\n"
        return [(now() + self.clock_s,)]

    def stamp(self, ago_s: float = 0.0) -> str:
        at = datetime.fromtimestamp(now() + self.clock_s - ago_s, UTC)
        return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    def log(self) -> str:
        return self.text


class Bench:
    """A host with a log, and what the checks say of it."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log" / "application.log"
        self.log.parent.mkdir()
        self.postgres = Postgres()
        self.host: Any = LocalHost("host-1", folder, {"PATH": os.environ["PATH"]})
        self.stage = SimpleNamespace(
            hosts=(self.host,), environment={"LOG_FILE": str(self.log)}, api_key="",
            interface=Interface(key_header="K"), secrets=frozenset({"the-key-of-all"}),
            direct_urls={}, database=self.postgres,
            subject=SimpleNamespace(people=("José Núñez",)),
        )  # fmt: skip
        self.tail = Tail(cast(Any, self.stage))
        self.timeline = Timeline(folder / "timeline.jsonl")
        self.since = now() - 5
        self.processes_began: dict[str, float] = {}
        self.rate = 0.0

    def check(self, text: str = "No errors in application logs") -> Finding:
        moment = SimpleNamespace(
            stage=self.stage, tail=self.tail, timeline=self.timeline, outputs=[],
            effective_at=self.since, processes_began=self.processes_began, began_at=self.since,
            traffic=SimpleNamespace(window=self.window),
        )  # fmt: skip
        bound = bind(text)
        assert bound
        return bound.verify(cast(Any, moment))

    def window(self, start: float, until: float | None = None) -> Aggregate:
        """Clients were served as often as `rate` says."""
        until = now() if until is None else until
        return Aggregate(start, until, sent=int(max(0.0, until - start) * self.rate))

    def write(self, text: str | bytes) -> None:
        with self.log.open("ab") as file:
            file.write(text.encode() if isinstance(text, str) else text)

    @property
    def read(self) -> int:
        return self.tail.logs[APPLICATION].reading("host-1").lines
