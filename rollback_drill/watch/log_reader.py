"""Reads what was appended to the hosts' application logs and to the database's log.

A look says of each log whether it came to the log's end: a file that is gone, cannot be read, was
put in another's place or grows faster than it can be read is told with its reason, since a log in
which nothing was read has no errors either.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from rollback_drill.ground import clock
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import DrillError, NotOffered, StageError
from rollback_drill.stage.host import Host, look
from rollback_drill.stage.model import Stage
from rollback_drill.watch.logs import (
    APPLICATION,
    DATABASE,
    NOTEWORTHY,
    Entry,
    Log,
    LogPosition,
    application_entry,
    database_entry,
)

_LIMIT_S = 10.0  # for one look at one host
_MOST = 2 * 2**20  # bytes of one look; as many looks follow as there is time for
_CATCH_UP_S = 4.0
_KEEP = 2 * _MOST  # of the look's output, in which bytes are coded
_MARK = 64  # bytes before where the last look ended, by which the file is known again
_UNENDED_S = 1.0  # a last line without its end is one when nothing comes for so long
_BLOCK = 2_000  # characters of Postgres' log by which it is known again
_CLOCKS_S = 0.2  # two right clocks may differ by so much
_ARRIVES_S = 5.0  # a line of Postgres in its log

# With the file open all is told of one file, whatever takes its name meanwhile. `tail` dies of
# SIGPIPE once `head` has enough, and may.
_LOOK = """
set +o pipefail
log={log}
if [ ! -e "$log" ]; then echo "no: there is no $log"; exit; fi
if [ ! -f "$log" ]; then echo "no: $log is no regular file"; exit; fi
if [ ! -r "$log" ]; then echo "no: $log may not be read by $(id -un)"; exit; fi
exec 3< "$log"
set -- $(stat -L -c '%i %s' /dev/fd/3)
from={start}; [ "$2" -ge "$from" ] || from=0
echo "yes: $1 $2 $from $(date +%s.%N)"
tail -c +$((from + 1)) <&3 | head -c {most} | base64 -w 3000
"""
_FIND = 'find "$(dirname {log})" -maxdepth 1 -type f -inum {inode} 2>/dev/null | head -n 1'


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look at a file told: which file, its size, and its bytes from `start` on."""

    inode: int
    size: int
    start: int
    data: bytes
    skew_s: float


@dataclass(slots=True)
class _Place:
    """Where the last look at a host's log ended: behind a whole line."""

    inode: int = 0
    offset: int = 0
    mark: bytes = b""
    cut: bool = False  # within a line that is too long to be kept

    def follow(self, taken: bytes) -> None:
        """Go on behind `taken`."""
        self.offset += len(taken)
        self.mark = (self.mark + taken)[-_MARK:]


