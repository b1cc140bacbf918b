"""Looks at the system past the load balancer, twice a second: health, memory, connections, logs."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from drill import events, http
from drill.answers import NoAnswer
from drill.clock import now
from drill.errors import DrillError
from drill.host import look
from drill.stage import Stage
from drill.timeline import Timeline
from drill.watched import Watched

PERIOD_S = 0.5
_HEALTH_TIMEOUT_S = 3.0
_LOG_READ_LIMIT_S = 10.0
_LOG_READ_BYTES = 20_000_000  # in one read; a log that grows faster is not read whole
# A failing release can log hundreds of equal lines a second; the timeline keeps samples.
_LINES_PER_READ = 5
_NOTEWORTHY = {"WARNING", "ERROR", "CRITICAL"}
_POSTGRES = re.compile(r"\b(?P<level>WARNING|ERROR|FATAL|PANIC):\s+(?P<text>.*)")
_BEGIN = re.compile(
    r'\{"time": "(?P<time>[-0-9T:.+Z]+)", "level": "(?P<level>\w+)", '
    r'"message": "(?P<message>[^"]*)"'
)
_STAMP = re.compile(r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?) (UTC|GMT)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A log line: when it was written (Unix seconds), its level and text."""

    at: float
    host: str
    level: str
    text: str


@dataclass(slots=True)
class Logs:
    """Every log line of level WARNING or worse that was read, and how many lines in all."""

    application: list[Entry] = field(default_factory=list)
    database: list[Entry] = field(default_factory=list)
    lines_read: Counter[str] = field(default_factory=Counter)
    last_read_at: dict[str, float] = field(default_factory=dict)


class Tail:
    """Reads what was appended to each host's application log and to the database's log."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.logs = Logs()
        self._offsets: dict[str, int] = {}
        self._database_seen = 0
        self._lock = threading.Lock()

    def read(self) -> list[tuple[str, Entry]]:
        """Return the new noteworthy entries with their source; also kept in `logs`."""
        with self._lock:
            return [*self._application(), *self._database()]

    def _application(self) -> Iterator[tuple[str, Entry]]:
        if "LOG_FILE" not in self.stage.environment:
            return
        path = shlex.quote(self.stage.environment["LOG_FILE"])
        pattern = self.stage.interface.log_error
        for host in self.stage.hosts:
            offset = self._offsets.get(host.name, 0)
            # A log that shrank was put back by a new deployment: read it from its start.
            done = look(
                host,
                f"size=$(stat -c %s {path} 2>/dev/null || echo 0)\n"
                f"from={offset}; [ $size -ge $from ] || from=0\n"
                f'echo "$from $size"; tail -c +$((from + 1)) {path} 2>/dev/null '
                "| head -c $((size - from))",
                limit_s=_LOG_READ_LIMIT_S,
                keep=_LOG_READ_BYTES,
            )
            if not done.ok:
                continue
            head, _, body = done.stdout.partition("\n")
            start, size = (int(part) for part in head.split())
            self._offsets[host.name] = size if size >= start else 0
            at = now()
            self.logs.last_read_at[host.name] = at
            for line in body.splitlines():
                self.logs.lines_read["application"] += 1
                entry = application_entry(line, host.name, pattern) if line.strip() else None
                if entry and entry.level in _NOTEWORTHY:
                    self.logs.application.append(entry)
                    yield "application", entry

    def _database(self) -> Iterator[tuple[str, Entry]]:
        if "database" not in self.stage.capabilities:
            return
        lines = self.stage.database.log().splitlines()
        if len(lines) < self._database_seen:
            self._database_seen = 0
        at = now()
        self.logs.last_read_at["database"] = at
        for line in lines[self._database_seen :]:
            self.logs.lines_read["database"] += 1
            entry = _database_entry(line)
            if entry:
                self.logs.database.append(entry)
                yield "database", entry
        self._database_seen = len(lines)


def application_entry(line: str, host: str, error: str = "") -> Entry:
    """Return a line of the service's log as an entry.

    With a pattern `error`, a line in which it is found is an ERROR; without, the log is JSON. A
    line that is not JSON did not come from the logger: a traceback, a crash; it is an ERROR. One
    that is too long to be read whole (with a traceback in it) is known by how it begins.
    """
    if error:
        return Entry(now(), host, "ERROR" if re.search(error, line) else "INFO", line)
    try:
        record = json.loads(line)
        at = datetime.fromisoformat(record.pop("time")).timestamp()
        level = str(record.pop("level")).upper()
        message = str(record.pop("message"))
    except (ValueError, KeyError, TypeError, AttributeError):
        begin = _BEGIN.match(line)
        if begin is None:
            return Entry(now(), host, "ERROR", line)
        at = datetime.fromisoformat(begin["time"]).timestamp()
        return Entry(at, host, begin["level"].upper(), f"{begin['message']} (cut off)")
    detail = ", ".join(f"{key}={value}" for key, value in record.items())
    return Entry(at, host, level, f"{message} ({detail})" if detail else message)


def _database_entry(line: str) -> Entry | None:
    match = _POSTGRES.search(line)
    if not match:
        return None
    stamp = _STAMP.match(line)
    at = datetime.fromisoformat(stamp["time"] + "+00:00").timestamp() if stamp else now()
    return Entry(at, "database", match["level"], match["text"])


class Probe:
    """A thread that records a ProbeSample twice a second and noteworthy log lines."""

    def __init__(self, stage: Stage, timeline: Timeline) -> None:
        self.stage = stage
        self.timeline = timeline
        self.tail = Tail(stage)
        # An hour of samples: a watch window is ten minutes at most.
        self.samples: deque[tuple[float, events.ProbeSample]] = deque(maxlen=7_200)
        self._stop = threading.Event()
        self._threads = [
            Watched(observer, self._repeat, work, over=self._stop)
            for observer, work in (("health probe", self._sample), ("log reader", self._read_logs))
        ]

    def __enter__(self) -> Probe:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.end(_LOG_READ_LIMIT_S * (1 + len(self.stage.hosts)))

    def _repeat(self, work: Callable[[], None]) -> None:
        told = ""
        while not self._stop.is_set():
            try:
                work()
                told = ""
            except (DrillError, OSError) as error:
                if str(error) != told:  # once, not twice a second
                    told = str(error)
                    self.timeline.record(events.Noted(f"the probe could not look: {error}"))
            self._stop.wait(PERIOD_S)

    def _sample(self) -> None:
        seen = sample(self.stage)
        self.samples.append((self.timeline.record(seen).at, seen))

    def _read_logs(self) -> None:
        record_entries(self.timeline, self.tail.read())


def record_entries(timeline: Timeline, entries: list[tuple[str, Entry]]) -> None:
    """Record a few of `entries` for each source and level, and how many more there were."""
    kept: Counter[tuple[str, str]] = Counter()
    for source, entry in entries:
        kept[source, entry.level] += 1
        if kept[source, entry.level] <= _LINES_PER_READ:
            timeline.record(
                events.LogLine(source, entry.host, entry.level, entry.text[:1000]), entry.at
            )
    for (source, level), count in kept.items():
        if count > _LINES_PER_READ:
            more = f"… and {count - _LINES_PER_READ} more lines of this level"
            timeline.record(events.LogLine(source, "", level, more))


def sample(stage: Stage) -> events.ProbeSample:
    """Look once. What cannot be read is None or left out, never zero."""
    connections: int | None
    limit: int | None
    try:
        connections, limit = stage.database.connections()
    except DrillError:
        connections, limit = None, None
    return events.ProbeSample(
        health_status=hosts_health(stage),
        rss_bytes=stage.rss_bytes(),
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
