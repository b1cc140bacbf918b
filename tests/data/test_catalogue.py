"""Each part of what a database is made of is altered in a real Postgres, and found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from rollback_drill.data import catalogue as data_catalogue
from rollback_drill.data.catalogue import Watching, catalogue
from rollback_drill.data.structure import alterations
from rollback_drill.data.told import (
    ENDED,
    HEALTHY,
    PREPARING,
    READY,
    STARTED,
    CatalogueSeen,
    ReleaseSeen,
)
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.wait import wait_until
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import CommandStarted, ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import Told
from tests.data.postgres_support import Postgres, postgres
from tests.data.session_support import Session

ROLES = "CREATE ROLE clerk; CREATE ROLE boss"
SCHEMA = """
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO clerk;
CREATE TABLE shops (code text PRIMARY KEY, city varchar(20) DEFAULT 'Graz' NOT NULL, size int);
CREATE TABLE orders (id bigserial PRIMARY KEY, shop text REFERENCES shops, cents numeric(10, 2),
  CONSTRAINT paid CHECK (cents >= 0), CONSTRAINT once UNIQUE (shop, cents));
INSERT INTO shops VALUES ('a'); INSERT INTO orders (shop, cents) VALUES ('a', 1), ('a', 2);
CREATE INDEX by_city ON shops (lower(city));
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE RULE mute AS ON DELETE TO shops DO INSTEAD NOTHING;
CREATE VIEW cheap AS SELECT id FROM orders WHERE cents < 10;
CREATE MATERIALIZED VIEW sums AS SELECT sum(cents) FROM orders;
CREATE SCHEMA audit; CREATE TABLE audit.lines (what text); GRANT USAGE ON SCHEMA audit TO clerk;
CREATE TYPE mood AS ENUM ('well', 'ill'); CREATE DOMAIN share AS int CHECK (VALUE < 100);
COMMENT ON TABLE shops IS 'where it is'; COMMENT ON COLUMN shops.city IS 'its place';
GRANT SELECT ON shops TO clerk; GRANT UPDATE (city) ON shops TO clerk;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON orders USING (cents > 0);
CREATE STATISTICS habits ON shop, cents FROM orders; CREATE PUBLICATION news FOR TABLE orders;
CREATE PUBLICATION dear FOR TABLE orders (id) WHERE (id > 3);
CREATE PUBLICATION every FOR TABLES IN SCHEMA audit;
CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq);
CREATE CAST (text AS point) WITH INOUT; CREATE COLLATION bytes FROM "C";
CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple);
CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple);
CREATE FOREIGN DATA WRAPPER wire; CREATE SERVER depot FOREIGN DATA WRAPPER wire;
CREATE FOREIGN TABLE far (a int) SERVER depot OPTIONS (at 'a');
CREATE USER MAPPING FOR clerk SERVER depot OPTIONS (password 'a');
CREATE TABLE years (y int, z int) PARTITION BY RANGE (y);
ALTER DATABASE app SET work_mem = '5MB'; ALTER ROLE clerk SET statement_timeout = '5s';
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        with psycopg.connect(running.url("postgres"), autocommit=True) as connection:
            connection.execute(ROLES.encode())
        running.create("app")
        with psycopg.connect(running.url("app"), autocommit=True) as connection:
            connection.execute(SCHEMA.encode())
        yield running


@pytest.fixture
def session(server: Postgres) -> Iterator[Session]:
    """A session whose changes are taken back."""
    with psycopg.connect(server.url("app")) as connection:
        yield Session(connection)
        connection.rollback()
        connection.execute("SELECT setval('orders_id_seq', 2)")  # which no rollback takes back


