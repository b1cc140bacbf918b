"""Lines of logs: what they say of how the service and its database are."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rollback_drill.ground.clock import now
from rollback_drill.record.timeline import Timeline
from rollback_drill.watch.levels import ERRORS, WARNING, level_in, worst_level
from rollback_drill.watch.told import LogLine

APPLICATION, DATABASE, OUTPUT = "application", "database", "output"
"""The sources of lines. The output is what the service prints, and its supervisor says of it."""
NOTEWORTHY = ERRORS | {WARNING}
MOST_ERRORS = 20_000  # of a log that are kept
_LONGEST = 4_000  # characters of a line that are looked at
_TEXT = 1_000
_PLAIN = 20  # lines without one of JSON: the log has none
_MOST_ASTRAY = 1_000
_MOST_SECONDS = 7_200
_MOST_STARTS = 1_000
_STARTED = re.compile(r"\bspawned: '|\bsystemd\[\d+\]: Started ")  # supervisord, systemd
# A failing release can log hundreds of equal lines a second; the timeline keeps samples.
_LINES_PER_READ = 5
_POSTGRES = re.compile(
    r"(?:\b|\")(?P<level>WARNING|ERROR|FATAL|PANIC|WARNUNG|FEHLER|PANIK|ERREUR|ATTENTION)"
    r"(?::\s+|\",\s*\"?|,[0-9A-Z]{5},\"?)(?P<text>.*)"
)
_SPOKEN = {
    "WARNUNG": WARNING,
    "ATTENTION": WARNING,
    "FEHLER": "ERROR",
    "ERREUR": "ERROR",
    "PANIK": "PANIC",
}
# What breaks worst is told at the level LOG.
_POSTGRES_BROKE = re.compile(
    r"was terminated by (?:signal|exception) \d+|terminating any other active server processes"
    r"|was interrupted(?: while|;)|was not properly shut down|invalid page in block"
    r"|page verification failed|could not write to file|No space left on device"
)
_TIMES = ("time", "timestamp", "@timestamp", "ts", "asctime", "datetime", "eventtime", "t")
_WORDS = ("message", "msg", "event", "short_message", "log", "text", "body")
_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
    r"\s?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?"
)
_ZONES_S = 900.0  # by multiples of which clocks of other zones differ
_UNITS = (1.0, 1e3, 1e6, 1e9)  # in which seconds since 1970 are counted
_LATEST = 1e11
MOST_EARLY_S, MOST_LATE_S = 5.0, 60.0
"""By how much a line may bear a later time than that at which it was written, or an earlier one: a
log may be written with some delay, and not in advance."""
_PAIRS = re.compile(r'"([\w.@-]{1,40})": ?"?((?:[^"\\,}]|\\.){0,400})')
_BEGINS = 200  # characters in which a line says when it was written


@dataclass(frozen=True, slots=True)
class Entry:
    """A log line: when it was written (Unix seconds), its level and text. `astray_s`: by how much
    the time that it bears is later than it can be (negative: earlier), 0 where it may be right.
    `json`: whether it is a line of JSON.
    """

    at: float
    host: str
    level: str
    text: str
    astray_s: float = 0.0
    json: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """Between which times (Unix seconds) a line came into its log: after the look before, up to the
    one that found it; and by how much the host's clock is ahead. `untimed_at`: when it came if it
    bears no time, by default when it was found.
    """

    since: float = 0.0
    until: float = 0.0
    skew_s: float = 0.0
    untimed_at: float = 0.0

    def place(self, told: float | None) -> tuple[float, float]:
        """Return when a line was written that bears the time `told`, and by how much that is
        astray.
        """
        until = self.until or now()
        if told is None:
            return self.untimed_at or until, 0.0
        at = told - self.skew_s
        early, late = at - until, self.since - at
        astray = early if early > MOST_EARLY_S else -late if late > MOST_LATE_S else 0.0
        return max(self.since, min(at, until)), astray


@dataclass(slots=True)
class LogPosition:
    """How far the log of one host was read. Times are Unix seconds of this machine's clock.

    `trouble`: why the last look did not come to the log's end, "" when it did; `missed_at`: when it
    was last found that lines are gone which nobody had read, for the reason `missed`; `newest_at`:
    the time of the newest line; `skew_s`: by how much the host's clock is ahead. `whole_at`: when
    the last look began that came to the end; `spoken`: lines by the second in which they came;
    `astray`: lines that bear a time which cannot be theirs, with the time at which they came;
    `plain`, `json`: how many were not JSON, and how many were. `offered`: whether
    the stage says how it is to be read at all.
    """

    trouble: str = "nobody has looked yet"
    missed_at: float = 0.0
    missed: str = ""
    newest_at: float = 0.0
    lines: int = 0
    skew_s: float = 0.0
    offered: bool = True
    whole_at: float = 0.0
    spoken: Counter[int] = field(default_factory=Counter)
    astray: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MOST_ASTRAY))
    plain: int = 0
    json: int = 0

    @property
    def is_text(self) -> bool:
        """Whether this is a log of plain text: no line of it ever was JSON."""
        return not self.json and self.plain >= _PLAIN

    def take(self, entry: Entry) -> None:
        """Note a line."""
        self.newest_at = max(self.newest_at, entry.at)
        self.spoken[int(entry.at)] += 1
        if len(self.spoken) > _MOST_SECONDS:
            del self.spoken[min(self.spoken)]
        if entry.astray_s:
            self.astray.append((entry.at, entry.astray_s))
        self.json += entry.json
        self.plain += not entry.json

    @property
    def spoke_from(self) -> float:
        """The first second after which lines came while it was read, 0.0 where none did."""
        return min(self.spoken, default=-1) + 1.0

    def lines_in(self, since: float, until: float) -> int:
        """Return how many lines came in that time, by whole seconds."""
        return sum(n for second, n in self.spoken.items() if since <= second < until)

    def miss(self, why: str) -> None:
        """Note that lines are gone."""
        self.missed_at, self.missed = now(), why


@dataclass(slots=True)
class Log:
    """The errors that were read of one log, and how it was read on each host.

    `forgotten_at`: the time of the newest error that was read and is no longer kept; `starts`: when
    a supervisor says that it started something (Unix seconds), by host.
    """

    errors: deque[Entry] = field(default_factory=lambda: deque(maxlen=MOST_ERRORS))
    starts: dict[str, deque[float]] = field(default_factory=dict)
    forgotten_at: float = 0.0
    readings: dict[str, LogPosition] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Keep `entry`, if it is an error."""
        if entry.level in ERRORS:
            if len(self.errors) == MOST_ERRORS:
                self.forgotten_at = max(self.forgotten_at, self.errors[0].at)
            self.errors.append(entry)

    def note_start(self, entry: Entry) -> None:
        """Note when `entry` was written, if a supervisor says in it that it started something."""
        if _STARTED.search(entry.text):
            self.starts.setdefault(entry.host, deque(maxlen=_MOST_STARTS)).append(entry.at)

    def reading(self, host: str) -> LogPosition:
        """Return how the log of `host` was read."""
        return self.readings.setdefault(host, LogPosition())

    def troubles(self) -> list[str]:
        """Say where the last look did not come to the log's end, and why."""
        return [f"{host}: {one.trouble}" for host, one in self.readings.items() if one.trouble]


