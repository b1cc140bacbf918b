"""Whether the record is whole: how it ends, who looked, whether what is in it can be."""

from __future__ import annotations

import functools
import typing
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.decoding import NAMED
from rollback_drill.record.judge import Cause, judging
from rollback_drill.record.told import DrillBroke, DrillEnded, Interrupted, ObserverDied


@judging(10)
def of_end(book: Book) -> Iterator[Cause]:
    """What cut the drill short, and what it left behind."""
    interrupted, broke = book.last(Interrupted), book.last(DrillBroke)
    if interrupted:
        yield Cause(Verdict.UNKNOWN, "Drill", f"interrupted by {interrupted.by}")
    if broke:
        what = f"it could not go on: expected {broke.expected}; found {broke.found}"
        yield Cause(Verdict.UNKNOWN, "Drill", what, advice=broke.advice)
    ended = book.last(DrillEnded)
    if ended is None:
        yield Cause(Verdict.UNKNOWN, "Drill", "the timeline breaks off before the end")
    elif ended.left_behind:
        left = ", ".join(ended.left_behind)
        yield Cause(Verdict.FAILED, "Drill", "something was left behind", left)


@judging(30)
def of_observers(book: Book) -> Iterator[Cause]:
    """Who died or hung: what he would have seen is not known."""
    deaths = {death.observer: death for death in book.every(ObserverDied)}
    for one in deaths.values():
        what = f"the {one.observer} saw nothing more: {one.error}"
        yield Cause(Verdict.UNKNOWN, "Observer", what)


@judging(260)
def of_names(book: Book) -> Iterator[Cause]:
    """Values that no drill records: names that are empty."""
    told = set()
    for event in book.events:
        kind = type(event.what)
        for name in _named(typing.cast("type", kind)):
            value = getattr(event.what, name)
            if not value or (isinstance(value, tuple) and not all(value)):
                told.add(f"{kind.__name__} without its {name}")
    for what in sorted(told):
        yield Cause(Verdict.UNKNOWN, "Record", what)


@functools.cache
def _named(kind: type) -> tuple[str, ...]:
    """Return the fields of `kind` that say nothing when they are empty."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(
        one.name for one in fields(kind) if NAMED in getattr(hints[one.name], "__metadata__", ())
    )


@judging(280, whole=True)
def of_number(book: Book) -> Iterator[Cause]:
    """Events that are missing or too many, by what the drill says that it recorded."""
    ended = book.last(DrillEnded)
    if ended is None or not ended.recorded:
        what = "how much was recorded is not said: it comes from an older version"
        yield Cause(Verdict.UNKNOWN, "Record", what)
        return
    counted = Counter(type(event.what).__name__ for event in book.events[:-1])
    for kind in sorted(counted.keys() | ended.recorded.keys()):
        number = ended.recorded.get(kind, 0)
        if counted[kind] != number:
            what = f"{counted[kind]} of {number} {kind} are there"
            yield Cause(Verdict.UNKNOWN, "Record", what)
