"""A record as judges read it: what was recorded, by kind and in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from drill.timeline import Event

Kind = TypeVar("Kind")


class Record:
    """The events of one drill, in the order in which they were recorded."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = tuple(events)
        self._by_kind: dict[type, list[Event]] = {}
        for event in self.events:
            self._by_kind.setdefault(type(event.what), []).append(event)

    def timed(self, *kinds: type) -> list[Event]:
        """Return the events of these kinds with their times, kind by kind."""
        return [event for kind in kinds for event in self._by_kind.get(kind, ())]

    def every(self, kind: type[Kind]) -> list[Kind]:
        """Return all of a kind."""
        return [event.what for event in self._by_kind.get(kind, ())]  # type: ignore[misc]

    def first(self, kind: type[Kind]) -> Kind | None:
        """Return the first of a kind, None where there is none."""
        return next(iter(self.every(kind)), None)

    def last(self, kind: type[Kind]) -> Kind | None:
        """Return the last of a kind, None where there is none."""
        return next(reversed(self.every(kind)), None)
