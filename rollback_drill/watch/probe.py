"""Looks at the system past the load balancer, twice a second: health, memory, connections, logs."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from rollback_drill.ground import clock
from rollback_drill.ground.errors import DrillError
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.watched import Watched
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.model import Stage
from rollback_drill.watch.log_reader import Tail
from rollback_drill.watch.logs import LogPosition, record_entries
from rollback_drill.watch.told import NotSeen, ProbeSample

PROBE_EVERY_S = 0.5
_HEALTH_TIMEOUT_S = 3.0
_LOG_READ_LIMIT_S = 15.0  # of one host


class Probe:
    """A thread that records a ProbeSample twice a second and noteworthy log lines."""

    def __init__(self, stage: Stage, timeline: Timeline) -> None:
        self.stage = stage
        self.timeline = timeline
        self.tail = Tail(stage)
        # An hour of samples: a watch window is ten minutes at most.
        self.samples: deque[tuple[float, ProbeSample]] = deque(maxlen=7_200)
        self._told: dict[str, str] = {}  # what is wrong with each log now
        self._lost: dict[str, float] = {}  # when lines of each log were lost last
        self._stop = clock.signal()
        self._threads = [
            Watched(observer, self._repeat, work, what, over=self._stop)
            for observer, work, what in (
                ("health probe", self._sample, "health and memory"),
                ("log reader", self._read_logs, "the logs"),
            )
        ]

    def __enter__(self) -> Probe:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.end(_LOG_READ_LIMIT_S * (1 + len(self.stage.hosts)))

    def _repeat(self, work: Callable[[], None], what: str) -> None:
        told = ""
        while not self._stop.is_set():
            try:
                work()
                why = ""
            except (DrillError, OSError) as error:
                why = str(error)
            if why != told:  # once, not twice a second
                told = why
                self.timeline.record(NotSeen(what, why))
            self._stop.wait(PROBE_EVERY_S)

    def _sample(self) -> None:
        seen = sample(self.stage)
        self.samples.append((self.timeline.record(seen).at, seen))

    def _read_logs(self) -> None:
        record_entries(self.timeline, self.tail.read())
        for source, log in self.tail.logs.items():
            for host, one in log.readings.items():
                if one.offered:
                    self._tell(f"the {source} log of {host}", one)

    def _tell(self, what: str, log: LogPosition) -> None:
        """Tell once, not twice a second, of what cannot be read or is gone."""
        kind = re.sub(r"\d+", "", log.trouble)
        if kind != self._told.get(what, ""):
            self._told[what] = kind
            self.timeline.record(NotSeen(what, log.trouble))
        if log.missed_at > self._lost.get(what, 0.0):
            self._lost[what] = log.missed_at
            self.timeline.record(NotSeen(what, log.missed, lost=True))


def sample(stage: Stage) -> ProbeSample:
    """Look once. What cannot be read is None or left out, never zero."""
    connections: int | None
    limit: int | None
    try:
        connections, limit = stage.database.connections()
    except DrillError:
        connections, limit = None, None
    return ProbeSample(
        health_status=hosts_health(stage),
        rss_bytes=stage.process.rss_bytes(),
        connections=connections,
        connection_limit=limit,
        oom_kills=stage.oom_kills(),
    )


def health(url: str, path: str = "/health") -> int:
    """Return the HTTP status of `url` + `path`, 0 when no answer came."""
    try:
        return http.get(url + path, limit_s=_HEALTH_TIMEOUT_S).status
    except NoAnswer:
        return 0


def hosts_health(stage: Stage) -> dict[str, int]:
    """Return the status that each host's health endpoint answers, past the load balancer."""
    return {name: health(url, stage.interface.health) for name, url in stage.direct_urls.items()}


def front_health(stage: Stage) -> int:
    """Return the status that the front door answers for the health endpoint."""
    return health(stage.base_url, stage.interface.health)
