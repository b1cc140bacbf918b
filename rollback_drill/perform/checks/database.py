"""Backups that restore, migrations that were reverted, schemas that match."""

from __future__ import annotations

import math
import re
import shlex

from rollback_drill.data import archive
from rollback_drill.data.migrations import TOOLS, stands
from rollback_drill.ground.finding import Finding, failed, judged, passed, unknown
from rollback_drill.perform.backup import newest, origin, prove
from rollback_drill.perform.check import check
from rollback_drill.perform.checks.release import all_ok
from rollback_drill.perform.moment import Moment
from rollback_drill.perform.schema import compare_with_stable
from rollback_drill.runbook.amounts import duration_s, size_bytes
from rollback_drill.stage.host import look

_LIMIT_S = 120.0
_CLOCKS_S = 60.0  # by which clocks may differ: a dump of tomorrow is none of today's
_POSTGRES = 'export PGHOST="$DB_HOST" PGPORT="$DB_PORT" PGUSER="$DB_USER"\n'
_TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' "
    "AND table_type = 'BASE TABLE'"
)
_THERE = (
    "SELECT 1 FROM information_schema.columns "
    "WHERE table_name = %s AND %s::text IN ('', column_name)"
)
_CHECKSUM = """has="$(sha256sum < "$SECURE_STORAGE"/{name} | cut -d ' ' -f 1)"
wanted="$(cut -d ' ' -f 1 "$SECURE_STORAGE"/{name}.sha256)"
[ "$has" = "$wanted" ] || {{ echo "its checksum there is $wanted, it has $has" >&2; exit 1; }}
"""


def _on_first(moment: Moment, script: str, expected: str) -> Finding:
    """Run `script` on the first host, which is where blocks marked once run, and judge it."""
    host = moment.stage.hosts[0]
    return all_ok({host.name: look(host, script, limit_s=_LIMIT_S)}, expected)


@check(
    r"(?:database )?backup exists(?: and (?:can be read in full|(?:is )?verified))?",
    examples=["A database backup exists and can be read in full", "Backup exists"],
    needs="database",
)
def backup_exists(moment: Moment, match: re.Match[str]) -> Finding:
    """The newest dump in secure storage is one of this database, has its checksum and can be read
    to its end.
    """
    try:
        age, path = newest(moment.stage, "SECURE_STORAGE")
    except LookupError as error:
        return failed(str(error), "one in secure storage")
    name = path.rpartition("/")[2]
    of_whom = origin(moment.stage.hosts[0], path)
    if wrong := of_whom.wrong(moment.stage.environment["DB_NAME"], math.inf):
        return failed(f"{name}: {wrong}", "a backup of this database")
    # Asked as the administrator: a failing release may hold every connection of its user.
    tables = " ".join(shlex.quote(row[0]) for row in moment.stage.database.fetch(_TABLES))
    script = (
        f'cd "$SECURE_STORAGE"; dump={shlex.quote(path)}\n'
        'refuse() { echo "refused: $1" >&2; exit 1; }\n'
        'test -s "$dump" || refuse "the file is empty"\n'
        # Its own: the file may name another one.
        'has="$(sha256sum < "$dump" | cut -d " " -f 1)"\n'
        '[ "$has" = "$(cut -d " " -f 1 "$dump.sha256")" ] '
        '|| refuse "its checksum does not match"\n'
        'pg_restore -f /dev/null "$dump" || refuse "it cannot be read to its end"\n'
        'held="$(pg_restore -l "$dump" | grep " TABLE DATA " || true)"\n'
        f"for table in {tables}; do\n"
        '  grep -q " TABLE DATA public $table " <<< "$held" \\\n'
        '    || refuse "it holds no data of $table: an empty or another database"\n'
        "done\n"
        f'echo "{name}, {age:.0f} s old, was read in full: "'
        '"$(stat -c %s "$dump") bytes, $(wc -l <<< "$held") tables"'
    )
    return _on_first(moment, script, f"a whole backup of this database in {name}")


@check(
    r"(?:database )?backup<IS> recent(?: and| at)?<BELOW>(?P<age>\d{1,4} hours?)(?: old)?",
    r"(?:database )?backup<IS><BELOW>(?P<age>\d{1,4} hours?) old",
    examples=["The backup is recent: <24 hours old", "Database backup is less than 24 hours old"],
    needs="database",
)
def backup_recent(moment: Moment, match: re.Match[str]) -> Finding:
    """The newest dump in secure storage is younger than the checkbox demands, by its file's time
    and by its own word.
    """
    limit_s = duration_s(match["age"])
    try:
        age, path = newest(moment.stage, "SECURE_STORAGE")
    except LookupError as error:
        return failed(str(error), "one in secure storage")
    name = path.rpartition("/")[2]
    made = origin(moment.stage.hosts[0], path).age_s
    age = age if made is None else max(age, made)
    told = f"{name} is {age / 3600:.2f} hours old"
    return judged(-_CLOCKS_S < age < limit_s, told, f"less than {match['age']}")


