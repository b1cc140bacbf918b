"""What the database holds, as one hash for each column (see `data.comparison`).

A hash is the sum over all rows of a 64-bit hash of the value, seeded with that of the primary key:
so it does not depend on the order of rows, and values that change places change it. NULL, which
adds nothing, and the empty text differ. Tables of all schemas count, and large objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from rollback_drill.data.comparison import ROWS
from rollback_drill.subject.subject import Queries

LARGE_OBJECTS = "large objects"
BOOKKEEPING = "alembic_version"
"""What no account of data has: it tells of the schema, and is compared with that."""
_WHOLE_NUMBERS = ("smallint", "integer", "bigint")

# A table of a schema that may not be entered is one that may not be read. By what the server knows
# of sizes: to measure one waits for whoever has locked it.
_COLUMNS = r"""
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
  coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0),
  has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
  greatest(c.relpages, 0)::bigint * current_setting('block_size')::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1, 2, a.attnum
"""
_MAY_READ_OBJECTS = "SELECT has_table_privilege('pg_largeobject', 'SELECT')"
_OBJECTS = """
SELECT count(DISTINCT loid)::text,
  coalesce(sum(hashtextextended(encode(data, 'base64'), loid::bigint * 1000003 + pageno)), 0)::text
FROM pg_largeobject
"""

Tables = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Shape:
    """A table of any schema: its `types` by column, in order, those of its primary `key`, whether
    it may be `readable`, and its size in bytes.
    """

    schema: str
    name: str
    types: Mapping[str, str]
    key: tuple[str, ...]
    readable: bool
    size: int

    @property
    def called(self) -> str:
        """How it is called: without its schema where that is the usual one."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def numbered(self) -> str:
        """Its single whole-numbered key, "" where it has none."""
        return self.key[0] if len(self.key) == 1 and self._whole(self.key[0]) else ""

    def _whole(self, column: str) -> bool:
        return self.types[column] in _WHOLE_NUMBERS

    @property
    def quoted(self) -> str:
        """Its name in SQL."""
        own = quoted(self.name)
        return own if self.schema == "public" else f"{quoted(self.schema)}.{own}"

    def query(self, values: Sequence[str], scope: str = "") -> str:
        """Return the query for the row count and the hash of each SQL expression in `values`, of
        all rows or those of which the SQL condition `scope` is true.

        A single whole number is its own seed, which halves the time. Without a primary key the row
        is the seed, as text: not every type can be hashed.
        """
        if not self.key:
            seed = f"hashtextextended({quoted(self.name)}::text, 0)"
        elif self.numbered:
            seed = f"{quoted(self.numbered)}::bigint"
        else:
            seed = f"hash_record_extended(row({', '.join(map(quoted, self.key))}), 0)"
        sums = "".join(
            f", coalesce(sum(hashtextextended(({value})::text, {seed})), 0)::text"
            for value in values
        )
        where = f" WHERE {scope}" if scope else ""
        return f"SELECT count(*)::text{sums} FROM {self.quoted}{where}"  # noqa: S608 - quoted


def shapes(database: Queries) -> list[Shape]:
    """Return all tables but that of the migrations. Raises StageError."""
    found = []
    for (schema, name), group in groupby(database.fetch(_COLUMNS), key=lambda row: row[:2]):
        rows = list(group)
        if name == BOOKKEEPING:
            continue
        types = {row[2]: row[3] for row in rows}
        key = sorted((row[4], row[2]) for row in rows if row[4])
        found.append(
            Shape(schema, name, types, tuple(k for _, k in key), rows[0][5], int(rows[0][6]))
        )
    return found


def statements(
    database: Queries, scopes: Mapping[str, str] = MappingProxyType({})
) -> dict[str, tuple[list[str], str]]:
    """Return, for each table that may be read, its columns and the query for its row count and a
    hash of each, all as text; `scopes`: by table, of which of its rows alone. Raises StageError.
    """
    found = dict(_of_tables(shapes(database), scopes))
    ((may,),) = database.fetch(_MAY_READ_OBJECTS)
    if may:
        found[LARGE_OBJECTS] = (["data"], " ".join(_OBJECTS.split()))
    return found


def _of_tables(
    tables: Sequence[Shape], scopes: Mapping[str, str]
) -> Iterator[tuple[str, tuple[list[str], str]]]:
    for one in tables:
        if one.readable:
            query = one.query([quoted(name) for name in one.types], scopes.get(one.called, ""))
            yield one.called, (list(one.types), query)


def unreadable(database: Queries) -> list[str]:
    """Return what the database holds and whoever asks may not read. Raises StageError."""
    found = [one.called for one in shapes(database) if not one.readable]
    ((may,),) = database.fetch(_MAY_READ_OBJECTS)
    return found if may else [*found, LARGE_OBJECTS]


def fingerprint(database: Queries, scopes: Mapping[str, str] = MappingProxyType({})) -> Tables:
    """Return, for each table, its row count and a hash of each column. Raises StageError."""
    return {
        table: hashes(names, database.fetch(query)[0])
        for table, (names, query) in statements(database, scopes).items()
    }


def hashes(names: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """Return by name what a query of `statements` answered: the row count, then the hashes."""
    return {ROWS: row[0], **{f".{name}": value for name, value in zip(names, row[1:], strict=True)}}


def expected(
    database: Queries,
    transformed: Mapping[str, str],
    scopes: Mapping[str, str] = MappingProxyType({}),
) -> Tables:
    """Return the hashes that columns will have once they are `transformed`: SQL expressions by
    name, "orders.customer". Columns that do not exist are left out. Raises StageError.
    """
    found = {}
    for one in shapes(database) if transformed else ():
        values = {
            n: f"CAST({transformed[f'{one.called}.{n}']} AS {kind})"
            for n, kind in one.types.items()
            if f"{one.called}.{n}" in transformed
        }
        if values and one.readable:
            query = one.query(list(values.values()), scopes.get(one.called, ""))
            found[one.called] = hashes(list(values), database.fetch(query)[0])
    return found


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
