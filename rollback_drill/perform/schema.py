"""Whether the live database is made as a fresh one of the stable release is, and keeps besides what
stood there before that no release made.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping

from rollback_drill.data.catalogue import QUERY, SERVER, Entries, differences, parsed
from rollback_drill.data.structure import covered
from rollback_drill.data.told import CatalogueSeen, ReleaseSeen
from rollback_drill.ground.finding import Finding, failed, passed
from rollback_drill.ground.words import few
from rollback_drill.perform.moment import Moment
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import read
from rollback_drill.stage.host import look

_LIMIT_S = 120.0
_KEEP = 64 * 2**20  # bytes: of all three catalogues
_COLUMNS = 3
# Both releases' trees migrate a scratch database, at once; the failing one's may be gone from here.
# Then its alembic must find nothing that the stable release would still migrate. A release without
# models has nothing to compare with but its revisions.
_SCRIPT = """export PGHOST="$DB_HOST" PGPORT="$DB_PORT" PGUSER="$DB_USER"
export PGOPTIONS='-c search_path=public'
scratch="check_$(date +%s)_$$"; tree="$(mktemp -d)"; python="$PWD/.venv/bin/python"
trap 'wait; for one in stable failing; do psql -X -q -d postgres \\
  -c "SET client_min_messages TO warning" -c "DROP DATABASE IF EXISTS ${scratch}_$one"; done
rm -rf "$tree"' EXIT
fresh() {
  psql -X -q -d postgres -c "CREATE DATABASE ${scratch}_$1" || return
  mkdir "$tree/$1"; git archive "$2" | tar -x -C "$tree/$1" || return
  cd "$tree/$1"
  DATABASE_URL="${DATABASE_URL%/*}/${scratch}_$1" "$python" -m alembic upgrade head \\
    > "$tree/$1.said" 2>&1
}
fresh failing '{failing}' & other=$!
(fresh stable '{stable}') || { tail -n 1 "$tree/stable.said" >&2; exit 1; }
wait "$other" && shown="stable failing" || shown=stable
contents() { echo "== $1"; psql -X -q --csv -t -v ON_ERROR_STOP=1 -d "$2" <<'SQL'
{query};
SQL
}
contents live "$DB_NAME"
for one in $shown; do contents "$one" "${scratch}_$one"; done
cd "$tree/stable"
if "$python" -m alembic check > checked 2>&1; then
  echo "== said"; tail -n 1 checked; exit
fi
if grep -q MetaData checked; then
  "$python" -m alembic current > current 2>&1
  grep -q "(head)" current || { cat current >&2; exit 1; }
  echo "== said"; echo "at the head of its revisions, without models to compare with"; exit
fi
echo "alembic check: $(tail -n 1 checked)" >&2; exit 1
"""


def compare_with_stable(moment: Moment) -> Finding:
    """Compare the live database with fresh ones of both releases, which go on record.

    Raises StageError when the host does not tell all.
    """
    host = moment.stage.hosts[0]
    script = _SCRIPT.replace("{stable}", moment.stable).replace("{failing}", moment.failing)
    done = look(host, script.replace("{query}", QUERY), limit_s=_LIMIT_S, keep=_KEEP)
    expected = f"the schema of a fresh {moment.stable}"
    if not done.ok:
        words = done.stderr.strip().splitlines() or [f"exit status {done.exit_status}"]
        return failed(f"{host.name}: {words[-1][:300]}", expected)
    found, said = _read(done.stdout)
    live, stable, failing = found["live"], found["stable"], found.get("failing")
    moment.timeline.record(ReleaseSeen(moment.stable, True, stable))
    if failing is not None:
        moment.timeline.record(ReleaseSeen(moment.failing, False, failing))
    stood, belongs = _as_it_stood(moment)
    declared = {name for one in moment.runbook.procedures for name in one.dropped}
    kept = {
        name: text
        for name, text in stood.items()
        if not name.startswith(SERVER)
        and failing is not None
        and failing.get(name) != text
        and not covered(name, belongs.get(name, ()), declared)
    }
    gone, changed, new = differences({**stable, **kept}, live)
    wrong = [f"{name} is missing" for name in gone]
    wrong += [f"{name} is “{text}”" for name, text in changed.items()]
    wrong += [f"{name} is there, and is not its own" for name in new]
    if wrong:
        return failed(f"the schema differs: {few(wrong)}", expected)
    told = f"no difference in {len(stable)} of {len(live)} definitions"
    added = f", and {len(kept)} that no release made are kept" if kept else ""
    return passed(f"{told}{added}; {said}")


def _read(text: str) -> tuple[dict[str, Entries], str]:
    """Return the catalogues by name, but for what is the server's own, and alembic's last word."""
    found: dict[str, Entries] = {}
    parts: list[tuple[str, list[list[str]]]] = []
    for row in csv.reader(text.splitlines(keepends=True)):
        if len(row) == 1 and row[0].startswith("== "):
            parts.append((row[0].removeprefix("== "), []))
        else:
            parts[-1][1].append(row)
    for name, rows in parts:
        entries, _ = parsed(row for row in rows if len(row) == _COLUMNS)
        found[name] = {one: is_ for one, is_ in entries.items() if not one.startswith(SERVER)}
    said = dict(parts).get("said", [])
    return found, ",".join(said[0]) if said else ""


def _as_it_stood(moment: Moment) -> tuple[Entries, Mapping[str, tuple[str, ...]]]:
    """Return what the database was made of before there were clients."""
    seen = [one for one in Book(read(moment.timeline.path)).every(CatalogueSeen) if one.entries]
    return (seen[-1].entries, seen[-1].belongs) if seen else ({}, {})
