"""A record as a book: read once, and asked by everybody who judges or reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from rollback_drill.record.timeline import Event
from rollback_drill.record.told import (
    DrillBroke,
    DrillEnded,
    Interrupted,
    PhaseName,
    PhaseStarted,
    Told,
)

What = TypeVar("What", bound=Told)
_Answer = TypeVar("_Answer")


class Book:
    """The events of one drill, in the order in which they were recorded.

    Whatever takes more than to look for a kind of event is a question: a pure function of the book,
    which stands in the room whose events it reads.
    """

    def __init__(self, record: Iterable[Event]) -> None:
        self.events = tuple(record)
        self._by_kind: dict[type, list[Event]] = {}
        for event in self.events:
            self._by_kind.setdefault(type(event.what), []).append(event)
        self._answers: dict[Callable[[Book], Any], Any] = {}

    def ask(self, question: Callable[[Book], _Answer]) -> _Answer:
        """Return the answer to `question`, which is looked for once."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: _Answer = self._answers[question]
        return answer

    @property
    def cut_short(self) -> bool:
        """Whether the drill was stopped, could not go on or was killed: why is a cause of its own,
        and what is missing for it has no other.
        """
        return bool(self.every(Interrupted) or self.every(DrillBroke) or not self.every(DrillEnded))

    def named(self, kind: str) -> list[Event]:
        """Return the events of the kind with this name."""
        return [event for event in self.events if type(event.what).__name__ == kind]

    def timed(self, *kinds: type[Told]) -> list[Event]:
        """Return the events of these kinds with their times, kind by kind."""
        return [event for kind in kinds for event in self._by_kind.get(kind, ())]

    def at(self, kind: type[Told]) -> float | None:
        """Return when the first of a kind was recorded, None where there is none."""
        return next((event.at for event in self.timed(kind)), None)

    def every(self, kind: type[What]) -> list[What]:
        """Return all of a kind."""
        return [event.what for event in self._by_kind.get(kind, ())]  # type: ignore[misc]

    def moments(self, kind: type[What]) -> list[tuple[float, What]]:
        """Return all of a kind, each with when it was recorded."""
        return [(event.at, event.what) for event in self._by_kind.get(kind, ())]  # type: ignore[misc]

    def first(self, kind: type[What]) -> What | None:
        """Return the first of a kind, None where there is none."""
        return next(iter(self.every(kind)), None)

    def last(self, kind: type[What]) -> What | None:
        """Return the last of a kind, None where there is none."""
        return next(reversed(self.every(kind)), None)


def lives(book: Book) -> list[Book]:
    """Return a book for each drill: one that was killed, and the one that continues it, have one
    record. Each begins with setting up.
    """
    found: list[list[Event]] = [[]]
    for event in book.events:
        begins = event.what == PhaseStarted(PhaseName.SETUP)
        if begins and any(isinstance(e.what, PhaseStarted) for e in found[-1]):
            found.append([])
        found[-1].append(event)
    return [Book(life) for life in found]
