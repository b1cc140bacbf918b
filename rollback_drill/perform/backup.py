"""Whether a dump is a backup: it restores, and the copy is what the live database is."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollback_drill.data.catalogue import POSITIONS, QUERY, SERVER, Entries, differences, parsed
from rollback_drill.data.comparison import ROWS, compare
from rollback_drill.data.fingerprint import LARGE_OBJECTS, hashes, statements
from rollback_drill.ground.finding import Finding, failed, passed
from rollback_drill.ground.words import few
from rollback_drill.stage.host import Host, look
from rollback_drill.stage.model import Stage
from rollback_drill.subject.subject import Queries

_LIMIT_S = 900.0  # a bound against hanging: the step has a budget of its own
_KEEP = 64 * 2**20  # bytes: of both catalogues
_SECOND_S = 1.0  # to which an archive says when it was made
# As their owner, who may not read the table that all of them are in.
_OBJECTS = (
    "SELECT count(*)::text, coalesce(sum(hashtextextended(encode(lo_get(oid), 'base64'), "
    "oid::bigint)), 0)::text FROM pg_largeobject_metadata"
)
# With a search path and zone of its own, so that what is set for the database plays no part.
_RESTORE = """export PGHOST="$DB_HOST" PGPORT="$DB_PORT" PGUSER="$DB_USER"
export PGOPTIONS='-c search_path=public -c TimeZone=UTC'
contents() { psql -X -q --csv -t -v ON_ERROR_STOP=1 -v which="$1" -d "$2" <<'SQL'
\\echo == :which made
{made};
\\echo == :which positions
{positions};
\\echo == :which rows
{queries}SQL
}
scratch="check_$(date +%s)_$$"
trap 'psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $scratch"' EXIT
psql -X -q -d postgres -c "CREATE DATABASE $scratch"
# Whichever form the dump has; an error ends it.
if pg_restore -l {dump} > /dev/null 2>&1
then pg_restore -j 2 --exit-on-error --no-owner -d "$scratch" {dump}
else psql -X -q -v ON_ERROR_STOP=1 -d "$scratch" -f {dump} > /dev/null; fi
echo "== restored"
contents live "$DB_NAME"
contents copy "$scratch"
"""
_NEWEST = (
    "find {folder} -maxdepth {depth} -regex '.*\\.\\(dump\\|sql\\|backup\\)' -printf '%T@ %p\\n' "
    "2>/dev/null | sort -n | tail -n 1"
)
_LOOK_S = 120.0
_ORIGIN = """listed="$(pg_restore -l {dump} 2> /dev/null | head -n 20 || true)"
grep -m 1 -oE "dbname: .*" <<< "$listed" || echo "dbname: "
made="$(grep -m 1 -oE "created at .*" <<< "$listed" | cut -c 12- || true)"
if [ -n "$made" ]; then echo "$(( $(date +%s) - $(date -d "$made" +%s) ))"; else echo; fi
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Of which database an archive says that it is, and how long ago it was made; "" and None of a
    plain one, which does not say.
    """

    database: str
    age_s: float | None

    def wrong(self, database: str, most_s: float) -> str:
        """Return what is wrong with a backup of `database` that is to be `most_s` old at most."""
        if self.database and self.database != database:
            return f"it is one of the database {self.database}, not of {database}"
        if self.age_s is not None and self.age_s > most_s + _SECOND_S:
            return f"it was made {self.age_s:.0f} s ago, whatever its file's time says"
        return ""


def newest(stage: Stage, folder: str) -> tuple[float, str]:
    """Return (age in seconds, path) of the newest dump in `folder`, a variable of the runbook's
    blocks; raises LookupError.

    A runbook that names no folder makes its safety backup where its commands run.
    """
    where = shlex.quote(stage.environment[folder])
    find = _NEWEST.format(folder=where, depth=3)
    if folder == "BACKUP_DIR":
        find += f"; {_NEWEST.format(folder=chr(34) + '$PWD' + chr(34), depth=1)}"
    done = look(stage.hosts[0], f"{find}; date +%s.%N", limit_s=_LOOK_S)
    *found, clock = done.stdout.split("\n")
    if not found:
        raise LookupError(f"no dump in {folder}")
    found.sort(key=lambda line: float(line.partition(" ")[0]), reverse=True)
    changed, _, path = found[0].partition(" ")
    return float(clock) - float(changed), path


def origin(host: Host, path: str) -> Origin:
    """Read what the archive at `path` on `host` says of itself. Raises StageError."""
    done = look(host, _ORIGIN.replace("{dump}", shlex.quote(path)), limit_s=_LIMIT_S)
    database, age = [*done.stdout.splitlines(), "", ""][:2]
    told = age.strip().lstrip("-").isdecimal()
    return Origin(database.removeprefix("dbname:").strip(), float(age) if told else None)


def prove(database: Queries, host: Host, path: str, user: str = "") -> Finding:
    """Restore the dump at `path` on `host` into a scratch database, and compare that with
    `database`, the live one: all that it is made of, where its sequences stand, the number of rows,
    and the values of every column. `user` restores it, and owns it all.

    Raises StageError when the live database cannot be asked.
    """
    name = path.rpartition("/")[2]
    wanted = statements(database)
    if LARGE_OBJECTS in wanted:
        wanted[LARGE_OBJECTS] = (["data"], _OBJECTS)
    done = look(host, _script(path, [query for _, query in wanted.values()]), limit_s=_LIMIT_S,
                keep=_KEEP)  # fmt: skip
    parts = _parts(done.stdout)
    if not done.ok:
        why = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.exit_status}"]
        what = "cannot be compared" if "restored" in parts else "does not restore"
        wrong = _unlike(parts, user) if "copy made" in parts else []
        told = few(wrong) or why[0]
        return failed(f"{name} {what} on {host.name}: {told}", "a dump that does")
    live, copy = (
        {
            t: hashes(names, row)
            for (t, (names, _)), row in zip(wanted.items(), parts[f"{one} rows"], strict=True)
        }
        for one in ("live", "copy")
    )
    wrong = [*compare(copy, live).changed, *_unlike(parts, user)]
    if wrong:
        return failed(
            f"{name}, restored, against the live database: {few(wrong)}",
            "equal contents",
        )
    told = ", ".join(f"{table} {found[ROWS]} rows" for table, found in copy.items())
    made = len(parts["copy made"])
    return passed(
        f"{name} restores with the same {made} definitions and the same values in every column: "
        f"{told}"
    )


def _script(path: str, queries: Sequence[str]) -> str:
    called = "".join(f"{query};\n" for query in queries)
    asked = _RESTORE.replace("{dump}", shlex.quote(path)).replace("{queries}", called)
    return asked.replace("{made}", QUERY).replace("{positions}", POSITIONS)


def _parts(text: str) -> dict[str, list[list[str]]]:
    """Return what was told under each heading."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    for row in csv.reader(text.splitlines(keepends=True)):
        if len(row) == 1 and row[0].startswith("== "):
            found[row[0].removeprefix("== ")] = rows = []
        else:
            rows.append(row)
    return found


