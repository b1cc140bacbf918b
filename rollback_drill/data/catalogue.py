"""What a database is made of, but its rows: each object by name, and how it is defined.

One query, for the administrator's session and for `psql` on a host alike. It leaves out what is
Postgres' own and what an extension brings along.
"""

# ruff: noqa: S608 - of constants alone
from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rollback_drill.data.fingerprint import quoted
from rollback_drill.data.migrations import stands
from rollback_drill.data.told import ENDED, READY, CatalogueSeen
from rollback_drill.ground.errors import StageError
from rollback_drill.subject.subject import Queries

SERVER = (
    *("database", "role ", "setting ", "server setting ", "password ", "replication slot "),
    *("tablespace ", "prepared transaction ", "open transaction ", "revision "),
    "advisory lock ",
)
"""How names begin of what no dump of a database defines."""
AT_REVISION = "revision of its migrations"
_OURS = "neighbour"  # the role of hazards
_HIDDEN = "conninfo|command|secret|passw|token|key"
"""Names of settings whose values are told by their digests."""
_LONG = 300  # characters of a definition that are told
# Each part: name, definition, and what it belongs to: a table, or a column of it.
_USER = r"n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_OWN = (
    "NOT EXISTS (SELECT FROM pg_depend x WHERE x.deptype = 'e' AND x.classid = '{0}'::regclass "
    "AND x.objid = {1})"
)
_CALLED = "CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || {0}"
_GRANTS = "(SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest({0}) a)"
_OF_COLUMNS = (
    "(SELECT string_agg(d.refobjid::regclass || coalesce('.' || b.attname, ''), ' ') "
    "FROM pg_depend d JOIN pg_class r ON r.oid = d.refobjid AND r.relkind IN ('r', 'p', 'm') "
    "LEFT JOIN pg_attribute b ON b.attrelid = d.refobjid AND b.attnum = d.refobjsubid "
    "AND d.refobjsubid > 0 WHERE d.refclassid = 'pg_class'::regclass AND d.objid = {0})"
)


def _called(name: str) -> str:
    return _CALLED.format(name)


def _own(catalog: str, oid: str) -> str:
    return _OWN.format(catalog, oid)


# Kinds of object that are rare: by their catalog, named as Postgres describes them, with whatever
# is no number (those are mostly oids, which a restored database has others of).
_RARE = """
pg_operator pg_opclass pg_opfamily pg_am pg_cast pg_collation pg_conversion pg_transform
pg_ts_config pg_ts_dict pg_ts_parser pg_ts_template pg_foreign_data_wrapper
"""


def _rare(catalog: str) -> str:
    return f"""SELECT pg_describe_object('{catalog}'::regclass, o.oid, 0),
    (SELECT string_agg(k || ' ' || v, '; ' ORDER BY k) FROM jsonb_each_text(to_jsonb(o))
      AS kept(k, v) WHERE v !~ '^[0-9]+$'), ''
    FROM {catalog} o WHERE o.oid >= 16384 AND {_own(catalog, "o.oid")}"""