def application_entry(
    line: str, host: str, error: str = "", arrival: Arrival = Arrival(), *, text: bool = False
) -> Entry:
    """Return a line of the service's log as an entry.

    With a pattern `error`, a line in which it is found is an ERROR, and so is one that says so by
    itself. Without, the log is JSON, unless it is known to be plain `text`: a line that is not JSON
    did not come from the logger; it is an ERROR. One that is too long to be read whole (with a
    traceback in it) is known by how it begins.
    """
    if error and re.search(error, line[:_LONGEST]):
        at, astray_s = arrival.place(_time_in(line, arrival))
        return Entry(at, host, "ERROR", line[:_TEXT], astray_s)
    record = _record(line)
    if record is not None and _says_something(record):
        at, astray_s = arrival.place(_time_of_record(record, arrival))
        return Entry(at, host, worst_level(record), _text_of(record)[:_TEXT], astray_s, json=True)
    entry = text_entry(line, host, arrival)
    if error or text or line.lstrip().startswith("{"):
        return entry if error or text else _cut_off(entry, line, arrival)
    return replace(entry, level=entry.level if entry.level in ERRORS else "ERROR")


def text_entry(line: str, host: str, arrival: Arrival = Arrival()) -> Entry:
    """Return a line of plain text as an entry."""
    at, astray_s = arrival.place(_time_in(line, arrival))
    return Entry(at, host, level_in(line[:_LONGEST]), line[:_TEXT], astray_s)