ALTERED = [
    ("DROP TABLE audit.lines", "table audit.lines is gone"),
    ("DROP SCHEMA audit CASCADE", "schema audit is gone"),
    ("CREATE TABLE more (id int)", "table more is new"),
    ("ALTER TABLE shops DROP size", "column shops.size is gone"),
    ("ALTER TABLE shops ALTER city TYPE varchar(10)", "is “character varying(10); not null"),
    ("ALTER TABLE shops ALTER city SET DEFAULT 'Wien'", "default 'Wien'"),
    ("ALTER TABLE shops ALTER city DROP DEFAULT", "column shops.city was"),
    ("ALTER TABLE shops ALTER city DROP NOT NULL", "column shops.city was"),
    ("ALTER TABLE shops ALTER city SET STORAGE EXTERNAL", "storage e"),
    ("ALTER TABLE audit.lines SET UNLOGGED", "persistence u"),
    ("ALTER TABLE shops SET (fillfactor = 50)", "fillfactor=50"),
    ("ALTER TABLE orders DROP CONSTRAINT paid", "constraint paid of orders is gone"),
    ("ALTER TABLE orders DROP CONSTRAINT once", "constraint once of orders is gone"),
    ("ALTER TABLE orders DROP CONSTRAINT orders_shop_fkey", "orders_shop_fkey of orders is gone"),
    ("ALTER TABLE shops ADD CHECK (size > 0) NOT VALID", "constraint shops_size_check of shops"),
    ("DROP INDEX by_city", "index by_city is gone"),
    ("DROP INDEX by_city; CREATE INDEX by_city ON shops (city)", "index by_city was"),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_city'::regclass",
        "; invalid”",
    ),
    ("DROP TRIGGER touched ON orders", "trigger touched of orders is gone"),
    ("ALTER TABLE orders DISABLE TRIGGER touched", "enabled D"),
    ("ALTER TABLE orders DISABLE TRIGGER ALL", "checks of foreign keys of orders was"),
    ("DROP RULE mute ON shops", "rule mute of shops is gone"),
    ("CREATE OR REPLACE VIEW cheap AS SELECT id FROM orders", "view cheap was"),
    ("DROP MATERIALIZED VIEW sums", "materialized view sums is gone"),
    (
        "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RETURN NULL; END$$",
        "function touch() was",
    ),
    ("ALTER TYPE mood RENAME VALUE 'ill' TO 'sick'", "type mood was"),
    ("ALTER DOMAIN share DROP CONSTRAINT share_check", "constraint share_check is gone"),
    ("COMMENT ON TABLE shops IS 'x'", "comment on table shops was “where it is” and is “x”"),
    ("COMMENT ON COLUMN shops.city IS NULL", "comment on column city of table shops is gone"),
    ("REVOKE SELECT ON shops FROM clerk", "grants on shops was"),
    ("REVOKE UPDATE (city) ON shops FROM clerk", "column shops.city was"),
    ("REVOKE USAGE ON SCHEMA audit FROM clerk", "schema audit was"),
    ("ALTER TABLE shops OWNER TO boss", "owner of shops was “postgres” and is “boss”"),
    ("ALTER SCHEMA audit OWNER TO boss", "schema audit was"),
    ("DROP POLICY own ON orders", "policy own of orders is gone"),
    ("ALTER TABLE orders DISABLE ROW LEVEL SECURITY", "table orders was"),
    ("DROP STATISTICS habits", "statistics habits is gone"),
    ("DROP PUBLICATION news", "publication news is gone"),
    ("ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM clerk", "default grants of postgres"),
    ("ALTER DATABASE app SET work_mem = '6MB'", "setting of everybody in the database was"),
    ("ALTER DATABASE app RESET work_mem", "setting of everybody in the database is gone"),
    ("ALTER DATABASE app OWNER TO boss", "database was"),
    ("ALTER ROLE clerk SET statement_timeout = '1s'", "setting of clerk on the server was"),
    ("ALTER ROLE clerk CREATEDB", "role clerk was"),
    ("GRANT boss TO clerk", "role clerk was"),
    ("ALTER ROLE clerk PASSWORD 'new'", "password of clerk is new"),
    ("CREATE ROLE other", "role other is new"),
    ("CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION ev()", "event trigger e is new"),
    ("DROP EXTENSION plpgsql CASCADE", "extension plpgsql is gone"),
    ("SELECT setval('orders_id_seq', 1)", "sequence orders_id_seq stood at 2 and stands at 1"),
    (
        "SELECT setval('orders_id_seq', 9007199254740992)",
        "stood at 2 and stands at 9007199254740992",
    ),
    ("ALTER SEQUENCE orders_id_seq RESTART", "stood at 2 and stands at its start"),
    ("ALTER SEQUENCE orders_id_seq INCREMENT 2", "sequence orders_id_seq was"),
    ("INSERT INTO orders VALUES (9)", "orders_id_seq will give out 9 again"),
    ("ALTER SEQUENCE orders_id_seq OWNED BY NONE", "sequence orders_id_seq was"),
    ("REFRESH MATERIALIZED VIEW sums WITH NO DATA", "materialized view sums was"),
    (
        "CREATE SUBSCRIPTION s CONNECTION 'host=nowhere password=x' PUBLICATION p "
        "WITH (connect = false, slot_name = NONE, enabled = false)",
        "subscription s is new",
    ),
    ("UPDATE pg_database SET datallowconn = false WHERE datname = 'app'", "database was"),
    ("SELECT lo_from_bytea(0, 'x')", "owners of large objects is new"),
    ("DROP OPERATOR === (int, int)", "operator ===(integer,integer) is gone"),
    ("DROP CAST (text AS point)", "cast from text to point is gone"),
    ("DROP TEXT SEARCH CONFIGURATION plain", "text search configuration plain is gone"),
    (
        "ALTER TEXT SEARCH CONFIGURATION plain DROP MAPPING FOR word",
        "dictionaries of plain was",
    ),
    ("DROP TEXT SEARCH DICTIONARY words", "text search dictionary words is gone"),
    ("DROP COLLATION bytes", "collation bytes is gone"),
    ("DROP FOREIGN TABLE far", "foreign table far is gone"),
    ("ALTER FOREIGN TABLE far OPTIONS (SET at 'b')", "foreign table far was"),
    ("ALTER FOREIGN DATA WRAPPER wire OPTIONS (ADD x 'y')", "foreign-data wrapper wire was"),
    ("ALTER USER MAPPING FOR clerk SERVER depot OPTIONS (SET password 'b')", "user mapping of"),
    ("ALTER PUBLICATION news SET (publish_via_partition_root = true)", "publication news was"),
    ("ALTER PUBLICATION dear SET TABLE orders (id) WHERE (id > 4)", "publication dear was"),
    ("ALTER PUBLICATION dear SET TABLE orders (id, cents) WHERE (id > 3)", "publication dear was"),
    ("ALTER PUBLICATION every DROP TABLES IN SCHEMA audit", "publication of schema audit in"),
    ("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC", "language plpgsql was"),
    ("GRANT CREATE ON TABLESPACE pg_default TO clerk", "tablespace pg_default was"),
    (
        "DROP TABLE years; CREATE TABLE years (y int, z int) PARTITION BY LIST (z)",
        "table years was",
    ),
]


