"""What the runbook kept of all that only the new release knows: one CSV file for each name.

"orders.note.csv" holds the key and one column of a table, "audit.csv" a table.
There may be millions of rows: they are counted and compared where they lie, by the database.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from rollback_drill.stage.host import look
from rollback_drill.stage.model import Stage

_VALUES = 500_000_000  # bytes: what is archived of one table is read at once
_LIMIT_S = 900.0  # a bound against hanging: the step has a budget of its own
# Where secure storage is a bucket, what it holds is looked at in a copy.
FETCH = """if [ -n "${SECURE_BUCKET:-}" ]; then
  SECURE_STORAGE="$(mktemp -d)"; trap 'rm -rf "$SECURE_STORAGE"' EXIT
  aws s3 sync --only-show-errors "$SECURE_BUCKET" "$SECURE_STORAGE"
fi
"""
_ENTER = """kept="$(find "{folder}" -maxdepth 1 -type d -name "only_new_*" | sort | tail -n 1)"
test -n "$kept" || {{ echo "no archive of what only the new release knew" >&2; exit 1; }}
cd "$kept"
"""
# Its first column is the key. An error, as a file that is no table, ends it.
_COMPARE = """columns="$(head -n 1 {name}.csv)"
key="${{columns%%,*}}"
psql -X -q --csv -t -v ON_ERROR_STOP=1 -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" -d "$DB_NAME" <<SQL
CREATE TEMPORARY TABLE kept AS SELECT $columns FROM "{table}" WITH NO DATA;
\\copy kept FROM {name}.csv CSV HEADER
SELECT '{name}', (SELECT count(*) FROM kept), ({differing});
SQL
"""
_MISSING = (
    'SELECT count(*) FROM "{table}" AS live LEFT JOIN kept USING ($key) '
    'WHERE kept IS NULL OR kept."{column}"::text IS DISTINCT FROM live."{column}"::text'
)
_NOT_BACK = (
    'SELECT count(*) FROM "{table}" AS live JOIN kept USING ($key) '
    'WHERE kept."{column}"::text IS DISTINCT FROM live."{column}"::text'
)
_ONE_WITHOUT_OTHER = (
    "SELECT count(*) FROM (SELECT one::text FROM (SELECT $columns FROM {one}) AS one "
    "EXCEPT SELECT other::text FROM (SELECT $columns FROM {other}) AS other) AS differing"
)


@dataclass(frozen=True, slots=True)
class Archived:
    """What the archive has of one name: its `rows`, and how many are `differing`."""

    rows: int
    differing: int


def missing(stage: Stage, names: Iterable[str]) -> dict[str, Archived]:
    """Compare the archive in secure storage with the database: `differing` rows of the database
    are not archived, or with another value. Raises LookupError, in words, where there is none.
    """
    whole = _ONE_WITHOUT_OTHER.format(one='"{table}"', other="kept")
    return _compared(stage, "$SECURE_STORAGE", names, _MISSING, whole)


def not_back(stage: Stage) -> dict[str, Archived]:
    """Compare the newest archive among the backups with the database that it was loaded into:
    `differing` values are not there again, although their rows are. Nothing without an archive.
    Raises LookupError, in words, where it cannot be read.
    """
    folder = "$BACKUP_DIR"
    script = f"{_ENTER.format(folder=folder)}for file in *.csv; do echo ${{file%.csv}}; done"
    names = look(stage.hosts[0], script, limit_s=_LIMIT_S).stdout.split()
    whole = _ONE_WITHOUT_OTHER.format(one="kept", other='"{table}"')
    return _compared(stage, folder, names, _NOT_BACK, whole) if names else {}


def values(stage: Stage, table: str) -> dict[str, dict[str, str]]:
    """Return what secure storage keeps of each column of `table`: values by their rows' keys.

    Without an archive of it nothing.
    """
    script = (
        f"{FETCH}{_ENTER.format(folder='$SECURE_STORAGE')}"
        f'for file in {table}.*.csv; do echo "== ${{file%.csv}}"; cat "$file"; done'
    )
    done = look(stage.hosts[0], script, limit_s=_LIMIT_S, keep=_VALUES)
    found: dict[str, dict[str, str]] = {}
    rows = csv.reader(io.StringIO(done.stdout if done.ok else ""))
    for row in rows:
        if row and row[0].startswith("== "):
            found[row[0].removeprefix("== ")] = column = {}
            next(rows, None)  # its heading
        elif row:
            column[row[0]] = sys.intern(row[1])  # few different ones in millions
    return found


def _compared(
    stage: Stage, folder: str, names: Iterable[str], column: str, whole: str
) -> dict[str, Archived]:
    script = FETCH + _ENTER.format(folder=folder)
    for name in names:
        table, _, part = name.partition(".")
        differing = (column if part else whole).format(table=table, column=part)
        script += _COMPARE.format(name=name, table=table, differing=differing)
    done = look(stage.hosts[0], script, limit_s=_LIMIT_S)
    if not done.ok:
        words = done.stderr.strip().splitlines() or [f"exit status {done.exit_status}"]
        # After an error of psql comes its context.
        raise LookupError(next((word for word in words if "ERROR" in word), words[-1]))
    rows = csv.reader(io.StringIO(done.stdout))
    return {name: Archived(int(kept), int(differing)) for name, kept, differing in rows}