def _cut_off(entry: Entry, line: str, arrival: Arrival) -> Entry:
    """Return a line that begins as JSON does, by what it says of itself before it ends."""
    begin = dict(_PAIRS.findall(line[:_LONGEST]))
    if begin.keys().isdisjoint(("level", "severity", "lvl", "levelname")):
        return replace(entry, level=entry.level if entry.level in ERRORS else "ERROR")
    at, astray_s = arrival.place(_time_of_record(begin, arrival))
    text = f"{_text_of(begin)} (cut off)"
    return Entry(at, entry.host, worst_level(begin), text[:_TEXT], astray_s, json=True)


def database_entry(line: str, arrival: Arrival = Arrival()) -> tuple[float, Entry | None]:
    """Return when a line of Postgres' log was written, and its entry where it is noteworthy."""
    begin = line[:_LONGEST]
    at, _ = arrival.place(_time_in(begin, arrival))
    match = _POSTGRES.search(begin)
    if match:
        level = _SPOKEN.get(match["level"], match["level"])
        return at, Entry(at, DATABASE, level, match["text"][:_TEXT])
    broke = _POSTGRES_BROKE.search(begin)
    return at, Entry(at, DATABASE, "ERROR", begin[-_TEXT:]) if broke else None


def _record(line: str) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    # Any text may stand in a log: depth and numbers without an end.
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _says_something(record: Mapping[str, object]) -> bool:
    if "level" in record or "message" in record:
        return True
    names = {str(name).lower() for name in record}
    return not names.isdisjoint((*_TIMES, *_WORDS, "severity", "lvl"))


def _text_of(record: Mapping[str, object]) -> str:
    word = next((one for one in _WORDS if record.get(one)), "")
    left = {k: v for k, v in record.items() if k != word and k not in (*_TIMES, "level")}
    detail = ", ".join(f"{key}={value}" for key, value in left.items())
    said = str(record.get(word, "")) if word else ""
    return f"{said} ({detail})" if said and detail else said or detail


def _time_of_record(record: Mapping[str, object], arrival: Arrival) -> float | None:
    for name, value in record.items():
        if str(name).lower() not in _TIMES or isinstance(value, bool):
            continue
        if isinstance(value, str):
            return _time_in(value, arrival)
        if isinstance(value, int | float) and 1e9 <= value < 1e20:
            return next((value / unit for unit in _UNITS if value / unit < _LATEST), None)
    return None


def _time_in(text: str, arrival: Arrival) -> float | None:
    """Return the time that `text` begins with. One without a zone is taken for the zone in which it
    is next to now.
    """
    found = _TIME.search(text[:_BEGINS])
    if found is None:
        return None
    at = _time_of(f"{found['day']}T{found['clock']}+00:00")
    if at is None:
        return None
    at += float(f"0.{found['part'] or 0}")
    zone = found["zone"]
    if not zone:
        until = (arrival.until or now()) + arrival.skew_s
        return at + round((until - at) / _ZONES_S) * _ZONES_S
    if zone not in ("Z", "UTC", "GMT"):
        minutes = 60 * int(zone[1:3]) + int(zone[-2:])
        at -= 60 * minutes * (-1 if zone[0] == "-" else 1)
    return at


def _time_of(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def record_entries(timeline: Timeline, entries: list[tuple[str, Entry]]) -> None:
    """Record a few of `entries` for each source and level, and how many more there were."""
    kept: Counter[tuple[str, str]] = Counter()
    latest: dict[tuple[str, str], float] = {}
    for source, entry in entries:
        kept[source, entry.level] += 1
        latest[source, entry.level] = max(entry.at, latest.get((source, entry.level), 0.0))
        if kept[source, entry.level] <= _LINES_PER_READ:
            timeline.record(LogLine(source, entry.host, entry.level, entry.text), entry.at)
    for (source, level), count in kept.items():
        if count > _LINES_PER_READ:
            more = f"… and {count - _LINES_PER_READ} more lines of this level"
            # Of when they were written, not of when they were read: a step may lie between.
            timeline.record(LogLine(source, "", level, more), latest[source, level])
