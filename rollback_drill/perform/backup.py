"""Whether a dump is a backup: it restores, and the copy holds what the live database holds."""

from __future__ import annotations

import csv
import shlex

from rollback_drill.data.comparison import ROWS, compare
from rollback_drill.data.fingerprint import hashes, statements
from rollback_drill.ground.finding import Finding, failed, passed
from rollback_drill.stage.host import Host, look
from rollback_drill.subject.subject import Queries

_LIMIT_S = 900.0  # a bound against hanging: the step has a budget of its own
_RESTORE = """export PGHOST="$DB_HOST" PGPORT="$DB_PORT" PGUSER="$DB_USER"
contents() { psql -X -q --csv -t -v ON_ERROR_STOP=1 -d "$1" <<'SQL'
{queries}SQL
}
scratch="check_$(date +%s)_$$"
trap 'psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $scratch"' EXIT
psql -X -q -d postgres -c "CREATE DATABASE $scratch"
# Whichever form the dump has; an error ends it.
if pg_restore -l {dump} > /dev/null 2>&1
then pg_restore -j 2 --exit-on-error --no-owner -d "$scratch" {dump}
else psql -X -q -v ON_ERROR_STOP=1 -d "$scratch" -f {dump} > /dev/null; fi
contents "$DB_NAME"
contents "$scratch"
"""


def prove(database: Queries, host: Host, path: str) -> Finding:
    """Restore the dump at `path` on `host` into a scratch database, and compare that with
    `database`, the live one: the number of rows, and the values of every column.

    Raises StageError when the live database cannot be asked.
    """
    name = path.rpartition("/")[2]
    wanted = statements(database)
    queries = "".join(f"{query};\n" for _, query in wanted.values())
    script = _RESTORE.replace("{dump}", shlex.quote(path)).replace("{queries}", queries)
    done = look(host, script, limit_s=_LIMIT_S)
    if not done.ok:
        why = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.exit_status}"]
        return failed(f"{name} does not restore on {host.name}: {why[0]}", "a dump that does")
    rows = list(csv.reader(done.stdout.splitlines()))
    live, copy = (
        {t: hashes(names, row) for (t, (names, _)), row in zip(wanted.items(), part, strict=True)}
        for part in (rows[: len(wanted)], rows[len(wanted) :])
    )
    if changed := compare(copy, live).changed:
        return failed(
            f"{name}, restored, against the live database: {'; '.join(changed)}", "equal contents"
        )
    told = ", ".join(f"{table} {found[ROWS]} rows" for table, found in copy.items())
    return passed(f"{name} restores with the same values in every column: {told}")
