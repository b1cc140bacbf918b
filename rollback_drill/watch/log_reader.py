"""Reads what was appended to the hosts' application logs and to the database's log.

A look says of each log whether it came to the log's end: a file that is gone, cannot be read, was
put in another's place or grows faster than it can be read is told with its reason, since a log in
which nothing was read has no errors either.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rollback_drill.ground import clock
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import DrillError, NotOffered, StageError
from rollback_drill.ground.redact import Redactor
from rollback_drill.stage.host import Host, look
from rollback_drill.stage.model import Stage
from rollback_drill.subject.subject import KnowsPeople
from rollback_drill.watch.logs import (
    APPLICATION,
    DATABASE,
    NOTEWORTHY,
    OUTPUT,
    Arrival,
    Entry,
    Log,
    LogPosition,
    application_entry,
    database_entry,
    text_entry,
)
from rollback_drill.watch.told import CUT

_LIMIT_S = 10.0  # for one look at one host
_MOST = 2 * 2**20  # bytes of one look; as many looks follow as there is time for
_CATCH_UP_S = 4.0
_KEEP = 2 * _MOST  # of the look's output, in which bytes are coded
_MARK = 64  # bytes before where the last look ended, by which the file is known again
_UNENDED_S = 1.0  # a last line without its end is one when nothing comes for so long
_BLOCK = 2_000  # characters of Postgres' log by which it is known again
_CLOCKS_S = 0.2  # two right clocks may differ by so much
_ARRIVES_S = 5.0  # a line of Postgres in its log
_JOURNAL = "export SINCE={since}\n(\n{script}\n) | tail -c {most}"
_SEARCHED = 500  # lines of a look that are searched for secrets: of a storm they are like the rest
_JOURNAL_BYTES = 2**19
_FULL = 0.9  # of these bytes: there may have been more

# With the file open all is told of one file, whatever takes its name meanwhile. `tail` dies of
# SIGPIPE once `head` has enough, and may. What has not grown costs but one program.
_LOOK = """
set +o pipefail
see() {
log="$1"
if [ ! -e "$log" ]; then echo "no: there is no $log"; return; fi
if [ ! -f "$log" ]; then echo "no: $log is no regular file"; return; fi
if [ ! -r "$log" ]; then echo "no: $log may not be read by $(id -un)"; return; fi
exec 3< "$log"
set -- "$2" "$3" $(stat -L -c '%i %s' /dev/fd/3)
if [ "$3 $4" = "$2" ]; then echo "same: $3 $4"; return; fi
from="$1"; [ "$4" -ge "$from" ] || from=0
echo "yes: $3 $4 $from $(date +%s.%N)"
tail -c +$((from + 1)) <&3 | head -c MOST | base64 -w 3000
}
""".replace("MOST", str(_MOST))
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
    optional: bool = False  # it may never be there, and need not be looked at where it did not grow

    def follow(self, taken: bytes) -> None:
        """Go on behind `taken`."""
        self.offset += len(taken)
        self.mark = (self.mark + taken)[-_MARK:]


class Tail:
    """Reads what was appended to each host's application log and to the database's log."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.logs = {APPLICATION: Log(), OUTPUT: Log(), DATABASE: Log()}
        self.leaked: dict[str, float] = {}
        """When a secret was last written into a log, by the log (Unix seconds)."""
        self.named: dict[str, float] = {}
        """The same for the name of somebody who is a client."""
        self._secrets = Redactor(stage.secrets)
        subject = getattr(stage, "subject", None)
        self._people = Redactor(subject.people if isinstance(subject, KnowsPeople) else ())
        self._searched = 0  # lines of this look
        self._began = now()
        self._blocks: dict[str, str] = {}  # the end of what was read of each journal
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

    # The logs on the hosts: the application's, and what it prints.

    def _application(self, final: bool) -> Iterator[tuple[str, Entry]]:
        self._searched = 0
        for host in self.stage.hosts:
            files = self._files(host)
            try:
                if files:
                    yield from self._of_host(host, files, final)
                if final and self.stage.interface.journal:
                    yield from self._journal(host)
            except (DrillError, OSError) as error:
                for source, name, _ in files:
                    reading = self.logs[source].reading(name)
                    reading.trouble = f"its log could not be read: {error}"

    def _files(self, host: Host) -> list[tuple[str, str, str]]:
        """Return the logs of a host: source, by what it is called, and its path for a shell."""
        found = []
        if "LOG_FILE" in self.stage.environment:
            path = shlex.quote(self.stage.environment["LOG_FILE"])
            found.append((APPLICATION, host.name, path))
        else:
            reading = self.logs[APPLICATION].reading(host.name)
            reading.trouble = "nobody says where its log is (LOG_FILE)"
            reading.offered = False
        for path in self.stage.interface.printed:
            name = f"{host.name} {path.rpartition('/')[2]}"
            found.append((OUTPUT, name, shlex.quote(path)))
            self._places.setdefault(name, _Place(optional=True))
        return found

    def _of_host(
        self, host: Host, files: list[tuple[str, str, str]], final: bool
    ) -> Iterator[tuple[str, Entry]]:
        """Read all logs of a host: one command for all, and more for those that need them."""
        asked = now()
        places = [self._places.setdefault(name, _Place()) for _, name, _ in files]
        seen = _look_at(
            host, [(path, one) for (_, _, path), one in zip(files, places, strict=True)]
        )
        for (source, name, path), place, first in zip(files, places, seen, strict=True):
            log = self.logs[source]
            reading = log.reading(name)
            for line in self._lines(host, path, place, reading, final, first):
                yield from self._entry(source, reading, line, host.name)
            if not reading.trouble:
                reading.whole_at = asked

    def _entry(
        self,
        source: str,
        reading: LogPosition,
        line: str,
        host: str,
        untimed_at: float = 0.0,
    ) -> Iterator[tuple[str, Entry]]:
        reading.lines += 1
        if not line.strip():
            return
        arrival = Arrival(reading.whole_at, now(), reading.skew_s, untimed_at)
        interface = self.stage.interface
        if source == APPLICATION:
            text = reading.is_text
            entry = application_entry(line, host, interface.log_error, arrival, text=text)
        else:
            entry = text_entry(line, host, arrival)
            if line.lstrip().startswith("{"):
                entry = application_entry(line, host, "", arrival, text=True)
        reading.take(entry)
        if source == OUTPUT:
            self.logs[source].note_start(entry)
        harmless = interface.log_harmless
        self._searched += 1
        if self._searched <= _SEARCHED and self._secrets.finds(line):
            self.leaked[f"the {source} log of {host}"] = entry.at
        if self._searched <= _SEARCHED and self._people.finds(line):
            self.named[f"the {source} log of {host}"] = entry.at
        if entry.level in NOTEWORTHY and not (harmless and re.search(harmless, line)):
            self.logs[source].add(entry)
            yield source, entry

    def _journal(self, host: Host) -> Iterator[tuple[str, Entry]]:
        """Read what the journal has of a host's service: what is new behind what was read last."""
        name = f"{host.name} journal"
        reading = self.logs[OUTPUT].reading(name)
        reading.skew_s = self.logs[APPLICATION].reading(host.name).skew_s
        asked = now()
        script = _JOURNAL.format(
            since=f"{self._began + reading.skew_s:.3f}",
            script=self.stage.interface.journal,
            most=_JOURNAL_BYTES,
        )
        done = look(host, script, limit_s=_LIMIT_S, keep=2 * _JOURNAL_BYTES)
        if not done.ok:
            words = done.stderr.strip()[-200:] or f"status {done.exit_status}"
            reading.trouble = f"its journal could not be read: {words}"
            return
        reading.trouble = ""
        block = self._blocks.get(name, "")
        at = done.stdout.rfind(block) if block else -1
        if at < 0 and block and len(done.stdout) >= _FULL * _JOURNAL_BYTES:
            reading.miss("its journal grew by more than is read at once")
        # Without that block it is another one: that of a container which was made anew.
        new = done.stdout[at + len(block) :] if at >= 0 else done.stdout
        self._blocks[name] = done.stdout[-_BLOCK:]
        # It is not read all the time: a line without a time came when the one before it did.
        for line in new.splitlines():
            before = reading.newest_at or self._began
            yield from self._entry(OUTPUT, reading, line, host.name, before)
        reading.whole_at = asked

    def _lines(
        self,
        host: Host,
        path: str,
        place: _Place,
        reading: LogPosition,
        final: bool,
        first: str,
    ) -> Iterator[str]:
        """Yield what is new, look by look, until the end of the log or of the time for it. `first`:
        what the first look said.
        """
        until = clock.monotonic() + _CATCH_UP_S
        unended_since = 0.0
        said: str | None = first
        while True:
            if said is None:
                (said,) = _look_at(host, [(path, place)])
            if said.startswith("same: "):
                reading.trouble = ""
                return
            seen, said = _seen(said, reading), None
            if seen is None:
                if place.offset:
                    reading.miss("the log was taken away")
                elif place.optional and reading.trouble.startswith("there is no "):
                    reading.trouble = ""
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
            reading.miss(CUT)
            return
        script = _FIND.format(log=path, inode=place.inode)
        found = look(host, script, limit_s=_LIMIT_S).stdout.strip()
        old = _seen(_look_at(host, [(shlex.quote(found), place)])[0], reading) if found else None
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
        harmless = self.stage.interface.log_harmless
        asked = now()
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
            arrival = Arrival(reading.whole_at, now(), reading.skew_s)
            written_at, entry = database_entry(line, arrival)
            reading.newest_at = max(reading.newest_at, written_at)
            if entry and not (harmless and re.search(harmless, line)):
                log.add(entry)
                found.append((DATABASE, entry))
        reading.whole_at = asked
        return found