def _unlike(parts: Mapping[str, list[list[str]]], user: str) -> list[str]:
    """Return in which definitions and positions the copy differs from the live database."""
    live, copy = (_owned(parsed(parts[f"{one} made"])[0], user) for one in ("live", "copy"))
    gone, changed, new = differences(live, copy)
    wrong = [f"{name} is missing" for name in gone]
    wrong += [f"{name} is “{text}”, not “{live[name]}”" for name, text in changed.items()]
    wrong += [f"{name} is there in the copy alone" for name in new]
    stand = [
        {row[0]: row[1] for row in parts.get(f"{one} positions", ())} for one in ("live", "copy")
    ]
    wrong += [
        f"sequence {name} stands at {stand[1].get(name) or 'its start'}, not {at or 'its start'}"
        for name, at in stand[0].items()
        if stand[1].get(name) != at
    ]
    return wrong


def _owned(entries: Entries, user: str) -> Entries:
    """Return the definitions of what a dump holds as if all of it were of one owner: whoever
    restores it may give it to nobody else.
    """
    owners = {
        n.removeprefix("owner of "): o for n, o in entries.items() if n.startswith("owner of")
    }
    found = {}
    for name, text in entries.items():
        if name.startswith((*SERVER, "owner")):
            continue
        said = re.search(r"\bowner (\S+?);?(?: |$)", text)
        owner = owners.get(name.removeprefix("grants on "), said[1] if said else "")
        if owner and owner != "pg_database_owner":
            text = " ".join(sorted(re.sub(rf"\b{re.escape(owner)}\b", user, text).split()))
        found[name] = text
    return found