class Tail:
    """Reads what was appended to each host's application log and to the database's log."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.logs = {APPLICATION: Log(), DATABASE: Log()}
        self._places: dict[str, _Place] = {}
        self._block = ""  # the end of what was read of Postgres' log
        self._clock_known = False
        self._awaited = self._arrived = ""  # a line that Postgres was asked to log
        self._lock = clock.lock()

    def read(self, *, final: bool = False) -> list[tuple[str, Entry]]:
        """Return the new noteworthy entries with their source; also kept in `logs`.

        `final`: a check wants to know: a last line that never ends counts, too. Never raises for
        what logs are like; see `LogPosition`.
        """
        with self._lock:
            return [*self._application(final), *self._read_database()]

    def read_newest_of_database(self) -> list[tuple[str, Entry]]:
        """Have Postgres log a line, and read its log up to that line. Raises StageError when it
        does not arrive.
        """
        sign = f"rollback-drill looks at this log: {secrets.token_hex(8)}"
        with self._lock:
            self._learn_clock()
            self._awaited = sign
        self.stage.database.fetch(f"DO $$BEGIN RAISE LOG '{sign}'; END$$")
        until = clock.monotonic() + _ARRIVES_S
        found: list[tuple[str, Entry]] = []
        while True:
            with self._lock:
                found += self._read_database()
                if self._arrived == sign:
                    return found
                trouble = self.logs[DATABASE].reading(DATABASE).trouble
            if clock.monotonic() > until:
                raise StageError(
                    "a line that Postgres was asked to log in its log",
                    trouble or f"none within {_ARRIVES_S:g} s",
                    "it may be another server's log; see [scripts] database_log",
                )
            clock.sleep(0.1)

    # The application's log.

    def _application(self, final: bool) -> Iterator[tuple[str, Entry]]:
        log = self.logs[APPLICATION]
        for host in self.stage.hosts:
            reading = log.reading(host.name)
            if "LOG_FILE" not in self.stage.environment:
                reading.trouble = "nobody says where its log is (LOG_FILE)"
                reading.offered = False
                continue
            place = self._places.setdefault(host.name, _Place())
            path = shlex.quote(self.stage.environment["LOG_FILE"])
            try:
                for line in self._lines(host, path, place, reading, final):
                    yield from self._entry(log, reading, line, host.name)
            except (DrillError, OSError) as error:
                reading.trouble = f"its log could not be read: {error}"

    def _entry(
        self, log: Log, reading: LogPosition, line: str, host: str
    ) -> Iterator[tuple[str, Entry]]:
        reading.lines += 1
        if not line.strip():
            return
        entry = application_entry(line, host, self.stage.interface.log_error, reading.skew_s)
        reading.newest_at = max(reading.newest_at, min(entry.at, now()))
        if entry.level in NOTEWORTHY:
            log.add(entry)
            yield APPLICATION, entry

    def _lines(
        self, host: Host, path: str, place: _Place, reading: LogPosition, final: bool
    ) -> Iterator[str]:
        """Yield what is new, look by look, until the end of the log or of the time for it."""
        until = clock.monotonic() + _CATCH_UP_S
        unended_since = 0.0
        while True:
            seen = _look(host, path, place.offset - len(place.mark), reading)
            if seen is None:
                if place.offset:
                    reading.miss("the log was taken away")
                return
            if place.inode and not _same(place, seen):
                yield from self._rest(host, path, place, seen, reading)
                place.inode, place.offset, place.mark, place.cut = 0, 0, b"", False
                continue
            place.inode = seen.inode
            new = seen.data[len(place.mark) :]
            whole = new.rfind(b"\n") + 1
            yield from _split(new[:whole], place)
            rest = new[whole:]
            if len(rest) >= _MOST - _MARK:  # the line is longer than a look
                yield from _split(rest, place)
                rest = b""
            behind = seen.size - place.offset - len(rest)
            if behind > 0:
                if clock.monotonic() > until:
                    reading.trouble = f"its reader is {behind / 2**20:.1f} MB behind the log"
                    return
                continue
            if rest and final:
                unended_since = unended_since or clock.monotonic()
                if clock.monotonic() - unended_since < _UNENDED_S:
                    clock.sleep(0.1)
                    continue
                yield from _split(rest, place)
            reading.trouble = ""
            return

    def _rest(
        self, host: Host, path: str, place: _Place, seen: _Seen, reading: LogPosition
    ) -> Iterator[str]:
        """Yield what is left of the file that was read before another took its place."""
        if seen.inode == place.inode:
            reading.miss("the log was cut or written anew")
            return
        script = _FIND.format(log=path, inode=place.inode)
        found = look(host, script, limit_s=_LIMIT_S).stdout.strip()
        old = (
            _look(host, shlex.quote(found), place.offset - len(place.mark), reading)
            if found
            else None
        )
        if old is None or not _same(place, old):
            reading.miss("the log was replaced, and the rest of the old one is not to be found")
            return
        new = old.data[len(place.mark) :]
        yield from _split(new, place)
        if place.offset < old.size:
            reading.miss("the log was rotated, and the rest of the old one is too long")

    # The database's log.

    def _learn_clock(self) -> None:
        asked = now()
        query = "SELECT extract(epoch FROM clock_timestamp())::float8"
        ((clock,),) = self.stage.database.fetch(query)
        self.logs[DATABASE].reading(DATABASE).skew_s = _skew(asked, now(), float(clock))
        self._clock_known = True

    def _read_database(self) -> list[tuple[str, Entry]]:
        if not self.stage.database:
            return []
        log = self.logs[DATABASE]
        reading = log.reading(DATABASE)
        try:
            if not self._clock_known:
                self._learn_clock()
            text = self.stage.database.log()
        except (DrillError, OSError) as error:
            reading.trouble = f"its log could not be read: {error}"
            reading.offered = not isinstance(error, NotOffered)
            return []
        whole = text[: text.rfind("\n") + 1]
        if not whole:
            reading.trouble = "its log is empty"
            return []
        reading.trouble = ""
        at = whole.rfind(self._block) if self._block else -1
        if at < 0 and self._block:
            reading.miss("its log was replaced, or grew by more than is read at once")
        new = whole[at + len(self._block) :] if at >= 0 else whole
        self._block = whole[-_BLOCK:]
        if self._awaited and self._awaited in new:
            self._arrived = self._awaited
        found: list[tuple[str, Entry]] = []
        for line in new.splitlines():
            reading.lines += 1
            written_at, entry = database_entry(line, reading.skew_s)
            reading.newest_at = max(reading.newest_at, min(written_at, now()))
            if entry:
                log.add(entry)
                found.append((DATABASE, entry))
        return found


def _look(host: Host, path: str, start: int, reading: LogPosition) -> _Seen | None:
    """Return what stands in the file from `start` on, from its beginning where it is shorter.

    None when it cannot be read, as `reading` then says. Raises StageError.
    """
    asked = now()
    script = _LOOK.format(log=path, start=max(0, start), most=_MOST)
    done = look(host, script, limit_s=_LIMIT_S, keep=_KEEP)
    head, _, body = done.stdout.partition("\n")
    word, _, said = head.partition(": ")
    if word == "no" and done.ok:
        reading.trouble = said
        return None
    try:
        inode, size, begin, clock = said.split()
        seen = _Seen(
            int(inode),
            int(size),
            int(begin),
            base64.b64decode(body, validate=False),
            _skew(asked, now(), float(clock.rstrip("N%."))),
        )
    except (ValueError, binascii.Error):
        words = (done.stderr or done.stdout).strip()[-200:] or "nothing"
        reading.trouble = f"its log could not be read: status {done.exit_status}, {words}"
        return None
    if not done.ok or len(seen.data) < min(_MOST, seen.size - seen.start):
        words = done.stderr.strip()[-200:] or f"{len(seen.data)} bytes of {seen.size - seen.start}"
        reading.trouble = f"its log did not arrive whole: status {done.exit_status}, {words}"
        return None
    reading.skew_s = seen.skew_s
    return seen


def _skew(asked: float, answered: float, clock: float) -> float:
    """Return by how much a clock that was read in between is ahead, 0 where it may be right."""
    if asked - _CLOCKS_S <= clock <= answered + _CLOCKS_S:
        return 0.0
    return clock - (asked + answered) / 2


def _same(place: _Place, seen: _Seen) -> bool:
    """Whether this is still the file that was read, and longer than before."""
    start = place.offset - len(place.mark)
    return seen.inode == place.inode and seen.start == start and seen.data.startswith(place.mark)


def _split(data: bytes, place: _Place) -> Iterator[str]:
    """Yield the lines of `data`, and go on behind them; of one too long, how it begins."""
    place.follow(data)
    *lines, rest = data.split(b"\n")
    for line in lines:
        if not place.cut:
            yield line.decode(errors="replace").rstrip("\r")
        place.cut = False
    if rest:
        if not place.cut:
            yield rest.decode(errors="replace")
        place.cut = True