def _look_at(host: Host, files: Sequence[tuple[str, _Place]]) -> list[str]:
    """Look at files from where the last looks at them ended, with one command; return what it said
    of each. Raises StageError.
    """
    script = [_LOOK]
    for path, place in files:
        known = f"'{place.inode} {place.offset}'" if place.optional and place.inode else "''"
        script.append(f"see {path} {max(0, place.offset - len(place.mark))} {known}; echo .\n")
    asked = now()
    done = look(host, "".join(script), limit_s=_LIMIT_S, keep=_KEEP)
    parts = f"{done.stdout}\n".split("\n.\n")
    if not done.ok or len(parts) <= len(files):
        words = (done.stderr or done.stdout).strip()[-200:] or "nothing"
        return [f"failed: status {done.exit_status}, {words}"] * len(files)
    return [f"{part}\n{asked} {now()}" for part in parts[: len(files)]]


def _seen(said: str, reading: LogPosition) -> _Seen | None:
    """Return what was said of a file: what stands in it from a place on, from its beginning where
    it is shorter. None when it cannot be read, as `reading` then says.
    """
    said, _, times = said.rpartition("\n") if not said.startswith("failed: ") else (said, "", "")
    head, _, body = said.partition("\n")
    word, _, told = head.partition(": ")
    if word == "no":
        reading.trouble = told
        return None
    try:
        asked, answered = map(float, times.split())
        inode, size, begin, clock = told.split()
        seen = _Seen(
            int(inode),
            int(size),
            int(begin),
            base64.b64decode(body, validate=False),
            _skew(asked, answered, float(clock.rstrip("N%."))),
        )
    except (ValueError, binascii.Error):
        reading.trouble = f"its log could not be read: {told[-300:] or 'nothing'}"
        return None
    if len(seen.data) < min(_MOST, seen.size - seen.start):
        arrived = f"{len(seen.data)} bytes of {seen.size - seen.start}"
        reading.trouble = f"its log did not arrive whole: {arrived}"
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
