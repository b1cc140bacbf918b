"""The record: append-only, one JSON object a line, flushed as it happens.

The file survives a killed drill: every line is complete or absent (a torn last line is ignored).
"""

from __future__ import annotations

import json
import threading
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any

from drill import events, files
from drill.clock import iso, now
from drill.errors import UsageError
from drill.redact import Redactor

KINDS: dict[str, type] = {cls.__name__: cls for cls in typing.get_args(events.Payload)}


@dataclass(frozen=True, slots=True)
class Event:
    """A payload and when it was recorded (Unix seconds)."""

    at: float
    what: events.Payload


class Timeline:
    """Writes events to `path` and tells subscribers. Safe to use from several threads."""

    def __init__(self, path: Path, redactor: Redactor | None = None) -> None:
        self.path = path
        self.redactor = redactor or Redactor()
        self._lock = threading.RLock()
        self._subscribers: list[Callable[[Event], None]] = []
        self._file = files.create(path)

    def subscribe(self, subscriber: Callable[[Event], None]) -> None:
        """Call `subscriber` with every later event, in order, on the recording thread."""
        self._subscribers.append(subscriber)

    def record(self, what: events.Payload, at: float | None = None) -> Event:
        """Append `what`; `at` defaults to now. Secrets are masked before anyone sees them."""
        with self._lock:
            clean = _decode(type(what), self.redactor.value(_plain(what)))
            event = Event(now() if at is None else at, clean)
            if not self._file.closed:  # late threads may still speak while the drill ends
                self._file.write(to_line(event) + "\n")
                self._file.flush()
            for subscriber in self._subscribers:
                subscriber(event)
            return event

    def close(self) -> None:
        """Close the file; later events are dropped."""
        with self._lock:
            self._file.close()


def to_line(event: Event) -> str:
    """Return `event` as one line of JSON."""
    head = {"at": round(event.at, 6), "time": iso(event.at), "kind": type(event.what).__name__}
    return json.dumps(head | _plain(event.what), ensure_ascii=False, separators=(",", ":"))


def read(path: Path) -> Iterator[Event]:
    """Yield the events of the file at `path`.

    Raises UsageError when the file is missing or a line other than the last is not an event.
    """
    try:
        file = path.open(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"a timeline at {path}", str(error.strerror), "name a timeline.jsonl that a drill wrote"
        ) from error
    with file:
        for number, line in enumerate(file, 1):
            try:
                raw = json.loads(line)
                kind = KINDS[raw["kind"]]
                yield Event(float(raw["at"]), _decode(kind, raw))
            except (ValueError, KeyError, TypeError) as error:
                if not line.endswith("\n"):
                    return  # torn by a kill while writing
                raise UsageError(
                    f"an event in line {number} of {path}",
                    repr(line[:80]),
                    "the file may come from another version; run the drill again",
                ) from error


def _plain(what: events.Payload) -> dict[str, Any]:
    return asdict(what)


def _decode(kind: type, raw: dict[str, Any]) -> Any:
    hints = typing.get_type_hints(kind)
    return kind(
        **{f.name: _typed(hints[f.name], raw[f.name]) for f in fields(kind) if f.name in raw}
    )


def _typed(hint: Any, value: Any) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return value
    if typing.get_origin(hint) is tuple:
        return tuple(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value
