"""Two states of all data, compared column by column. Pure; `data.fingerprint` takes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollback_drill.data.told import DataSeen, RowsSeen
from rollback_drill.record.book import Book

ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs: `dropped` and `added` tables and columns, `changed` ones with a sentence;
    `transformed`: columns that changed exactly as it was declared.
    """

    dropped: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    transformed: tuple[str, ...] = ()

    def undeclared(self, declared: Collection[str]) -> tuple[str, ...]:
        """Return what was dropped without being in `declared`."""
        return tuple(name for name in self.dropped if name not in declared)


def compare(
    before: Mapping[str, Mapping[str, str]],
    after: Mapping[str, Mapping[str, str]],
    declared: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    changing: Collection[str] = (),
) -> Comparison:
    """Return what differs between two fingerprints; shared columns are compared by their hashes.

    `declared`: the hashes that transformed columns must have afterwards, see `expected`;
    `changing`: columns and tables whose values the service changes by itself.
    """
    dropped = [table for table in before if table not in after]
    added = [table for table in after if table not in before]
    changed: list[str] = []
    transformed: list[str] = []
    for table in before.keys() & after.keys():
        was, now = before[table], after[table]
        dropped += [f"{table}{column}" for column in was if column not in now]
        added += [f"{table}{column}" for column in now if column not in was]
        if table in changing:
            continue
        if was[ROWS] != now[ROWS]:
            changed.append(f"{table} had {was[ROWS]} rows and has {now[ROWS]}")
            continue
        wanted = declared.get(table, {})
        for column in was.keys() & now.keys() - {ROWS}:
            if f"{table}{column}" in changing:
                continue
            if now[column] != wanted.get(column, was[column]):
                said = "is not what the runbook says" if column in wanted else "has other values"
                changed.append(f"{table}{column} {said}")
            elif now[column] != was[column]:
                transformed.append(f"{table}{column}")
    return Comparison(*(tuple(sorted(one)) for one in (dropped, added, changed, transformed)))


@dataclass(frozen=True, slots=True)
class Touched:
    """What a procedure made of all data: the state `before` it, and what differs after it."""

    before: DataSeen
    found: Comparison

    @property
    def procedure(self) -> int:
        """Which one."""
        return self.before.procedure

    @property
    def rows(self) -> str:
        """How many rows each table had before it, in words."""
        return ", ".join(f"{name} {t[ROWS]}" for name, t in sorted(self.before.tables.items()))


def touched(book: Book) -> tuple[Touched, ...]:
    """Return what each procedure did to the data, where it was seen before and after."""
    found = []
    changing = {name for one in book.every(RowsSeen) for name in one.changing}
    before: DataSeen | None = None
    for one in book.every(DataSeen):
        if one.moment == "before":
            before = one
        elif before and before.procedure == one.procedure:
            differs = compare(before.tables, one.tables, before.expected, changing)
            found.append(Touched(before, differs))
            before = None
    return tuple(found)
