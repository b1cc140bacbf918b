"""The record: append-only, one JSON object a line, flushed as it happens.

The file survives a killed drill: every line is complete or absent (a torn last line is ignored).
"""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from rollback_drill.ground import files
from rollback_drill.ground.clock import iso, now
from rollback_drill.ground.errors import StageError, UsageError, in_words
from rollback_drill.ground.lines import read_lines
from rollback_drill.ground.redact import Redactor
from rollback_drill.record.decoding import Flaw, decode, load, told
from rollback_drill.record.told import DrillEnded, ObserverDied, Told, UnixTime, kinds

_SUM = ',"sum":"'
"""Begins what every line ends with: a sum over all before, by which damage shows."""
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_OUR_DEFECT = "this is a defect of the suite, or the machine's clock was set meanwhile"


@dataclass(frozen=True, slots=True)
class Event:
    """A payload and when it was recorded (Unix seconds)."""

    at: float
    what: Told


class Timeline:
    """Writes events to `path` and tells subscribers. Safe to use from several threads."""

    def __init__(self, path: Path, redactor: Redactor | None = None) -> None:
        self.path = path
        self.redactor = redactor or Redactor()
        self._lock = threading.RLock()
        self._subscribers: list[tuple[str, Callable[[Event], None]]] = []
        self._file = files.create(path)
        self._counts: Counter[str] = Counter()
        self._lost: OSError | None = None  # why the record ends here, until the drill was told

    def subscribe(self, subscriber: Callable[[Event], None], name: str) -> None:
        """Call `subscriber` with every later event, in order, on the recording thread.

        One that raises an error is called no more, and its death is recorded under its `name`.
        """
        self._subscribers.append((name, subscriber))

    def record(self, what: Told, at: float | None = None) -> Event:
        """Append `what`; `at` defaults to now. Secrets are masked before anyone sees them.

        Raises StageError for a value that its field does not allow: nobody could judge it. Raises
        OSError when there is no room for it, once and to the drill's own thread: what is recorded
        while it heals and clears up after that is lost.
        """
        with self._lock:
            clean, text = self._clean(what)
            event = Event(now() if at is None else at, clean)
            if not self._file.closed:  # late threads may still speak while the drill ends
                self._write(_line(event, text) + "\n")
                self._counts[type(what).__name__] += 1
            if self._lost and threading.current_thread() is threading.main_thread():
                lost, self._lost = self._lost, None
                raise lost
            deaths = []
            for name, subscriber in tuple(self._subscribers):
                try:
                    subscriber(event)
                except Exception as error:  # it must not cost the record, nor go unseen
                    self._subscribers.remove((name, subscriber))
                    deaths.append(ObserverDied(name, in_words(error)))
            for death in deaths:
                self.record(death)
            return event

    def _write(self, line: str) -> None:
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            self._lost = error
            with contextlib.suppress(OSError):  # what it still holds has no room either
                self._file.close()

    def _clean(self, what: Told) -> tuple[Any, str]:
        """Return `what` without secrets, and as JSON. Raises StageError."""
        plain = self.redactor.value(_plain(what))
        text = _JSON.encode(plain)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:  # what programs print may be no text
                plain = json.loads(text.encode(errors="replace"))
                text = _JSON.encode(plain)
        try:
            return decode(type(what), plain), text
        except Flaw as error:
            raise StageError("an event that can be read again", str(error), _OUR_DEFECT) from error

    def end(self, left_behind: Iterable[str]) -> None:
        """Record that the drill has ended, and how much was recorded of it; then close."""
        with self._lock:  # nobody may speak in between
            self.record(DrillEnded(tuple(left_behind), dict(self._counts)))
            self.close()

    def close(self) -> None:
        """Close the file; later events are dropped."""
        with self._lock:
            self._file.close()


def to_line(event: Event) -> str:
    """Return `event` as one line of JSON."""
    return _line(event, _JSON.encode(_plain(event.what)))


def _line(event: Event, what: str) -> str:
    """Return `event` as one line, `what` being its payload as JSON."""
    head = f'{{"at":{_JSON.encode(round(event.at, 6))},"time":"{iso(event.at)}"'
    kind = type(event.what).__name__
    text = f'{head},"kind":"{kind}"{"," if what != "{}" else ""}{what[1:]}'
    return f'{text[:-1]}{_SUM}{_sum(text)}"}}'


def _sum(text: str) -> str:
    return f"{zlib.crc32(text.encode(errors='surrogatepass')):08x}"


def _check(line: str, told: object) -> None:
    """Raise Flaw unless a line is as it was written; those of older versions say no sum."""
    if told is not None and told != _sum(line[: line.rfind(_SUM)] + "}"):
        raise Flaw("a line that was changed after it was written")


def read(path: Path) -> Iterator[Event]:
    """Yield the events of the file at `path`; a last line without its end was torn, and is none.

    Raises UsageError when there is no such file, or a line is not an event of this version.
    """
    lines = read_lines(
        path, f"a timeline at {path}", "name a timeline.jsonl that a drill wrote", whole_only=True
    )
    number = 0
    for number, line in lines:
        try:
            raw = load(line)
            written = raw.pop("sum", None) if type(raw) is dict else None
            event = _event(raw)
            _check(line, written)
        except ValueError as error:
            found = str(error) if isinstance(error, Flaw) else told(line)
            raise UsageError(
                f"an event in line {number} of {path}",
                found,
                "the file is damaged or comes from another version; run the drill again",
            ) from error
        yield event
    if not number:
        found = "not one whole line in it"
        raise UsageError(f"a timeline at {path}", found, "name a timeline.jsonl that a drill wrote")


def _event(raw: Any) -> Event:
    """Return an object of a line as an event. Raises ValueError."""
    name = raw.pop("kind", None) if type(raw) is dict else None
    kind = kinds().get(name) if type(name) is str else None
    if kind is None:
        raise Flaw(f"{told(raw)}, which is no event")
    head = decode(_Head, {name: raw.pop(name) for name in ("at", "time") if name in raw})
    return Event(head.at, decode(kind, raw))


@dataclass(frozen=True, slots=True)
class _Head:
    """What every line begins with. `time` says `at` once more, for people."""

    at: UnixTime
    time: str = ""


def _plain(what: Any) -> Any:
    """Return `what` as JSON has it, as `dataclasses.asdict` does, but without copies."""
    kind: Any = type(what)
    if kind is str or kind is float or kind is int:
        return what
    names = _names(kind)
    if names is not None:
        return {name: _plain(getattr(what, name)) for name in names}
    if kind is dict:
        return {name: _plain(value) for name, value in what.items()}
    if kind is tuple or kind is list:
        return [_plain(value) for value in what]
    return what


@functools.cache
def _names(kind: type) -> tuple[str, ...] | None:
    """Return the names of a payload's fields, None where it has none."""
    return tuple(one.name for one in fields(kind)) if is_dataclass(kind) else None
