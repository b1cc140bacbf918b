"""What tools that migrate databases write down is read, in a real Postgres, as they write it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from rollback_drill.data.migrations import Stands, stands
from tests.data.postgres_support import postgres
from tests.data.session_support import Session

FLYWAY = (
    "CREATE TABLE flyway_schema_history (installed_rank int, version text, type text, success bool)"
    "; INSERT INTO flyway_schema_history VALUES (1, '1000', 'SQL', true), (2, '1001', 'SQL', true),"
    " (3, NULL, 'SQL', true)"
)
PRISMA = (
    "CREATE TABLE _prisma_migrations (migration_name text, started_at int, finished_at int,"
    " rolled_back_at int); INSERT INTO _prisma_migrations VALUES"
    " ('20240101_base', 1, 1, NULL), ('20240102_notes', 2, {finished}, {rolled_back})"
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as running:
        yield running.url("postgres")


@pytest.fixture
def session(server: str) -> Iterator[Session]:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        yield Session(connection)


def table(name: str, columns: str, *rows: str) -> str:
    """Return SQL that makes a table of texts and numbers with `rows`."""
    values = f"; INSERT INTO {name} VALUES {', '.join(rows)}" if rows else ""
    return f"CREATE TABLE {name} ({columns}){values}"


@pytest.mark.parametrize(
    ("made", "tool", "at", "not_at"),
    [
        (table("alembic_version", "version_num text", "('0001_base')"), "alembic",
         ["0001_base", "0001"], ["0002_notes", "0001_bas", "base"]),
        (table("alembic_version", "version_num text", "('0001_base')", "('0002_b')"), "alembic",
         [], ["0001_base", "0002_b"]),
        (table("alembic_version", "version_num text"), "alembic", [], ["0001_base"]),
        (table("django_migrations", "id int, app text, name text, applied int",
               "(1, 'a', '0001_initial', 0)", "(2, 'b', '0007_x', 0)", "(3, 'a', '0002_y', 0)"),
         "Django", ["0002_y", "0007_x", "0007", "a.0002_y"], ["0001_initial", "0001", "b.0002_y"]),
        (FLYWAY, "Flyway", ["1001"], ["1000"]),
        (FLYWAY + ", (4, '1001', 'UNDO_SQL', true)", "Flyway", ["1000"], ["1001"]),
        (FLYWAY + ", (4, '1002', 'SQL', false)", "Flyway", [], ["1001", "1002"]),
        (PRISMA.format(finished=3, rolled_back="NULL"), "Prisma",
         ["20240102_notes"], ["20240101_base"]),
        (PRISMA.format(finished="NULL", rolled_back=4), "Prisma",
         ["20240101_base"], ["20240102_notes"]),
        (PRISMA.format(finished="NULL", rolled_back="NULL"), "Prisma",
         [], ["20240101_base", "20240102_notes"]),
        (table("schema_migrations", "version bigint, dirty bool", "(20240101, false)"),
         "golang-migrate", ["20240101"], ["20240102", "2024"]),
        (table("schema_migrations", "version bigint, dirty bool", "(20240101, true)"),
         "golang-migrate", [], ["20240101"]),
        (table("schema_migrations", "version text", "('20240101')", "('20240102')"),
         "Rails", ["20240102"], ["20240101"]),
        (table("_sqlx_migrations", "version bigint, success bool", "(1001, true)"),
         "sqlx", ["1001"], ["1000"]),
        (table("databasechangelog", "id text, orderexecuted int", "('one-a', 1)", "('two-b', 2)"),
         "Liquibase", ["two-b"], ["one-a"]),
        (table("knex_migrations", "id int, name text, batch int",
               "(1, '20240101_base.js', 1)", "(2, '20240102_notes.js', 2)"),
         "knex", ["20240102_notes", "20240102_notes.js", "20240102"], ["20240101_base", "20240"]),
        (table('"SequelizeMeta"', "name text", "('2024-b.js')", "('2023-a.js')"),
         "Sequelize", ["2024-b"], ["2023-a"]),
        (table("migrations", "id int, name text, run_on int", "(1, '/20240919083625-a-b', 1)",
               "(2, '/20240801000000-c', 1)"),
         "db-migrate", ["20240801000000"], ["20240919083625"]),
        (table("migrations", "id int, timestamp bigint, name text", "(1, 5, 'Base5')"),
         "TypeORM", ["Base5"], ["Base"]),
        (table("migrations", "id int, migration text, batch int", "(1, '2024_01_base', 1)"),
         "Laravel", ["2024_01_base"], ["2024_01"]),
        (table("pgmigrations", "id int, name text, run_on int", "(1, '1700_base', 1)"),
         "node-pg-migrate", ["1700_base", "1700"], ["1701"]),
        (table("goose_db_version", "id int, version_id bigint", "(1, 0)", "(2, 20240101)"),
         "goose", ["20240101"], ["20240100"]),
        (table('"__EFMigrationsHistory"', '"MigrationId" text', "('20240101_Base')"),
         "Entity Framework", ["20240101_Base"], ["20240101_Bas"]),
    ],
)  # fmt: skip
def test_a_tool_tells_at_which_revision_a_database_stands(
    session: Session, made: str, tool: str, at: list[str], not_at: list[str]
) -> None:
    session.fetch(made)
    (found,) = stands(session)
    assert found.tool == tool
    assert [one for one in (*at, *not_at) if found.at(one)] == at, str(found)


def test_a_table_of_that_name_with_other_columns_is_no_tools(session: Session) -> None:
    session.fetch("CREATE TABLE migrations (bird text, south date)")
    session.fetch(
        "CREATE SCHEMA own; CREATE TABLE own.knex_migrations (id int, name text, batch int)"
    )
    assert stands(session) == [Stands("knex")]
    assert str(stands(session)[0]) == "no revision by knex"
