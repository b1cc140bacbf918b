"""What the database holds, as one hash for each column: two states are compared column by column.

A hash is the sum over all rows of a 64-bit hash of (primary key, value), so it does not depend on
the order of rows, and values that change places change it. NULL and the empty text differ.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from drill.stage import Queries

ROWS = "rows"
_BOOKKEEPING = "alembic_version"

_COLUMNS = """
SELECT c.table_name, c.column_name FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY 1, c.ordinal_position
"""
_KEYS = """
SELECT tc.table_name, k.column_name FROM information_schema.table_constraints tc
JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)
WHERE tc.table_schema = 'public' AND tc.constraint_type = 'PRIMARY KEY' ORDER BY k.ordinal_position
"""

Tables = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs: `dropped` and `added` tables and columns, `changed` ones with a sentence."""

    dropped: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]

    def undeclared(self, declared: Collection[str]) -> tuple[str, ...]:
        """Return what was dropped without being in `declared`."""
        return tuple(name for name in self.dropped if name not in declared)


def fingerprint(database: Queries) -> Tables:
    """Return, for each table, its row count and a hash of each column. Raises StageError."""
    columns: dict[str, list[str]] = {}
    for table, column in database.fetch(_COLUMNS):
        if table != _BOOKKEEPING:
            columns.setdefault(table, []).append(column)
    keys: dict[str, list[str]] = {}
    for table, column in database.fetch(_KEYS):
        keys.setdefault(table, []).append(column)
    return {table: _table(database, table, names, keys.get(table, names))
            for table, names in columns.items()}  # fmt: skip


def _table(database: Queries, table: str, columns: list[str], keys: list[str]) -> dict[str, str]:
    key = ", ".join(_quoted(name) for name in keys)
    hashes = ", ".join(
        f"coalesce(sum(hashtextextended(row({key}, {_quoted(name)})::text, 0)::numeric), 0)::text"
        for name in columns
    )
    query = f"SELECT count(*)::text, {hashes} FROM {_quoted(table)}"  # noqa: S608 - quoted names
    ((rows, *values),) = database.fetch(query)
    return {ROWS: rows, **{f".{name}": value for name, value in zip(columns, values, strict=True)}}


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def compare(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> Comparison:
    """Return what differs between two fingerprints; shared columns are compared by their hashes."""
    dropped = [table for table in before if table not in after]
    added = [table for table in after if table not in before]
    changed = []
    for table in before.keys() & after.keys():
        was, now = before[table], after[table]
        dropped += [f"{table}{column}" for column in was if column not in now]
        added += [f"{table}{column}" for column in now if column not in was]
        if was[ROWS] != now[ROWS]:
            changed.append(f"{table} had {was[ROWS]} rows and has {now[ROWS]}")
            continue
        changed += [
            f"{table}{column} has other values"
            for column in was
            if column in now and was[column] != now[column]
        ]
    return Comparison(tuple(sorted(dropped)), tuple(sorted(added)), tuple(sorted(changed)))