def test_another_revision_is_found(session: Session) -> None:
    session.fetch("CREATE TABLE alembic_version (version_num text)")
    session.fetch("INSERT INTO alembic_version VALUES ('0002')")
    watching = Watching(session)
    before = watching.look(STARTED)
    session.fetch("UPDATE alembic_version SET version_num = '0001'")
    after = watching.look(ENDED)
    wrong = "revision of its migrations was “0002 by alembic” and is “0001 by alembic”"
    assert wrong in told(before, after)
    command = CommandStarted(1, "Procedure 1", 3, "host-1", "", "alembic stamp 0001", 9, 1.0)
    assert wrong in told(before, command, after)
    migrates = replace(command, script="alembic downgrade 0001")
    assert told(before, migrates, after) == ""
    session.fetch("INSERT INTO alembic_version VALUES ('0002')")
    assert "is “0001 and 0002 by alembic”" in told(before, watching.look(ENDED))


def test_an_access_rule_that_is_added_is_found(server: Postgres) -> None:
    rules = server.data / "pg_hba.conf"
    kept = rules.read_text()
    with psycopg.connect(server.url("app"), autocommit=True) as connection:
        watching = Watching(Session(connection))
        before = watching.look(STARTED)
        try:
            rules.write_text(f"{kept}\nhost all all 10.0.0.0/8 trust\n")
            assert "server setting access rules was" in told(before, watching.look(ENDED))
        finally:
            rules.write_text(kept)
        assert told(before, watching.look(ENDED)) == ""


