"""What a simulated database holds, apart from its server: to be dumped, restored and migrated."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollback_drill.subject.hostaway.simulated.plants import NOTHING_PLANTED, Plants

BASE, NEW = "0001_base", "0002_pagination"
TABLES: dict[str, dict[str, str]] = {
    "listings": {
        "id": "integer",
        "name": "text",
        "city": "text",
        "price_cents": "integer",
        "bedrooms": "integer",
        "active": "boolean",
        "updated_at": "text",
    },
    "reservations": {
        "id": "bigint",
        "reference": "text",
        "listing_id": "integer",
        "guest_name": "text",
        "check_in": "date",
        "check_out": "date",
        "total_cents": "integer",
        "status": "text",
        "created_at": "text",
        "updated_at": "text",
    },
}
SHOWN = {table: tuple(columns) for table, columns in TABLES.items()}
"""The columns that the API shows."""
ADDED = {"listings": {"search_rank": "integer"}, "reservations": {"channel": "text"}}
AUDIT = {"collection": "text", "rows_at_start": "bigint", "highest_id": "bigint"}
_NEWEST = 12  # rows that a defect costs

INDEXES = (("reservations_listing", "btree (listing_id)"),)

Fields = dict[str, Any]


@dataclass(slots=True)
class Copy:
    """The rows of each table at a `revision`; `left`: columns that a downgrade left behind."""

    revision: str
    rows: dict[str, list[Fields]]
    left: dict[str, dict[str, str]]

    def dump(self) -> str:
        """Return it as a dump's text."""
        return json.dumps({"revision": self.revision, "rows": self.rows, "left": self.left})

    @classmethod
    def of(cls, text: str) -> Copy:
        """Return what a dump holds. Raises ValueError where it is not whole."""
        return cls(**json.loads(text))

    def columns(self) -> dict[str, dict[str, str]]:
        """Return the types of all columns by table."""
        if self.revision == BASE:
            return {table: names | self.left.get(table, {}) for table, names in TABLES.items()}
        found = {table: columns | ADDED[table] for table, columns in TABLES.items()}
        return {"cursor_audit": AUDIT, **found}

    def counts(self) -> tuple[int, int]:
        """Return the number of listings and of reservations."""
        return len(self.rows["listings"]), len(self.rows["reservations"])

    def lose_newest(self) -> None:
        """Lose the newest reservations that a client made."""
        rows = self.rows["reservations"]
        made = [row for row in rows if not row["reference"].startswith("SEED")]
        gone = {row["id"] for row in made[-_NEWEST:]}
        self.rows["reservations"] = [row for row in rows if row["id"] not in gone]

    def downgrade(self, plants: Plants = NOTHING_PLANTED) -> None:
        """Revert the migration: what only the newer revision has is dropped."""
        if self.revision == BASE or "unreverted" in plants:
            return
        self.revision = BASE
        self.rows["cursor_audit"] = []
        if "half-reverted" in plants:
            self.left = {"listings": ADDED["listings"]}
        for table, names in ADDED.items():
            for row in self.rows[table] if table not in self.left else ():
                for name in names:
                    row.pop(name, None)
        if "downgrade-loses-rows" in plants:
            self.lose_newest()
        if "downgrade-changes-rows" in plants:
            for row in self.rows["listings"][:_NEWEST]:
                row["name"] = row["name"][:3]


def sums(table: str, rows: Sequence[Fields], names: Sequence[str]) -> tuple[str, ...]:
    """Return the row count and a sum over each column, as text."""
    found = []
    for name in names:
        keyed = table != "cursor_audit"
        texts = (f"{row['id']}={row.get(name)}" if keyed else str(row.get(name)) for row in rows)
        found.append(str(sum(zlib.crc32(text.encode()) for text in texts)))
    return (str(len(rows)), *found)


def definitions(
    columns: Mapping[str, Mapping[str, str]], indexes: Iterable[tuple[str, str]] = INDEXES
) -> list[tuple[str, str, str]]:
    """Return name, definition and owner of all that a database is made of: tables, their columns
    and keys, one sequence, and indexes.
    """
    told = [("sequence reservations_id_seq", "bigint", "reservations.id")]
    for table, names in columns.items():
        key = "collection" if table == "cursor_audit" else "id"
        told.append((f"table {table}", "r", ""))
        told.append((f"constraint {table}_pkey of {table}", f"PRIMARY KEY ({key})", table))
        told += [(f"column {table}.{name}", kind, table) for name, kind in names.items()]
    return [*told, *((f"index {name}", text, "reservations") for name, text in indexes)]
