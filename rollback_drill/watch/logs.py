"""Lines of logs: what they say of how the service and its database are."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime

from rollback_drill.ground.clock import now
from rollback_drill.record.timeline import Timeline
from rollback_drill.watch.told import LogLine

APPLICATION, DATABASE = "application", "database"
ERRORS = frozenset(("ERROR", "CRITICAL", "FATAL", "PANIC"))
NOTEWORTHY = ERRORS | {"WARNING"}
MOST_ERRORS = 20_000  # of a log that are kept
_LONGEST = 4_000  # characters of a line that are looked at
_TEXT = 1_000
# A failing release can log hundreds of equal lines a second; the timeline keeps samples.
_LINES_PER_READ = 5
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
class LogPosition:
    """How far the log of one host was read. Times are Unix seconds of this machine's clock.

    `trouble`: why the last look did not come to the log's end, "" when it did; `missed_at`: when it
    was last found that lines are gone which nobody had read, for the reason `missed`; `newest_at`:
    the time of the newest line; `skew_s`: by how much the host's clock is ahead. `offered`: whether
    the stage says how it is to be read at all.
    """

    trouble: str = "nobody has looked yet"
    missed_at: float = 0.0
    missed: str = ""
    newest_at: float = 0.0
    lines: int = 0
    skew_s: float = 0.0
    offered: bool = True

    def miss(self, why: str) -> None:
        """Note that lines are gone."""
        self.missed_at, self.missed = now(), why


@dataclass(slots=True)
class Log:
    """The errors that were read of one log, and how it was read on each host.

    `forgotten_at`: the time of the newest error that was read and is no longer kept.
    """

    errors: deque[Entry] = field(default_factory=lambda: deque(maxlen=MOST_ERRORS))
    forgotten_at: float = 0.0
    readings: dict[str, LogPosition] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Keep `entry`, if it is an error."""
        if entry.level in ERRORS:
            if len(self.errors) == MOST_ERRORS:
                self.forgotten_at = max(self.forgotten_at, self.errors[0].at)
            self.errors.append(entry)

    def reading(self, host: str) -> LogPosition:
        """Return how the log of `host` was read."""
        return self.readings.setdefault(host, LogPosition())

    def troubles(self) -> list[str]:
        """Say where the last look did not come to the log's end, and why."""
        return [f"{host}: {one.trouble}" for host, one in self.readings.items() if one.trouble]


def application_entry(line: str, host: str, error: str = "", skew_s: float = 0.0) -> Entry:
    """Return a line of the service's log as an entry; `skew_s`: how far its clock is ahead.

    With a pattern `error`, a line in which it is found is an ERROR; without, the log is JSON. A
    line that is not JSON did not come from the logger: a traceback, a crash; it is an ERROR. One
    that is too long to be read whole (with a traceback in it) is known by how it begins.
    """
    if error:
        found = re.search(error, line[:_LONGEST])
        return Entry(now(), host, "ERROR" if found else "INFO", line[:_TEXT])
    at: float | None
    try:
        record = json.loads(line)
        at = datetime.fromisoformat(record.pop("time")).timestamp()
        level = str(record.pop("level")).upper()[:20]
        message = str(record.pop("message"))
        detail = ", ".join(f"{key}={value}" for key, value in record.items())
    # Any text may stand in a log: depth and numbers without an end, years before the first.
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError):
        begin = _BEGIN.match(line[:_LONGEST])
        at = _time_of(begin["time"]) if begin else None
        if begin is None or at is None:
            return Entry(now(), host, "ERROR", line[:_TEXT])
        level, message, detail = begin["level"].upper(), begin["message"], "cut off"
    text = f"{message} ({detail})" if detail else message
    return Entry(at - skew_s, host, level, text[:_TEXT])


def database_entry(line: str, skew_s: float = 0.0) -> tuple[float, Entry | None]:
    """Return when a line of Postgres' log was written, and its entry where it is noteworthy."""
    stamp = _STAMP.match(line[:_LONGEST])
    found = _time_of(stamp["time"] + "+00:00") if stamp else None
    at = now() if found is None else found - skew_s
    match = _POSTGRES.search(line[:_LONGEST])
    return at, Entry(at, DATABASE, match["level"], match["text"][:_TEXT]) if match else None


def _time_of(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def record_entries(timeline: Timeline, entries: list[tuple[str, Entry]]) -> None:
    """Record a few of `entries` for each source and level, and how many more there were."""
    kept: Counter[tuple[str, str]] = Counter()
    for source, entry in entries:
        kept[source, entry.level] += 1
        if kept[source, entry.level] <= _LINES_PER_READ:
            timeline.record(LogLine(source, entry.host, entry.level, entry.text), entry.at)
    for (source, level), count in kept.items():
        if count > _LINES_PER_READ:
            more = f"… and {count - _LINES_PER_READ} more lines of this level"
            timeline.record(LogLine(source, "", level, more))