def test_a_transaction_that_is_left_open_is_found(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_catalogue, "_OPEN", data_catalogue._OPEN.replace("'5 s'", "'0 s'"))
    url = server.url("app")
    with (
        psycopg.connect(url, autocommit=True) as looking,
        psycopg.connect(url, application_name="job") as other,
    ):
        watching = Watching(Session(looking))
        before = watching.look(STARTED)
        other.execute("LOCK TABLE shops IN ACCESS SHARE MODE")
        assert told(before, watching.look(HEALTHY)) == ""
        assert "open transaction of postgres job is new" in told(before, watching.look(ENDED))


def test_an_advisory_lock_that_a_session_keeps_is_found(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_catalogue, "_LOCKS", data_catalogue._LOCKS.replace("'5 s'", "'0 s'"))
    url = server.url("app")
    with (
        psycopg.connect(url, autocommit=True) as looking,
        psycopg.connect(url, autocommit=True) as other,
    ):
        watching = Watching(Session(looking))
        before = watching.look(STARTED)
        other.execute("SELECT pg_advisory_lock(7)")
        assert told(before, watching.look(HEALTHY)) == ""
        assert "advisory lock of postgres is new" in told(before, watching.look(ENDED))
        leading = Watching(Session(looking))  # whoever kept it before the drill may keep it
        assert told(leading.look(STARTED), leading.look(ENDED)) == ""


@pytest.mark.parametrize("whose", ["DATABASE app", "ROLE clerk"])
def test_a_setting_named_like_a_secret_is_compared_and_not_told(
    session: Session, whose: str
) -> None:
    session.fetch(f"ALTER {whose} SET app.Api_Key = 'hunter2'")
    before = catalogue(session)
    session.fetch(f"ALTER {whose} SET app.Api_Key = 'hunter3'")
    after = catalogue(session)
    assert "hunter" not in str(before) + str(after)
    assert before != after


@pytest.mark.parametrize(("change", "found"), ALTERED, ids=[one for one, _ in ALTERED])
def test_what_is_altered_is_found(session: Session, change: str, found: str) -> None:
    if "ev()" in change:
        session.fetch(
            "CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$"
        )
    watching = Watching(session)
    before = watching.look(STARTED)
    session.fetch(change)
    assert found in told(before, watching.look(ENDED))


@pytest.mark.parametrize(
    "change",
    [
        "SELECT 1",
        "INSERT INTO orders (shop, cents) VALUES ('a', 3)",
        "ANALYZE shops",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE ROLE neighbour",  # of the suite's own hazards
        "DROP TABLE audit.lines; CREATE TABLE audit.lines (what text)",
        "REVOKE SELECT ON shops FROM clerk; GRANT SELECT ON shops TO clerk",
    ],
)
def test_what_is_as_it_was_is_no_finding(session: Session, change: str) -> None:
    watching = Watching(session)
    before = watching.look(STARTED)
    session.fetch(change)
    assert told(before, watching.look(ENDED)) == ""


