"""At which revision a database stands, by what tools that migrate databases write down in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from rollback_drill.subject.subject import Queries

_COLUMNS = """
SELECT n.nspname, c.relname, a.attname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND c.relname = ANY(%s)
ORDER BY 1, 2
"""
_IN_PARTS = "Django"
_ENDING = re.compile(r"\.(?:[cm]?[jt]s|sql|py|rb|php)$")
_NEWEST = "SELECT {column}, true FROM {table} ORDER BY {order} DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that migrates databases, and its table, known by its name and by `columns` that it
    has; `query`: for the revisions at which it says that the database stands, and whether each
    is whole.
    """

    name: str
    table: str
    columns: frozenset[str]
    query: str


def _newest(name: str, table: str, columns: str, column: str, order: str) -> Tool:
    query = _NEWEST.format(column=column, order=order, table="{table}")
    return Tool(name, table, frozenset(columns.split()), query)


TOOLS = (
    Tool(
        "alembic",
        "alembic_version",
        frozenset({"version_num"}),
        "SELECT version_num, true FROM {table}",
    ),
    Tool(
        _IN_PARTS,
        "django_migrations",
        frozenset({"id", "app", "name", "applied"}),
        "SELECT DISTINCT ON (app) app || '.' || name, true FROM {table} ORDER BY app, id DESC",
    ),
    Tool(
        "Flyway",
        "flyway_schema_history",
        frozenset({"installed_rank", "version", "type", "success"}),
        "SELECT version, success FROM {table} t WHERE version IS NOT NULL"
        " AND type NOT LIKE 'UNDO%' AND NOT EXISTS (SELECT FROM {table} u WHERE u.version ="
        " t.version AND u.type LIKE 'UNDO%' AND u.installed_rank > t.installed_rank)"
        " ORDER BY installed_rank DESC LIMIT 1",
    ),
    Tool(
        "Prisma",
        "_prisma_migrations",
        frozenset({"migration_name", "started_at", "finished_at", "rolled_back_at"}),
        "SELECT migration_name, finished_at IS NOT NULL FROM {table}"
        " WHERE rolled_back_at IS NULL ORDER BY started_at DESC LIMIT 1",
    ),
    Tool(
        "golang-migrate",
        "schema_migrations",
        frozenset({"version", "dirty"}),
        "SELECT version::text, NOT dirty FROM {table}",
    ),
    Tool(
        "sqlx",
        "_sqlx_migrations",
        frozenset({"version", "success"}),
        "SELECT version::text, success FROM {table} ORDER BY version DESC LIMIT 1",
    ),
    _newest("Liquibase", "databasechangelog", "id orderexecuted", "id", "orderexecuted"),
    _newest("Rails", "schema_migrations", "version", "version::text", "version"),
    _newest("knex", "knex_migrations", "id name batch", "name", "id"),
    _newest("Sequelize", "SequelizeMeta", "name", "name", "name"),
    _newest("db-migrate", "migrations", "id name run_on", "name", "run_on DESC, id"),
    _newest("TypeORM", "migrations", "id timestamp name", "name", "id"),
    _newest("Laravel", "migrations", "id migration batch", "migration", "id"),
    _newest("node-pg-migrate", "pgmigrations", "id name run_on", "name", "id"),
    _newest("goose", "goose_db_version", "id version_id", "version_id::text", "id"),
    _newest(
        "Entity Framework",
        "__EFMigrationsHistory",
        "MigrationId",
        '"MigrationId"',
        '"MigrationId"',
    ),
)
"""Of those with the same table, the one with more columns first."""


@dataclass(frozen=True, slots=True)
class Stands:
    """At which `revisions` a database stands by the word of a `tool`, by name whether each is
    whole: one, or one for each branch or part of the application.
    """

    tool: str
    revisions: Mapping[str, bool] = field(default_factory=dict)

    def at(self, wanted: str) -> bool:
        """Whether it stands, whole, at the revision called `wanted`, and at no other; that of one
        part of an application says nothing of the others.
        """
        alone = len(self.revisions) == 1 or self.tool == _IN_PARTS
        named = any(_is_called(one, wanted) for one in self.revisions)
        return named and alone and all(self.revisions.values())

    def __str__(self) -> str:
        """As a part of a sentence."""
        told = [one if whole else f"{one} (not whole)" for one, whole in self.revisions.items()]
        return f"{' and '.join(told) or 'no revision'} by {self.tool}"


def stands(database: Queries) -> list[Stands]:
    """Return where a database stands by each tool that has a table in it. Raises StageError."""
    found = []
    for tool, table in _tables(database):
        rows = database.fetch(tool.query.replace("{table}", table))
        found.append(Stands(tool.name, {str(name): bool(whole) for name, whole in rows}))
    return found


def _tables(database: Queries) -> Iterator[tuple[Tool, str]]:
    """Yield the tables of tools, as SQL names them."""
    names = sorted({one.table for one in TOOLS})
    rows = database.fetch(_COLUMNS, (names,))
    for (schema, name), group in groupby(rows, key=lambda row: row[:2]):
        columns = {row[2] for row in group}
        for tool in TOOLS:
            if tool.table == name and tool.columns <= columns:
                yield tool, f'"{schema}"."{name}"'
                break


def _is_called(revision: str, wanted: str) -> bool:
    """Whether `wanted` names a revision: as it is called, without the part of the application, the
    folder or the file's ending, or by its number alone.
    """
    name = revision.rpartition("/")[2]
    names = {revision, name, _ENDING.sub("", name), name.partition(".")[2]}
    return wanted in names or any(
        wanted.isdigit() and re.match(rf"{wanted}(?![0-9A-Za-z])", one) for one in names
    )
