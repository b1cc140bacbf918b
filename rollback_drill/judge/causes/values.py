"""Whether what is on record can be: no name is empty, and counts add up."""

from __future__ import annotations

import functools
import typing
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields

from rollback_drill.data.paths import FATES
from rollback_drill.data.told import DataSeen, LedgerRead, PathRead
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.causes.cause import Cause
from rollback_drill.record.book import Record
from rollback_drill.record.decoding import NAMED
from rollback_drill.record.told import DrillEnded

_MOMENTS = ("before", "after")


def of_values(record: Record) -> list[Cause]:
    """Values that no drill records, and events that are missing or too many by its own count."""
    found = [*_of_names(record), *_of_data(record), *_of_number(record)]
    return [Cause(Verdict.UNKNOWN, "Record", what) for what in found]


def _of_names(record: Record) -> Iterable[str]:
    told = set()
    for event in record.events:
        kind = type(event.what)
        for name in _named(typing.cast("type", kind)):
            value = getattr(event.what, name)
            if not value or (isinstance(value, tuple) and not all(value)):
                told.add(f"{kind.__name__} without its {name}")
    yield from sorted(told)


@functools.cache
def _named(kind: type) -> tuple[str, ...]:
    """Return the fields of `kind` that say nothing when they are empty."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(
        one.name for one in fields(kind) if NAMED in getattr(hints[one.name], "__metadata__", ())
    )


def _of_data(record: Record) -> Iterable[str]:
    for kind in (LedgerRead, PathRead):
        for read in record.every(kind):
            total = sum(getattr(read, name) for name in FATES)
            if total != read.acknowledged:
                yield (
                    f"what became of {total} writes is known, and {read.acknowledged} were "
                    f"acknowledged ({kind.__name__})"
                )
    for seen in record.every(DataSeen):
        if seen.moment not in _MOMENTS or not seen.tables:
            yield f"what data there was “{seen.moment}” Procedure {seen.procedure} is not said"


def _of_number(record: Record) -> Iterable[str]:
    """Compare what there is with what the drill says that it recorded."""
    if record.cut_short:
        return
    ended = record.last(DrillEnded)
    if ended is None or not ended.recorded:
        yield "how much was recorded is not said: it comes from an older version"
        return
    counted = Counter(type(event.what).__name__ for event in record.events[:-1])
    for kind in sorted(counted.keys() | ended.recorded.keys()):
        number = ended.recorded.get(kind, 0)
        if counted[kind] != number:
            yield f"{counted[kind]} of {number} {kind} are there"
