"""A record as judges read it: what was recorded, by kind and in order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillBroke, DrillEnded, Interrupted, PhaseName, PhaseStarted

Kind = TypeVar("Kind")


class Record:
    """The events of one drill, in the order in which they were recorded."""

    def __init__(self, recorded: Iterable[Event]) -> None:
        self.events = tuple(recorded)
        self._by_kind: dict[type, list[Event]] = {}
        for event in self.events:
            self._by_kind.setdefault(type(event.what), []).append(event)

    @property
    def cut_short(self) -> bool:
        """Whether the drill was stopped, could not go on or was killed: why is a cause of its own,
        and what is missing for it has no other.
        """
        return bool(self.every(Interrupted) or self.every(DrillBroke) or not self.every(DrillEnded))

    @property
    def lives(self) -> list[list[Event]]:
        """The events of each drill: a drill that was killed, and the one that continues it, have
        one record. Each begins with setting up.
        """
        lives: list[list[Event]] = [[]]
        for event in self.events:
            begins = event.what == PhaseStarted(PhaseName.SETUP)
            if begins and any(isinstance(e.what, PhaseStarted) for e in lives[-1]):
                lives.append([])
            lives[-1].append(event)
        return lives

    def named(self, kind: str) -> list[Event]:
        """Return the events of the kind with this name."""
        return [event for event in self.events if type(event.what).__name__ == kind]

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