@pytest.mark.parametrize("loaded", [True, False])
def test_what_is_set_for_the_whole_server_is_found(server: Postgres, loaded: bool) -> None:
    """Whether the server has taken it already or takes it at its next start."""
    with psycopg.connect(server.url("app"), autocommit=True) as connection:
        session = Session(connection)
        watching = Watching(session)
        before = watching.look(STARTED)
        reload_ = "SELECT pg_reload_conf()"
        try:
            connection.execute("ALTER SYSTEM SET max_standby_archive_delay = '7min'")
            if loaded:
                connection.execute(reload_)
            for _ in wait_until("the server has taken it", 60):
                ((now,),) = session.fetch("SHOW max_standby_archive_delay")
                if now == "7min" or not loaded:
                    break
            found = told(before, watching.look(ENDED))
        finally:
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute(reload_)
        assert "setting max_standby_archive_delay in postgresql.auto.conf is new" in found
        assert ("server setting max_standby_archive_delay is new" in found) is loaded


def test_a_replication_slot_that_goes_is_found(server: Postgres) -> None:
    """Whoever copies from it has to begin anew; nobody else notices."""
    with psycopg.connect(server.url("app"), autocommit=True) as connection:
        connection.execute("SELECT pg_create_physical_replication_slot('standby')")
        watching = Watching(Session(connection))
        try:
            seen = [watching.look(STARTED)]
        finally:
            connection.execute("SELECT pg_drop_replication_slot('standby')")
        seen.append(watching.look(ENDED))
    (found,) = alterations(book(*seen))
    assert str(found).startswith("replication slot standby is gone")


def test_another_password_is_found_and_not_told(session: Session) -> None:
    session.fetch("ALTER ROLE boss PASSWORD 'old'")
    watching = Watching(session)
    before = watching.look(STARTED)
    session.fetch("ALTER ROLE boss PASSWORD 'new'")
    after = watching.look(ENDED)
    assert "password of boss was" in told(before, after)
    assert "SCRAM" not in repr((before, after))


def test_whoever_may_read_little_still_sees_all_definitions(server: Postgres) -> None:
    url = server.url("app")
    with (
        psycopg.connect(url, autocommit=True) as administrator,
        psycopg.connect(url, autocommit=True) as other,
    ):
        other.execute("SET ROLE clerk")
        seen, all_ = (catalogue(Session(one)).entries.keys() for one in (other, administrator))
        assert seen <= all_
        assert all(
            name.startswith(("server setting ", "setting ", "password of ")) for name in all_ - seen
        )


# Below: from the record alone.

WHOLE = {
    "table people": "r",
    "column people.name": "text",
    "column people.note": "text",
    "index by_note": "btree (note)",
    "index by_dba": "btree (name)",
}
BELONGS = {
    "column people.name": ("people",),
    "column people.note": ("people",),
    "index by_note": ("people", "people.note"),
    "index by_dba": ("people", "people.name"),
}
DROPS = ProcedureChosen(2, "", 0, 0, "operator", dropped=("people.note",))
NOTHING_DROPPED = ProcedureChosen(1, "", 0, 0, "operator")
START = CatalogueSeen(STARTED, entries=WHOLE, belongs=BELONGS)
BEGIN = CatalogueSeen("before Procedure 2", 2)
DROPPED = ("column people.note", "index by_note")
STABLE = ReleaseSeen("v1", True, {"table people": "r", "column people.name": "text"})
FAILING = ReleaseSeen(
    "v2", False, {name: text for name, text in WHOLE.items() if name != "index by_dba"}
)


def book(*events: Told) -> Book:
    return Book([Event(float(at), what) for at, what in enumerate(events)])


def told(*events: Told) -> str:
    return "; ".join(one.what for one in alterations(book(*events)))


def end(*gone: str, **more: dict[str, str]) -> CatalogueSeen:
    return CatalogueSeen(ENDED, gone=gone, **more)  # type: ignore[arg-type]


def test_what_goes_with_a_table_or_a_column_is_counted_there() -> None:
    since = "between “at the start” and “at the end”"
    (column,) = alterations(book(START, end(*DROPPED)))
    assert str(column) == f"column people.note is gone, and 1 of what belongs to it, {since}"
    (table,) = alterations(book(START, end(*WHOLE)))
    assert str(table) == f"table people is gone, and 4 of what belongs to it, {since}"
    assert told(START, end("column people.note", "index by_dba")) == (
        "column people.note is gone; index by_dba is gone"
    )
    assert "index by_note was" in told(
        START, end("column people.note", changed={"index by_note": "hash (name)"})
    )