@check(
    r"(?:(?:database )?backup )?restor(?:ation|e|ing)<DONE> tested(?: in staging)?",
    r"restor(?:ation|e|ing) of (?:database )?backup<DONE> tested",
    examples=["Its restoration was tested", "Backup restoration tested"],
    needs="database",
)
def restore_tested(moment: Moment, match: re.Match[str]) -> Finding:
    """The newest dump in secure storage was restored when it was made, and had rows.

    What the nightly job left as proof is read instead of trying now: a failing release may hold
    every connection of the database.
    """
    try:
        _, path = newest(moment.stage, "SECURE_STORAGE")
    except LookupError as error:
        return failed(str(error), "one in secure storage")
    name = path.rpartition("/")[2]
    script = (
        f'rows="$(cat {shlex.quote(path)}.restored-rows)"\n'
        f'echo "{name}, restored when it was made, had $rows rows"\n'
        'test "$rows" -gt 0'
    )
    return _on_first(moment, script, "proof of a restored copy with rows in it")


@check(
    r"(?:safety |database )?backup<DONE> (?:created|taken|made)"
    r"(?: and restores into scratch database)?",
    r"(?:create|take|make) (?:safety |database )?backup",
    examples=[
        "The safety backup was created and restores into a scratch database",
        "Backup taken",
        "Take a database backup",
    ],
    needs="database",
    proof=True,
)
def backup_created(moment: Moment, match: re.Match[str]) -> Finding:
    """A dump of this database, made in this step and with the application stopped where that is
    what the step does, restores into a scratch database, which then is what the live one is: made
    alike, with as many rows, and the same values in every column.
    """
    try:
        age, path = newest(moment.stage, "BACKUP_DIR")
    except LookupError as error:
        return failed(str(error), "one that this step made")
    name = path.rpartition("/")[2]
    ago = f"one that this step made, {moment.age():.0f} s ago at most"
    if age > moment.age():
        return failed(f"the newest dump, {name}, is {age:.0f} s old", ago)
    host, environment = moment.stage.hosts[0], moment.stage.environment
    wrong = origin(host, path).wrong(environment["DB_NAME"], moment.age())
    if wrong:
        return failed(f"{name}: {wrong}", ago)
    if re.search(r"\bstop", moment.title, re.IGNORECASE) and moment.stage.process:
        running = moment.stage.process.pids()
        if running:
            told = ", ".join(f"process {pid} on {one}" for one, pid in running.items())
            return failed(f"{name}, while the application runs: {told}", "it to be stopped before")
    return prove(moment.stage.database, host, path, environment["DB_USER"])


@check(
    r"backup file has reasonable size >? ?(?P<size>\d{1,6} ?[KMG]?B)",
    r"backup (?:file )?(?:size<IS>(?: reasonable)?|<IS>) "
    r"?(?:>|larger than|more than|above) ?(?P<size>\d{1,6} ?[KMG]?B)",
    examples=["The backup file has a reasonable size (>1KB)", "Backup file size > 1 KB"],
    needs="database",
)
def backup_size(moment: Moment, match: re.Match[str]) -> Finding:
    """The newest dump is larger than the checkbox demands (which alone proves nothing)."""
    limit = size_bytes(match["size"])
    try:
        _, path = newest(moment.stage, "BACKUP_DIR")
    except LookupError as error:
        return failed(str(error), "one that this procedure made")
    name = path.rpartition("/")[2]
    script = (
        f"size=$(stat -c %s {shlex.quote(path)}); echo {shlex.quote(name)} has $size bytes\n"
        f"test $size -gt {limit}"
    )
    return _on_first(moment, script, f"more than {limit} bytes")


