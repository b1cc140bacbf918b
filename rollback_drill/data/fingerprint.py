"""What the database holds, as one hash for each column (see `data.comparison`).

A hash is the sum over all rows of a 64-bit hash of the value, seeded with that of the primary key:
so it does not depend on the order of rows, and values that change places change it. NULL, which
adds nothing, and the empty text differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rollback_drill.data.comparison import ROWS
from rollback_drill.subject.subject import Queries

_BOOKKEEPING = "alembic_version"
_WHOLE_NUMBERS = ("smallint", "integer", "bigint")

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
_TYPES = """
SELECT relname, attname, format_type(atttypid, atttypmod) FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
"""

Tables = dict[str, dict[str, str]]


def statements(database: Queries) -> dict[str, tuple[list[str], str]]:
    """Return, for each table, its columns and the query for its row count and a hash of each, all
    as text. Raises StageError.
    """
    types = _types(database)
    keys = _grouped(database.fetch(_KEYS))
    return {
        table: (names, _query(table, [_quoted(name) for name in names], keys.get(table), types))
        for table, names in _grouped(database.fetch(_COLUMNS)).items()
    }


def fingerprint(database: Queries) -> Tables:
    """Return, for each table, its row count and a hash of each column. Raises StageError."""
    return {
        table: hashes(names, database.fetch(query)[0])
        for table, (names, query) in statements(database).items()
    }


def hashes(names: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """Return by name what a query of `statements` answered: the row count, then the hashes."""
    return {ROWS: row[0], **{f".{name}": value for name, value in zip(names, row[1:], strict=True)}}


def expected(database: Queries, transformed: Mapping[str, str]) -> Tables:
    """Return the hashes that columns will have once they are `transformed`: SQL expressions by
    name, "orders.customer". Columns that do not exist are left out. Raises StageError.
    """
    types = _types(database)
    keys = _grouped(database.fetch(_KEYS))
    found = {}
    for table, names in _grouped(database.fetch(_COLUMNS)).items():
        values = {
            n: f"CAST({transformed[f'{table}.{n}']} AS {types[table, n]})"
            for n in names
            if f"{table}.{n}" in transformed
        }
        if values:
            query = _query(table, list(values.values()), keys.get(table), types)
            found[table] = hashes(list(values), database.fetch(query)[0])
    return found


def _types(database: Queries) -> dict[tuple[str, str], str]:
    return {(table, column): kind for table, column, kind in database.fetch(_TYPES)}


def _grouped(pairs: Iterable[tuple[str, ...]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, column in pairs:
        if table != _BOOKKEEPING:
            found.setdefault(table, []).append(column)
    return found


def _query(
    table: str,
    values: Sequence[str],
    keys: list[str] | None,
    types: Mapping[tuple[str, str], str],
) -> str:
    """Return the query for the row count and the hash of each SQL expression in `values`.

    A single whole number is its own seed, which halves the time. Without a primary key the row
    is the seed, as text: not every type can be hashed.
    """
    if not keys:
        seed = f"hashtextextended({_quoted(table)}::text, 0)"
    elif len(keys) == 1 and types[table, keys[0]] in _WHOLE_NUMBERS:
        seed = f"{_quoted(keys[0])}::bigint"
    else:
        seed = f"hash_record_extended(row({', '.join(map(_quoted, keys))}), 0)"
    sums = "".join(
        f", coalesce(sum(hashtextextended(({value})::text, {seed})), 0)::text" for value in values
    )
    return f"SELECT count(*)::text{sums} FROM {_quoted(table)}"  # noqa: S608 - quoted names


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
