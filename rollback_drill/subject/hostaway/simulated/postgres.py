"""The model of Postgres: the demo's tables, sessions, a log, and the statements that are asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from random import Random
from typing import Any

from rollback_drill.ground import clock
from rollback_drill.ground.errors import StageError
from rollback_drill.stage.model import Sessions
from rollback_drill.subject.hostaway.simulated.copies import NEW, Copy, Fields, definitions, sums
from rollback_drill.subject.hostaway.simulated.losses import Losses
from rollback_drill.subject.hostaway.simulated.plants import Plants
from rollback_drill.subject.subject import OWN_ROWS, Queries

POOL = 10
"""Sessions that the service keeps."""
_LIMIT = 40
_CITIES = ("Lisbon", "Oslo", "Graz", "Kyoto")
_STATEMENT_S = 0.0008
_ALL = ("listings", "reservations", "cursor_audit")
_KEYS = {"cursor_audit": "collection"}  # of all others it is the id
_SUMMED = re.compile(r'hashtextextended\(\("(\w+)"\)::text')
_UP_TO = re.compile(r'WHERE "id" <= (?P<last>\d+)$')


class SimulatedPostgres:
    """See stage.model.Database."""

    def __init__(self, rows: int, random: Random, slowness: float, losses: Losses) -> None:
        self._slowness = slowness
        self._losses = losses
        self._random = random
        self.up = True
        self.revision = NEW
        self.leaked = 0  # sessions that the service opened and never closed
        self.last_id = 0  # of the sequence
        self.indexes = [("reservations_listing", "btree (listing_id)")]
        self.lines: list[str] = []
        self.others: dict[str, Copy] = {}  # databases beside the service's own, by name
        self.left: dict[str, dict[str, str]] = {}  # columns that a downgrade left behind
        self.foreign = False  # whether a table belongs to somebody else
        self.refuses = False  # whether the row with the revision cannot be changed
        self.listings: list[Fields] = [
            {
                "id": n,
                "name": f"Home {n}",
                "city": _CITIES[n % len(_CITIES)],
                "price_cents": 5_000 + 37 * n,
                "bedrooms": 1 + n % 4,
                "active": n % 20 > 0,
                "updated_at": f"2029-04-{1 + n % 28:02d}T12:00:00+00:00",
                "search_rank": n,
            }
            for n in range(1, rows + 1)
        ]
        self.reservations: dict[str, Fields] = {}
        self.by_id: dict[int, Fields] = {}
        self.audit: list[Fields] = [
            {"collection": "listings", "rows_at_start": rows, "highest_id": rows},
            {"collection": "reservations", "rows_at_start": 0, "highest_id": 0},
        ]
        self._listed: dict[tuple[str, int], str] = {}  # hashes of what never changes
        for n in range(rows // 4):
            self.insert(
                {
                    "reference": f"SEED-{n}",
                    "listing_id": 1 + n,
                    "guest_name": f"Guest {n}",
                    "check_in": "2029-05-01",
                    "check_out": "2029-05-08",
                    "total_cents": 10_000 + n,
                    "channel": "import",
                }
            )
        self.tell("LOG:  database system is ready to accept connections")

    # What the service does.

    def insert(self, fields: Fields) -> Fields:
        """Add a reservation; return its row."""
        added = {"channel": "direct"} if self.revision == NEW else {}
        self.last_id += 1
        row: Fields = {"id": self.last_id, "status": "confirmed"} | added | fields
        row["made_at"] = clock.now()
        row["created_at"] = row["updated_at"] = self.moment()
        self.reservations[row["reference"]] = self.by_id[row["id"]] = row
        return row

    def gives_out_again(self) -> bool:
        """Return whether the sequence's next number is there already: it is used up in vain."""
        if self.last_id + 1 not in self.by_id:
            return False
        self.last_id += 1
        self.tell('ERROR:  duplicate key value violates unique constraint "reservations_pkey"')
        return True

    def moment(self) -> str:
        """Return the time as a column of the database has it."""
        return datetime.fromtimestamp(clock.now(), UTC).isoformat()

    def remove(self, row: Fields) -> None:
        """Take a reservation away."""
        del self.reservations[row["reference"]]

    def remove_old(self) -> None:
        """Take away a reservation that stood before there were clients, once."""
        self.reservations.pop("SEED-1", None)

    def change_listing(self) -> None:
        """Change one listing."""
        self.listings[3]["price_cents"] = 1
        self._listed.clear()

    @property
    def full(self) -> bool:
        """Whether a new session would be refused."""
        return self.leaked + POOL >= _LIMIT - 3

    def tell(self, text: str) -> None:
        """Write a line into the server's log."""
        at = datetime.fromtimestamp(clock.now(), UTC)
        self.lines.append(f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC [7] {text}")

    # What administrators ask.

    def connections(self) -> tuple[int, int]:
        """See Database.connections."""
        self._pass()
        return POOL + self.leaked, _LIMIT

    def sessions(self) -> list[Sessions]:
        """See Database.sessions."""
        self._pass()
        return [Sessions("hostaway", POOL + self.leaked, 0)]

    def end_sessions(self, user: str) -> None:
        """See Database.end_sessions."""
        self._pass()
        if user == "hostaway":
            self.leaked = 0

    def beside(self, name: str) -> AbstractContextManager[Queries]:
        """See Database.beside: each is empty here."""
        del name
        return nullcontext(_Empty())

    def neighbour(self) -> Any:
        """See Database.neighbour."""
        raise StageError("a session of a neighbour", "the model has none", "use a real stage")

    def log(self) -> str:
        """See Database.log."""
        self._losses.refuse("database-log")
        return "\n".join(self.lines[-400:]) + "\n"

    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See Queries.fetch."""
        self._pass()
        for pattern, answer in _ANSWERS:
            found = pattern.search(query)
            if found:
                return answer(self, found, parameters)
        raise StageError("a query that the model knows", query.strip()[:80], "teach it to it")

    def _pass(self) -> None:
        clock.sleep(_STATEMENT_S * self._slowness * self._random.uniform(0.7, 1.6))
        if not self.up:
            raise StageError("Postgres to answer", "connection refused", "start it")

    # What it holds, as a whole.

    def copy(self) -> Copy:
        """Return a copy of all that it holds."""
        rows = {table: [dict(row) for row in self.rows(table)] for table in _ALL}
        return Copy(self.revision, rows, self.left)

    def become(self, copy: Copy) -> None:
        """Hold what `copy` holds, and nothing else."""
        self.revision, self.left = copy.revision, copy.left
        self.listings, self.audit = copy.rows["listings"], copy.rows["cursor_audit"]
        rows = copy.rows["reservations"]
        self.reservations = {row["reference"]: row for row in rows}
        self.by_id = {row["id"]: row for row in rows}
        self._listed.clear()

    def downgrade(self, plants: Plants) -> str:
        """Revert the migration; return why that fails, "" when it does not."""
        why = ""
        if self.foreign:
            why = "must be owner of table reservations"
        elif self.refuses:
            why = "refused by the drill"
        elif "alternative-loses-rows" in plants:
            why = "the downgrade is broken"
        if why:
            self.tell(f"ERROR:  {why}")
            return why
        found = self.copy()
        found.downgrade(plants)
        self.become(found)
        return ""

    def cut_names(self, most: int) -> list[tuple[Any, ...]]:
        """Cut the names of the first listings."""
        self._listed.clear()
        for row in self.listings[:most]:
            row["name"] = row["name"][:3]
        return [(row["id"],) for row in self.listings[:most]]

    # Tables as the revision has them.

    def columns(self) -> dict[str, dict[str, str]]:
        """Return the types of all columns by table."""
        return Copy(self.revision, {}, self.left).columns()

    def rows(self, table: str) -> list[Fields]:
        """Return the rows of a table."""
        if table == "listings":
            return self.listings
        return list(self.reservations.values()) if table == "reservations" else self.audit

    def summed(self, table: str, names: Sequence[str], last: int | None = None) -> tuple[str, ...]:
        """Return the row count and a sum over each column, as text; of rows up to the id `last`."""
        rows = self.rows(table)
        if last is not None:
            rows = [row for row in rows if row["id"] <= last]
        if table != "listings":
            return sums(table, rows, names)
        found = [str(len(rows))]
        for name in names:
            if (name, len(rows)) not in self._listed:
                self._listed[name, len(rows)] = sums(table, rows, [name])[1]
            found.append(self._listed[name, len(rows)])
        return tuple(found)


def _shown(database: SimulatedPostgres, row: Fields) -> Fields:
    names = database.columns()["reservations"]
    return {name: row[name] for name in names}


def _reread(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del found
    there = database.reservations
    return [(one, _shown(database, there[one])) for one in parameters[0] if one in there]


def _one_of_city(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del found
    city, most = parameters
    return [(row["id"],) for row in database.listings if row["city"] == city][:most]


def _cities(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del found, parameters
    cities = [row["city"] for row in database.listings]
    return sorted(((one, cities.count(one)) for one in set(cities)), key=lambda one: one[::-1])


def _stored(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del found
    row = database.by_id.get(parameters[0])
    return [(row["guest_name"], row["total_cents"])] if row else []


def _extent(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    rows = _by_id(database, found["table"])
    return [(len(rows), max((row["id"] for row in rows), default=None))]


def _groups(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    rows = _by_id(database, found["table"])
    return list(Counter(row[found["column"]] for row in rows).items())


def _newest(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    rows = _by_id(database, found["table"])
    return [(row["id"],) for row in rows[::-1][: parameters[0]]]


def _changed(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del found
    rows = [row for row in database.by_id.values() if row["updated_at"] > row["created_at"]]
    rows.sort(key=lambda row: row["updated_at"], reverse=True)
    return [(row["id"],) for row in rows[: parameters[0]]]


def _rows(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    rows, given = _by_id(database, found["table"]), list(parameters)
    if found["filter"]:
        wanted = given.pop(0)
        rows = [row for row in rows if row[found["filter"]] == wanted]
    if found["page"]:
        limit, offset = given
        rows = rows[offset : offset + limit]
    else:
        wanted = set(given[0])
        rows = [row for row in rows if row["id"] in wanted]
    names = found["columns"].split(", ")
    return [tuple(row[name] for name in names) for row in rows]


def _by_id(database: SimulatedPostgres, table: str) -> list[Fields]:
    if table == "listings":
        return database.listings
    return [row for _, row in sorted(database.by_id.items())]


def _cut(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del found
    since = clock.now() - 60
    recent = [
        row
        for one, row in database.reservations.items()
        if one.startswith("d") and row["made_at"] > since
    ]
    return [(sum(len(row["guest_name"]) <= parameters[0] for row in recent), len(recent))]


def _hashes(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    part = _UP_TO.search(found.string)
    last = int(part["last"]) if part else None
    return [database.summed(found["table"], _SUMMED.findall(found.string), last)]


def _of_clients(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    unknown = set(re.findall(r"'([^']*)'", found["unknown"]))
    rows = [
        row
        for row in database.rows("reservations")
        if int(found["first"]) < row["id"] <= int(found["last"])
        and not row["reference"].startswith(OWN_ROWS)
        and row["reference"] not in unknown
    ]
    return [sums("reservations", rows, _SUMMED.findall(found.string))]


def _shapes(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del found, parameters
    return [
        ("public", t, name, kind, int(name == _KEYS.get(t, "id")), True, 8192)
        for t, names in sorted(database.columns().items())
        for name, kind in names.items()
    ]


def _catalogue(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Answer what the model has: tables, their columns and keys, and one sequence."""
    del found, parameters
    return list(definitions(database.columns(), database.indexes))


def _ends(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    ids = [row["id"] for row in database.rows(found["table"])]
    return [(min(ids, default=0), max(ids, default=0))]


def _count_part(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    return [(sum(one["id"] <= int(found["last"]) for one in database.reservations.values()),)]


def _new_ones(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    there = database.reservations.items()
    return [(name,) for name, row in there if row["id"] > int(found["last"])]


def _there(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del found
    table, column = parameters
    names = database.columns().get(table)
    return [(1,)] if names and (not column or column in names) else []


def _owned(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    database.foreign = found["user"] == "postgres"
    return []


def _watched(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    database.refuses = found["what"] == "CREATE"
    return []


def _raise(
    database: SimulatedPostgres, found: re.Match[str], parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    del parameters
    database.tell(f"LOG:  {found['text']}")
    return []


class _Empty:
    def fetch(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See Queries.fetch."""
        del parameters
        return [(False,)] if query.startswith("SELECT has_table_privilege") else []


_Answer = Callable[[SimulatedPostgres, re.Match[str], Sequence[Any]], list[tuple[Any, ...]]]
_ANSWERS: list[tuple[re.Pattern[str], _Answer]] = [
    (re.compile(pattern), answer)
    for pattern, answer in (
        (r"^SELECT 1 FROM listings LIMIT 1$", lambda _d, _f, _p: [(1,)]),
        (
            r"^SELECT datname, oid::text FROM pg_database",
            lambda d, _f, _p: [(name, name) for name in ("hostaway", "postgres", *d.others)],
        ),
        (r"RAISE LOG '(?P<text>[^']*)'", _raise),
        (r'^ALTER TABLE reservations OWNER TO "?(?P<user>\w+)', _owned),
        (r"^(?P<what>CREATE) OR REPLACE FUNCTION .* RAISE EXCEPTION", _watched),
        (r"^(?P<what>DROP) FUNCTION IF EXISTS", _watched),
        (r"^CREATE TRIGGER \w+ BEFORE UPDATE OR DELETE ON alembic", lambda _d, _f, _p: []),
        (r"^UPDATE listings SET name = left", lambda d, _f, p: d.cut_names(p[0])),
        (r"clock_timestamp\(\)", lambda _d, _f, _p: [(clock.now(),)]),
        (r"^SELECT count\(\*\) FROM listings$", lambda d, _f, _p: [(len(d.listings),)]),
        (
            r"^SELECT id FROM listings ORDER BY id LIMIT",
            lambda d, _f, p: [(row["id"],) for row in d.listings[: p[0]]],
        ),
        (r"^SELECT city, count.* ORDER BY", _cities),
        (r"^SELECT id FROM listings WHERE city", _one_of_city),
        (r"^SELECT reference, to_jsonb\(t\) FROM reservations", _reread),
        (r"^SELECT count\(\*\), max\(id\) FROM (?P<table>\w+)$", _extent),
        (r"^SELECT (?P<column>\w+), count\(\*\) FROM (?P<table>\w+) GROUP BY 1$", _groups),
        (r"^SELECT id FROM (?P<table>\w+) ORDER BY id DESC LIMIT %s$", _newest),
        (r"^SELECT id FROM reservations WHERE updated_at > created_at ORDER BY", _changed),
        (
            r"^SELECT (?P<columns>id, [\w, ]+) FROM (?P<table>\w+)"
            r"(?: WHERE id = ANY\(%s\)|(?: WHERE (?P<filter>\w+) = %s)?"
            r"(?P<page> ORDER BY id LIMIT %s OFFSET %s))$",
            _rows,
        ),
        (r"^SELECT guest_name, total_cents FROM reservations WHERE id", _stored),
        (r"length\(guest_name\)", _cut),
        (r"FROM pg_locks l JOIN pg_stat_activity", lambda _d, _f, _p: []),
        (r"FROM pg_stat_activity a WHERE", lambda _d, _f, _p: []),
        (r"^SELECT version_num FROM alembic_version", lambda d, _f, _p: [(d.revision,)]),
        (
            r"SELECT n\.nspname, c\.relname, a\.attname\n",
            lambda _d, _f, _p: [("public", "alembic_version", "version_num")],
        ),
        (
            r'^SELECT version_num, true FROM "public"."alembic_version"$',
            lambda d, _f, _p: [(d.revision, True)],
        ),
        (r"UNION ALL .*FROM pg_event_trigger", _catalogue),
        (
            r"FROM pg_sequences",
            lambda d, _f, _p: [("reservations_id_seq", d.last_id, "id", "reservations", "public")],
        ),
        (
            r'^SELECT max\("id"\) FROM "public"."reservations"$',
            lambda d, _f, _p: [(max(d.by_id, default=None),)],
        ),
        (r"c\.relname, a\.attname, format_type", _shapes),
        (r"has_table_privilege\('pg_largeobject'", lambda _d, _f, _p: [(True,)]),
        (r"FROM pg_largeobject$", lambda _d, _f, _p: [("0", "0")]),  # the model has none
        (r'^SELECT coalesce\(min\("id"\), 0\).* FROM "(?P<table>\w+)"$', _ends),
        (
            r'^SELECT coalesce\(max\("id"\), 0\) FROM "reservations"$',
            lambda d, _f, _p: [(max(d.by_id, default=0),)],
        ),
        (
            r'^SELECT count\(\*\)::text.* FROM "reservations" WHERE NOT '
            r'\("id" <= (?P<first>\d+)\) AND "id" <= (?P<last>\d+) AND .* AND '
            r"reference NOT IN \((?P<unknown>.*)\)$",
            _of_clients,
        ),
        (r'^SELECT count\(\*\) FROM "reservations" WHERE "id" <= (?P<last>\d+)$', _count_part),
        (
            r'^SELECT reference FROM "reservations" WHERE NOT \("id" <= (?P<last>\d+)\)$',
            _new_ones,
        ),
        (r"^\s*SELECT 1 FROM information_schema.columns", _there),
        (
            r"SELECT table_name FROM information_schema.tables",
            lambda d, _f, _p: [(t,) for t in d.columns()],
        ),
        (r'SELECT count\(\*\)::text.* FROM "(?P<table>\w+)"(?: WHERE "id" <= \d+)?$', _hashes),
    )
]