@check(
    r"(?:safety )?backup<IS> in secure storage(?: checksum verified)?",
    r"(?:safety )?backup<DONE> (?:uploaded|copied) to (?:S3/)?secure storage",
    examples=[
        "The backup is in secure storage, its checksum verified",
        "Backup uploaded to secure storage",
    ],
    needs="database",
)
def backup_stored(moment: Moment, match: re.Match[str]) -> Finding:
    """Secure storage holds the newest safety backup, byte for byte, and with the checksum that it
    has there, where the checkbox speaks of one.
    """
    try:
        _, path = newest(moment.stage, "BACKUP_DIR")
    except LookupError as error:
        return failed(str(error), "one that this procedure made")
    name = shlex.quote(path.rpartition("/")[2])
    script = (
        f'{archive.FETCH}cmp {shlex.quote(path)} "$SECURE_STORAGE"/{name}\n'
        f"{_CHECKSUM.format(name=name) if 'checksum' in match[0] else ''}"
        f"echo secure storage has {name}, byte for byte"
    )
    return _on_first(moment, script, f"the bytes of {name} in secure storage")


@check(
    r"(?:database )?migrations?<DONE> reverted(?: to revision (?P<revision>\w{4,}))?",
    examples=["The migrations are reverted to revision `0001_base`"],
    needs="database",
)
def migration_reverted(moment: Moment, match: re.Match[str]) -> Finding:
    """The database stands at the revision that the checkbox names, by the tool that migrates it."""
    found = stands(moment.stage.database)
    wanted = match["revision"]
    if not found:
        tools = ", ".join(sorted({one.name for one in TOOLS}))
        return unknown(f"no table tells at which revision the database stands (of {tools})")
    told = f"the database stands at {'; '.join(map(str, found))}"
    if wanted is None:
        return unknown(f"the checkbox names no revision; {told}")
    return judged(any(one.at(wanted) for one in found), told, wanted)


@check(
    r"(?:database )?migrations?<DONE> applied(?: up)?(?: to revision (?P<revision>\w{4,}))?",
    examples=["The migrations are applied up to revision `0002_orders`"],
    needs="database",
)
def migration_applied(moment: Moment, match: re.Match[str]) -> Finding:
    """The database stands at the revision that the checkbox names."""
    return migration_reverted(moment, match)


@check(
    r"what only new release knew<DONE> archived",
    examples=["What only the new release knew is archived"],
    needs="database",
    proof=True,
)
def archive_kept(moment: Moment, match: re.Match[str]) -> Finding:
    """Secure storage holds every value of all that the runbook says will be dropped."""
    names = sorted({name for one in moment.runbook.procedures for name in one.dropped})
    if not names:
        return unknown("the runbook does not say what will be dropped (“Dropped on purpose: …”)")
    fetch = moment.stage.database.fetch
    there = [name for name in names if fetch(_THERE, (*name.split("."), "")[:2])]
    try:
        found = archive.missing(moment.stage, there)
    except LookupError as error:
        return failed(
            f"not archived, or not to be read: {', '.join(there or names)} ({error})",
            "every value of what will be dropped in secure storage",
        )
    told = [f"{name} {found[name].rows} rows" for name in there]
    # What is not there was taken away before: what was kept then stands.
    told += [f"{name} was dropped before" for name in names if name not in there]
    wrong = [
        f"{name}: {one.differing} rows are not archived as they are, among {one.rows} that are"
        for name, one in found.items()
        if one.differing
    ]
    return judged(not wrong, "; ".join(wrong or told), "every value as it is in the database")


@check(
    r"what was archived<DONE> loaded(?: again)?",
    examples=["What was archived is loaded again"],
    needs="database",
    proof=True,
)
def archive_loaded(moment: Moment, match: re.Match[str]) -> Finding:
    """Every archived value stands in the database again, where its row still exists."""
    try:
        found = archive.not_back(moment.stage)
    except LookupError as error:
        return failed(f"what was archived does not fit the database: {error}", "it to be back")
    if not found:
        return passed("nothing was archived: the database was never taken back")
    wrong = [
        f"{name}: {one.differing} of {one.rows} archived values are not back"
        for name, one in found.items()
        if one.differing
    ]
    told = [f"{name} {one.rows} rows" for name, one in found.items()]
    return judged(not wrong, "; ".join(wrong or told), "every archived value in its row again")


@check(
    r"(?:database )?schema<IS> that of stable release",
    r"database schema<DONE> verified",
    examples=["The database schema is that of the stable release", "Database schema verified"],
    needs="database",
)
def schema_of_stable(moment: Moment, match: re.Match[str]) -> Finding:
    """The schema equals that of a fresh database migrated by the stable release's own tree, but for
    what stood there before and no release made, which is kept; and that tree's alembic finds
    nothing to migrate: neither revisions nor, where the release has models, differences from them.
    """
    return compare_with_stable(moment)