_PARTS = (
    *(_rare(catalog) for catalog in _RARE.split()),
    # Relations.
    f"""SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view '
      WHEN 'S' THEN 'sequence ' WHEN 'f' THEN 'foreign table ' WHEN 'c' THEN 'type '
      ELSE 'table ' END || {_called("c.relname")},
    concat_ws('; ', c.relkind::text, 'persistence ' || c.relpersistence::text,
      array_to_string(c.reloptions, ','), CASE WHEN c.relrowsecurity THEN 'row security' END,
      CASE WHEN c.relforcerowsecurity THEN 'forced' END,
      CASE WHEN NOT c.relispopulated THEN 'not populated' END, 'identity ' || c.relreplident::text,
      pg_get_expr(c.relpartbound, c.oid), (SELECT 'in ' || string_agg(i.inhparent::regclass::text,
        ',') FROM pg_inherits i WHERE i.inhrelid = c.oid),
      CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
      (SELECT array_to_string(f.ftoptions, ',') FROM pg_foreign_table f WHERE f.ftrelid = c.oid),
      CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
      (SELECT 'kept by ' || m.amname FROM pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap'),
      (SELECT concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
        s.seqmax, s.seqcache, s.seqcycle) FROM pg_sequence s WHERE s.seqrelid = c.oid),
      (SELECT 'owned by ' || d.refobjid::regclass || '.' || b.attname FROM pg_depend d
        JOIN pg_attribute b ON b.attrelid = d.refobjid AND b.attnum = d.refobjsubid
        WHERE c.relkind = 'S' AND d.objid = c.oid AND d.classid = 'pg_class'::regclass
        AND d.deptype IN ('a', 'i'))),
    CASE WHEN c.relkind = 'S' THEN {_OF_COLUMNS.format("c.oid")} END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND {_USER}
    AND {_own("pg_class", "c.oid")}""",
    f"""SELECT 'owner of ' || {_called("c.relname")}, pg_get_userbyid(c.relowner),
    {_called("c.relname")}
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {_USER}
    AND {_own("pg_class", "c.oid")}""",
    f"""SELECT 'grants on ' || {_called("c.relname")}, {
        _GRANTS.format(
            "coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"
            '"char", c.relowner))'
        )
    }, {_called("c.relname")}
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {_USER}
    AND {_own("pg_class", "c.oid")}""",
    # Options whose names begin with "pg_" are a server's own: they count its versions.
    f"""SELECT 'column ' || {_called("c.relname")} || '.' || a.attname,
    concat_ws('; ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null'
      END, 'default ' || pg_get_expr(e.adbin, e.adrelid),
      'identity ' || nullif(a.attidentity::text, ''),
      'generated ' || nullif(a.attgenerated::text, ''),
      'collate ' || nullif(a.attcollation, t.typcollation)::regcollation::text,
      'storage ' || nullif(a.attstorage::text, t.typstorage::text),
      'compression ' || nullif(a.attcompression::text, ''),
      (SELECT string_agg(o, ',') FROM unnest(a.attoptions) o WHERE left(o, 3) <> 'pg_'),
      'statistics ' || nullif(a.attstattarget::int, -1), 'granted ' || {
        _GRANTS.format("a.attacl")
    }), {_called("c.relname")}
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'c') AND {_USER}
    AND {_own("pg_class", "c.oid")}""",
    # What hangs on them. That a column is not null is said of the column.
    f"""SELECT 'constraint ' || o.conname || coalesce(' of ' || {_called("c.relname")}, ''),
    concat_ws('; ', pg_get_constraintdef(o.oid), CASE WHEN NOT o.convalidated THEN 'not validated'
      END), coalesce({_OF_COLUMNS.format("o.oid")}, {_called("c.relname")})
    FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace
    LEFT JOIN pg_class c ON c.oid = o.conrelid
    WHERE o.contype <> 'n' AND {_USER} AND {_own("pg_class", "o.conrelid")}""",
    f"""SELECT 'index ' || {_called("c.relname")}, concat_ws('; ', pg_get_indexdef(c.oid),
      CASE WHEN NOT i.indisvalid THEN 'invalid' END, CASE WHEN NOT i.indisready THEN 'not ready'
      END, CASE WHEN i.indisclustered THEN 'clustered' END),
    coalesce({_OF_COLUMNS.format("c.oid")}, i.indrelid::regclass::text)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_USER}
    AND {_own("pg_class", "i.indrelid")}""",
    f"""SELECT 'trigger ' || g.tgname || ' of ' || {_called("c.relname")},
    pg_get_triggerdef(g.oid) || '; enabled ' || g.tgenabled::text, {_called("c.relname")}
    FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT g.tgisinternal AND {_USER}
    AND {_own("pg_trigger", "g.oid")}""",
    f"""SELECT 'checks of foreign keys of ' || {_called("c.relname")},
    'enabled ' || string_agg(DISTINCT g.tgenabled::text, ','), {_called("c.relname")}
    FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE g.tgisinternal AND {_USER}
    GROUP BY n.nspname, c.relname""",
    f"""SELECT 'rule ' || w.rulename || ' of ' || {_called("c.relname")},
    pg_get_ruledef(w.oid) || '; enabled ' || w.ev_enabled::text, {_called("c.relname")}
    FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE w.rulename <> '_RETURN' AND {_USER}
    AND {_own("pg_class", "c.oid")}""",
    f"""SELECT 'policy ' || p.polname || ' of ' || {_called("c.relname")},
    concat_ws('; ', p.polcmd::text, p.polpermissive::text, (SELECT string_agg(
      CASE u WHEN 0 THEN 'public' ELSE pg_get_userbyid(u) END, ',') FROM unnest(p.polroles) u),
      pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid)),
    {_called("c.relname")}
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_USER}""",
    f"""SELECT 'statistics ' || {_called("s.stxname")}, pg_get_statisticsobjdef(s.oid),
    s.stxrelid::regclass::text FROM pg_statistic_ext s JOIN pg_namespace n
    ON n.oid = s.stxnamespace WHERE {_USER}""",
    # Schemas, functions, types.
    f"""SELECT 'schema ' || n.nspname, concat_ws('; ', 'owner ' || pg_get_userbyid(n.nspowner),
      'granted ' || {_GRANTS.format("coalesce(n.nspacl, acldefault('n', n.nspowner))")}), ''
    FROM pg_namespace n WHERE {_USER} AND {_own("pg_namespace", "n.oid")}""",
    f"""SELECT 'function ' || {_called("p.proname")} || '(' || pg_get_function_identity_arguments(
      p.oid) || ')', concat_ws('; ', p.prokind::text, CASE WHEN p.prokind <> 'a' THEN
      regexp_replace(pg_get_functiondef(p.oid), '\\s+', ' ', 'g') END, 'owner ' || pg_get_userbyid(
      p.proowner), 'granted ' || {
        _GRANTS.format("coalesce(p.proacl, acldefault('f', p.proowner))")
    }), ''
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_USER}
    AND {_own("pg_proc", "p.oid")}""",
    f"""SELECT 'type ' || {_called("t.typname")}, concat_ws('; ', t.typtype::text,
      (SELECT string_agg(l.enumlabel, ',' ORDER BY l.enumsortorder) FROM pg_enum l
       WHERE l.enumtypid = t.oid), CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype,
      t.typtypmod) END, CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
      'owner ' || pg_get_userbyid(t.typowner)), ''
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r') AND {_USER} AND {_own("pg_type", "t.oid")}""",
    """SELECT 'extension ' || e.extname, e.extversion || ' in ' || e.extnamespace::regnamespace, ''
    FROM pg_extension e""",
    # What is said of them, what is published and watched.
    """SELECT 'comment on ' || pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description,
    CASE WHEN d.classoid = 'pg_class'::regclass THEN d.objoid::regclass ||
      coalesce('.' || b.attname, '') ELSE '' END
    FROM pg_description d LEFT JOIN pg_attribute b ON d.classoid = 'pg_class'::regclass
    AND b.attrelid = d.objoid AND b.attnum = d.objsubid AND d.objsubid > 0
    WHERE (d.objoid >= 16384 OR d.classoid = 'pg_namespace'::regclass
      AND d.objoid = 'public'::regnamespace)
    AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.deptype = 'e' AND x.classid = d.classoid
      AND x.objid = d.objoid)""",
    """SELECT 'default grants of ' || pg_get_userbyid(a.defaclrole) || coalesce(' in ' ||
      nullif(a.defaclnamespace, 0)::regnamespace, '') || ' on ' || a.defaclobjtype::text,
    (SELECT string_agg(i::text, ' ' ORDER BY i::text) FROM unnest(a.defaclacl) i), ''
    FROM pg_default_acl a""",
    """SELECT 'event trigger ' || e.evtname, concat_ws('; ', e.evtevent, e.evtfoid::regproc,
      array_to_string(e.evttags, ','), 'enabled ' || e.evtenabled::text), '' FROM pg_event_trigger e
    WHERE e.oid >= 16384""",
    """SELECT 'publication ' || p.pubname, concat_ws('; ', 'owner ' || pg_get_userbyid(p.pubowner),
      p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,
      (SELECT string_agg(concat_ws(' ', r.prrelid::regclass, CASE WHEN to_jsonb(r) ->> 'prattrs'
        IS NOT NULL THEN to_jsonb(t) ->> 'attnames' END, to_jsonb(t) ->> 'rowfilter'), ','
        ORDER BY r.prrelid::regclass::text) FROM pg_publication_rel r
        JOIN pg_class c ON c.oid = r.prrelid LEFT JOIN pg_publication_tables t
        ON t.pubname = p.pubname AND t.tablename = c.relname
        AND t.schemaname = c.relnamespace::regnamespace::text WHERE r.prpubid = p.oid)), ''
    FROM pg_publication p""",
    """SELECT pg_describe_object(d.classid, d.objid, 0), '', '' FROM pg_depend d
    WHERE d.classid = to_regclass('pg_publication_namespace')""",
    """SELECT 'dictionaries of ' || c.cfgname, string_agg(concat_ws(' ', m.maptokentype, m.mapseqno,
      m.mapdict::regdictionary), ',' ORDER BY m.maptokentype, m.mapseqno), ''
    FROM pg_ts_config c JOIN pg_ts_config_map m ON m.mapcfg = c.oid WHERE c.oid >= 16384
    GROUP BY c.oid, c.cfgname""",
    f"""SELECT 'language ' || l.lanname, concat_ws('; ', 'owner ' || pg_get_userbyid(l.lanowner),
      'granted ' || {_GRANTS.format("coalesce(l.lanacl, acldefault('l', l.lanowner))")}), ''
    FROM pg_language l WHERE l.lanispl""",
    # Options of a user's may be his password.
    """SELECT 'user mapping of ' || u.usename || ' on ' || u.srvname,
    md5(array_to_string(u.umoptions, ',')), '' FROM pg_user_mappings u""",
    """SELECT 'server ' || s.srvname, array_to_string(s.srvoptions, ','), ''
    FROM pg_foreign_server s""",
    """SELECT 'owners of large objects', string_agg(DISTINCT concat_ws(' ', pg_get_userbyid(
      m.lomowner), m.lomacl::text), ', '), '' FROM pg_largeobject_metadata m HAVING count(*) > 0""",
    """SELECT 'subscription ' || s.subname, concat_ws('; ', s.subenabled, s.subslotname,
      array_to_string(s.subpublications, ',')), '' FROM pg_subscription s
    WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())""",
    # Of the server. What differs between two sessions is no setting of it; commands and addresses
    # may hold a secret.
    f"""SELECT 'server setting ' || s.name, CASE WHEN s.name ~* '{_HIDDEN}' THEN
      md5(s.setting) ELSE s.setting END, '' FROM pg_settings s
    WHERE s.source IN ('configuration file', 'command line', 'environment variable')""",
    """SELECT 'replication slot ' || s.slot_name, concat_ws('; ', s.slot_type, s.plugin,
      s.database), '' FROM pg_replication_slots s WHERE NOT s.temporary""",
    f"""SELECT 'tablespace ' || t.spcname, concat_ws('; ', 'owner ' || pg_get_userbyid(t.spcowner),
      'granted ' || {_GRANTS.format("coalesce(t.spcacl, acldefault('t', t.spcowner))")},
      array_to_string(t.spcoptions, ',')), '' FROM pg_tablespace t""",
    # A database that was swapped in by its name has settings of its own.
    """SELECT 'database', concat_ws('; ', 'owner ' || pg_get_userbyid(d.datdba), 'granted ' ||
      (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(coalesce(d.datacl,
        acldefault('d', d.datdba))) a), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
      'connections ' || d.datconnlimit, CASE WHEN NOT d.datallowconn THEN 'closed' END,
      shobj_description(d.oid, 'pg_database')), ''
    FROM pg_database d WHERE d.datname = current_database()""",
    f"""SELECT 'setting of ' || CASE s.setrole WHEN 0 THEN 'everybody' ELSE
      pg_get_userbyid(s.setrole) END || CASE s.setdatabase WHEN 0 THEN ' on the server' ELSE
      ' in the database' END, (SELECT string_agg(CASE WHEN split_part(c, '=', 1) ~* '{_HIDDEN}' THEN
      split_part(c, '=', 1) || ' by its digest ' || md5(c) ELSE c END, ',' ORDER BY c)
      FROM unnest(s.setconfig) c), ''
    FROM pg_db_role_setting s WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database
      WHERE datname = current_database()))""",
    f"""SELECT 'role ' || r.rolname, concat_ws('; ', CASE WHEN r.rolsuper THEN 'superuser' END,
      CASE WHEN r.rolcreaterole THEN 'createrole' END, CASE WHEN r.rolcreatedb THEN 'createdb' END,
      CASE WHEN r.rolcanlogin THEN 'login' END, CASE WHEN r.rolinherit THEN 'inherit' END,
      CASE WHEN r.rolreplication THEN 'replication' END, CASE WHEN r.rolbypassrls THEN 'bypassrls'
      END, 'connections ' || r.rolconnlimit, 'until ' || r.rolvaliduntil, (SELECT 'member of ' ||
      string_agg(pg_get_userbyid(m.roleid), ',' ORDER BY pg_get_userbyid(m.roleid))
      FROM pg_auth_members m WHERE m.member = r.oid)), '' FROM pg_roles r
    WHERE r.rolname !~ '^pg_' AND r.rolname <> '{_OURS}'""",
)
QUERY = " UNION ALL ".join(" ".join(f"({part})".split()) for part in _PARTS)
"""Rows of name, definition and what it belongs to, words between blanks."""
POSITIONS = (
    "SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, "
    "s.last_value, b.attname, r.relname, m.nspname "
    "FROM pg_sequences s JOIN pg_namespace n ON n.nspname = s.schemaname "
    "JOIN pg_class c ON c.relname = s.sequencename AND c.relnamespace = n.oid "
    "LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass "
    "AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') "
    "LEFT JOIN pg_attribute b ON b.attrelid = d.refobjid AND b.attnum = d.refobjsubid "
    "LEFT JOIN pg_class r ON r.oid = d.refobjid LEFT JOIN pg_namespace m ON m.oid = r.relnamespace"
)
# What only a superuser may read: what the server takes at its next start or reload, and whether a
# password is another one (the digest of a verifier that has a salt, so that nobody can guess it).
_OF_SUPERUSERS = (
    "SELECT 'setting ' || f.name || ' in ' || regexp_replace(f.sourcefile, '.*/', ''), "
    "string_agg(f.setting, ',' ORDER BY f.seqno) FROM pg_file_settings f "
    f"WHERE f.name !~* '{_HIDDEN}' GROUP BY f.name, f.sourcefile UNION ALL "
    "SELECT 'password of ' || r.rolname, md5(r.rolpassword) FROM pg_authid r "
    f"WHERE left(r.rolpassword, 6) = 'SCRAM-' AND r.rolname <> '{_OURS}' UNION ALL "
    # Options may be a password.
    "SELECT 'server setting access rules', string_agg(concat_ws(' ', h.type, h.database, "
    "h.user_name, h.address, h.netmask, h.auth_method, md5(h.options::text)), '; ' "
    "ORDER BY h.line_number) FROM pg_hba_file_rules h HAVING count(*) > 0 UNION ALL "
    "SELECT 'prepared transaction ' || x.gid, concat_ws(' ', x.owner, x.database) "
    "FROM pg_prepared_xacts x"
)
_OPEN_S = 5  # what goes on for so long with nothing to do was left by somebody
_OPEN = (
    "SELECT DISTINCT concat_ws(' ', 'open transaction of', a.usename, a.application_name), '' "
    "FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() "
    "AND a.state IN ('idle in transaction', 'idle in transaction (aborted)') "
    f"AND a.usename <> '{_OURS}' "
    f"AND a.state_change < now() - interval '{_OPEN_S} s'"
)
# Kept by a session beyond its transactions; by whom, since their numbers are new each time.
_LOCKS = (
    "SELECT DISTINCT concat_ws(' ', 'advisory lock of', a.usename), '' "
    "FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND a.state = 'idle' "
    "AND a.datname = current_database() "
    f"AND a.usename <> '{_OURS}' AND a.state_change < now() - interval '{_OPEN_S} s'"
)
Entries = dict[str, str]
Belongs = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What there is: definitions by name, and what each object belongs to, tables or columns of
    them. `positions`: of sequences, those that were used; `behind`: by sequence, the value that
    stands in its column though it has not come that far.
    """

    entries: Entries
    belongs: Belongs
    positions: dict[str, int]
    behind: dict[str, int]


class Watching:
    """Looks at what `database` is made of again and again; `entries`: as a drill that is continued
    told them last.
    """

    def __init__(self, database: Queries, entries: Entries | None = None) -> None:
        self._database = database
        self._entries = entries
        self._locks: Entries | None = None  # those that were kept when it began

    def look(self, moment: str, procedure: int = 0) -> CatalogueSeen:
        """Look at it now. Raises StageError."""
        found = catalogue(self._database)
        if self._locks is None:
            self._locks = _told(self._database, _LOCKS)
        if moment == ENDED:  # before that a fault may hold some
            found.entries.update(_told(self._database, _OPEN))
            kept = _told(self._database, _LOCKS).items() - self._locks.items()
            found.entries.update(kept)
        was = found.entries if self._entries is None else self._entries
        gone, changed, new = differences(was, found.entries)
        whole = self._entries is None or (moment == READY and bool(new))
        if whole:
            self._entries = found.entries
        return CatalogueSeen(
            moment,
            procedure,
            found.entries if whole else {},
            found.belongs if whole else {},
            tuple(gone),
            changed,
            new,
            found.positions,
            found.behind,
        )


def parsed(rows: Iterable[Sequence[str | None]]) -> tuple[Entries, Belongs]:
    """Return what QUERY answered."""
    entries: Entries = {}
    belongs: Belongs = {}
    for name, definition, of in sorted(rows, key=str):
        entries[str(name)] = _shortened(definition or "")
        if of:
            belongs[str(name)] = tuple(sorted(set(of.split())))
    return entries, belongs


def _shortened(definition: str) -> str:
    if len(definition) <= _LONG:
        return definition
    whole = hashlib.sha256(definition.encode()).hexdigest()
    return f"{definition[:_LONG]}… ({whole[:16]})"


def catalogue(database: Queries) -> Catalogue:
    """Return what `database` is made of. Raises StageError."""
    entries, belongs = parsed(database.fetch(QUERY))
    with contextlib.suppress(StageError):
        entries |= {name: _shortened(setting) for name, setting in database.fetch(_OF_SUPERUSERS)}
    with contextlib.suppress(StageError):
        found = [
            replace(one, revisions=dict(sorted(one.revisions.items()))) for one in stands(database)
        ]
        entries |= {AT_REVISION: "; ".join(sorted(map(str, found)))} if found else {}
    positions, behind = _sequences(database)
    return Catalogue(entries, belongs, positions, behind)


def _told(database: Queries, query: str) -> Entries:
    with contextlib.suppress(StageError):
        return dict(database.fetch(query))
    return {}


def _sequences(database: Queries) -> tuple[dict[str, int], dict[str, int]]:
    most: dict[str, int] = {}
    for name, _, column, table, schema in database.fetch(POSITIONS):
        if column is None:
            continue
        where = f"{quoted(schema)}.{quoted(table)}"
        # One that may not be read is told with the rows.
        with contextlib.suppress(StageError):
            ((value,),) = database.fetch(f"SELECT max({quoted(column)}) FROM {where}")
            if value is not None:
                most[name] = int(value)
    # Only then where they stand: clients go on, and a row is there after its number was given out.
    positions = {name: int(last) for name, last, *_ in database.fetch(POSITIONS) if last}
    behind = {name: value for name, value in most.items() if value > positions.get(name, 0)}
    return positions, behind


def differences(was: Mapping[str, str], now: Mapping[str, str]) -> tuple[Entries, Entries, Entries]:
    """Return what is gone, what changed (what it is now), and what is new."""
    gone = {name: text for name, text in was.items() if name not in now}
    changed = {name: now[name] for name, text in was.items() if now.get(name, text) != text}
    new = {name: text for name, text in now.items() if name not in was}
    return gone, changed, new
