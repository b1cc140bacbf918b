"""The rows that stood before there were clients: nobody in a drill has any business with them.

They are told from those that clients make by their whole-numbered key, and looked at again and
again by their hashes. Of a table that is too large for that, the same evenly spread rows each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from rollback_drill.data.fingerprint import (
    Shape,
    Tables,
    expected,
    hashes,
    quoted,
    shapes,
    statements,
    unreadable,
)
from rollback_drill.data.told import RowsCounted, RowsSeen
from rollback_drill.data.writes import Fate, Write
from rollback_drill.ground.errors import StageError
from rollback_drill.subject.subject import Queries, Table

_WHOLE = 8 * 2**30  # bytes up to which all rows of a table are looked at: about a minute
_WINDOWS, _WINDOW = 100, 2_000  # of a larger one, so many times so many keys in a row
_EXAMPLES = 5
_MAY_NOT = "whoever asks may not read it; grant pg_read_all_data"


class Standing:
    """The rows of `database` that stand when it is looked at first. `table`: the one that clients
    write to, None where nobody knows; `scopes`: of a drill that is continued; `changing`: columns
    that the service changes by itself.
    """

    def __init__(
        self,
        database: Queries,
        table: Table | None,
        scopes: Mapping[str, str] | None = None,
        changing: Sequence[str] = (),
    ) -> None:
        self._database = database
        self._table = table
        self._scopes = None if scopes is None else dict(scopes)
        self._changing = tuple(changing)
        self._settled: str | None = None  # the condition of rows that clients are done with
        self._unscoped: dict[str, str] = {}

    def look(
        self, moment: str, procedure: int = 0, transformed: Mapping[str, str] | None = None
    ) -> RowsSeen:
        """Look at them now. Raises StageError when the database does not answer at all."""
        if self._scopes is None:
            self._scopes = self._find_scopes(shapes(self._database))
        missing = dict.fromkeys(unreadable(self._database), _MAY_NOT) | self._unscoped
        tables: Tables = {}
        for name, (columns, query) in statements(self._database, self._scopes).items():
            if name in missing:
                continue
            try:
                tables[name] = hashes(columns, self._database.fetch(query)[0])
            except StageError as error:
                missing[name] = error.found
        if self._settled and self._table:
            tables.update(self._of_clients(self._table, self._settled))
        if not tables and missing:
            raise StageError("rows that stand", next(iter(missing.values())), "see its log")
        wanted = expected(self._database, transformed or {}, self._scopes)
        return RowsSeen(moment, tables, procedure, self._scopes, missing, wanted, self._changing)

    def settle(self, writes: Mapping[str, Sequence[Write]]) -> None:
        """Look from now on at what clients wrote as well: they are gone, and nobody changes it any
        more, but for `writes` of which they did not hear how they ended. Raises StageError.
        """
        table = self._table
        scope = (self._scopes or {}).get(table.name) if table else None
        if table is None or scope is None:
            return
        for one in shapes(self._database):
            if one.called == table.name and one.numbered:
                key = quoted(one.numbered)
                ((last,),) = self._database.fetch(
                    f"SELECT coalesce(max({key}), 0) FROM {one.quoted}"  # noqa: S608 - quoted
                )
                of_checks = (f"left(reference, {len(own)}) <> '{own}'" for own in table.own)
                open_ = [
                    name
                    for name, all_of in writes.items()
                    if any(write.fate is Fate.INDETERMINATE for write in all_of)
                ]
                known = f"reference NOT IN ({', '.join(map(_text, ['', *open_]))})"
                parts = (f"NOT ({scope})", f"{key} <= {last}", *of_checks, known)
                self._settled = " AND ".join(parts)

    def _of_clients(self, table: Table, condition: str) -> Tables:
        for one in shapes(self._database):
            if one.called == table.name:
                query = one.query([quoted(name) for name in one.types], condition)
                found = hashes(list(one.types), self._database.fetch(query)[0])
                return {f"{table.name} of clients": found}
        return {}

    def count(self, writes: Mapping[str, Sequence[Write]], *, shared: bool) -> RowsCounted | None:
        """Say whose the rows of the clients' table are, once traffic is over: `writes` are theirs,
        by reference. None where those that stood cannot be told apart. Raises StageError.
        """
        table = self._table
        scope = (self._scopes or {}).get(table.name) if table else None
        if table is None or scope is None:
            return None
        name = quoted(table.name)
        ((stood,),) = self._database.fetch(f"SELECT count(*) FROM {name} WHERE {scope}")  # noqa: S608
        rows = self._database.fetch(f"SELECT reference FROM {name} WHERE NOT ({scope})")  # noqa: S608
        return _counted(table, int(stood), [row[0] for row in rows], writes, shared=shared)

    def _find_scopes(self, tables: Sequence[Shape]) -> dict[str, str]:
        return {one.called: scope for one in tables for scope in self._scope_of(one)}

    def _scope_of(self, one: Shape) -> Iterator[str]:
        """Yield the condition under which rows of a table are looked at, if there is one."""
        written = self._table is not None and one.called == self._table.name
        if not one.readable or not (written or one.size > _WHOLE):
            return
        if not one.numbered:
            why = "other rows than these cannot be told apart" if written else "it is too large"
            self._unscoped[one.called] = f"{why}: it has no whole-numbered key"
            return
        key = quoted(one.numbered)
        ((low, high),) = self._database.fetch(
            f"SELECT coalesce(min({key}), 0), coalesce(max({key}), 0) "  # noqa: S608 - quoted
            f"FROM {one.quoted}"
        )
        yield f"{key} <= {high}" if written else _windows(key, int(low), int(high))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _windows(key: str, low: int, high: int) -> str:
    """Return the condition of evenly spread keys, the first and the last among them."""
    step = max(_WINDOW, (high - low - _WINDOW) // (_WINDOWS - 1))
    begins = [*range(low, high - _WINDOW, step)][: _WINDOWS - 1]
    spans = [(one, one + _WINDOW - 1) for one in begins] + [(max(low, high - _WINDOW), high)]
    return " OR ".join(f"{key} BETWEEN {begin} AND {end}" for begin, end in spans)


def _counted(
    table: Table,
    stood: int,
    references: Collection[str],
    writes: Mapping[str, Sequence[Write]],
    *,
    shared: bool,
) -> RowsCounted:
    made = {
        subject: one.fate for subject, all_of in writes.items() for one in all_of if one.creates
    }
    own = [one for one in references if one.startswith(table.own)]
    strangers = [one for one in references if one not in made and not one.startswith(table.own)]
    refused = [one for one in references if made.get(one) is Fate.REFUSED]
    twice = [one for one, times in Counter(references).items() if times > 1]
    return RowsCounted(
        table=table.name,
        stood=stood,
        clients=sum(one in made for one in references),
        own=len(own),
        strangers=len(strangers),
        refused=len(refused),
        twice=len(twice),
        examples=tuple([*twice, *refused, *strangers][:_EXAMPLES]),
        shared=shared,
    )