def test_what_goes_with_what_is_declared_is_no_finding() -> None:
    assert told(START, DROPS, BEGIN, end(*DROPPED)) == ""
    assert told(START, NOTHING_DROPPED, BEGIN, end(*DROPPED)) != ""
    # Not before the procedure did it.
    early = CatalogueSeen("before Procedure 2", 2, gone=DROPPED)
    assert "people.note is gone" in told(START, DROPS, early, end(*DROPPED))


@pytest.mark.parametrize("releases", [(), (STABLE, FAILING)])
def test_what_the_administrator_added_has_to_stay(releases: tuple[ReleaseSeen, ...]) -> None:
    events = (START, DROPS, BEGIN, *releases, end(*DROPPED, "index by_dba"))
    causes = [c for c in judge(book(*events)).causes if c.where == "Database"]
    wanted = Verdict.FAILED if releases else Verdict.UNKNOWN
    assert [(c.verdict, "index by_dba is gone" in c.what) for c in causes] == [(wanted, True)]


def test_what_only_the_failing_release_makes_goes_with_it() -> None:
    stood = {**WHOLE, "function f()": "of v2"}
    start = CatalogueSeen(STARTED, entries=stood, belongs=BELONGS)
    failing = ReleaseSeen("v2", False, stood)
    gone = end(*DROPPED, "function f()")
    assert told(start, DROPS, BEGIN, STABLE, failing, gone) == ""
    assert told(start, DROPS, BEGIN, STABLE, FAILING, gone) == "function f() is gone"
    # The administrator's own of that name is not the release's.
    other = CatalogueSeen(STARTED, entries=stood | {"function f()": "mended"}, belongs=BELONGS)
    assert told(other, DROPS, BEGIN, STABLE, failing, gone) == "function f() is gone"


def test_what_becomes_as_in_the_stable_release_is_no_finding_and_anything_else_is() -> None:
    stable = ReleaseSeen("v1", True, STABLE.entries | {"column people.name": "varchar"})
    for now, found in (("varchar", False), ("char", True)):
        seen = end(*DROPPED, changed={"column people.name": now})
        assert bool(told(START, DROPS, BEGIN, stable, FAILING, seen)) is found
        assert told(START, seen)


def test_what_is_new_is_a_finding_unless_the_stable_release_has_it() -> None:
    stable = ReleaseSeen("v1", True, STABLE.entries | {"index old": "btree"})
    for now, found in (("btree", False), ("hash", True)):
        seen = end(*DROPPED, new={"index old": now})
        assert bool(told(START, DROPS, BEGIN, stable, FAILING, seen)) is found
    assert told(START, end(new={"index old": "btree"})) == "index old is new"


def test_what_is_added_before_clients_come_stood_and_what_goes_then_is_a_finding() -> None:
    added = CatalogueSeen(
        READY, entries=WHOLE | {"view v": "v"}, belongs=BELONGS, new={"view v": "v"}
    )
    assert told(START, added, end()) == ""
    assert told(START, added, end("view v")) == "view v is gone"
    assert told(START, CatalogueSeen(READY, gone=("index by_dba",))) == "index by_dba is gone"


def test_what_others_alter_while_all_is_well_is_set_aside() -> None:
    healthy = CatalogueSeen(HEALTHY, gone=("index by_dba",))
    assert told(START, healthy, end("index by_dba")) == ""
    assert told(START, healthy, end("index by_note")) == "index by_note is gone"


def test_a_difference_is_told_once_with_when_it_was_seen_first() -> None:
    looks = (CatalogueSeen(PREPARING, gone=("index by_dba",)), BEGIN, end("index by_dba"))
    (found,) = alterations(book(START, *looks))
    assert str(found) == (
        "index by_dba is gone, between “at the start” and “before the preparation”"
    )
