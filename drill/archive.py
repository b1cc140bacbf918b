"""What the runbook kept of all that only the new release knows: one CSV file for each name."""

from __future__ import annotations

import csv
import io

from drill.stage import Stage

_LIMIT_S = 120.0
# Where secure storage is a bucket, what it holds is looked at in a copy.
FETCH = """if [ -n "${SECURE_BUCKET:-}" ]; then
  SECURE_STORAGE="$(mktemp -d)"; trap 'rm -rf "$SECURE_STORAGE"' EXIT
  aws s3 sync --only-show-errors "$SECURE_BUCKET" "$SECURE_STORAGE"
fi
"""

Rows = list[list[str]]


def kept(stage: Stage, folder: str = "SECURE_STORAGE", files: str = "*.csv") -> dict[str, Rows]:
    """Return the rows of `files` of the newest archive in `folder`, a variable of the hosts.

    By the file's name without its ending, "reservations.channel": rows of key and value. Raises
    LookupError when there is no archive.
    """
    script = (
        f'{FETCH}folder="${folder}"\n'
        'kept="$(find "$folder" -maxdepth 1 -type d -name "only_new_*" | sort | tail -n 1)"\n'
        f'test -n "$kept"; cd "$kept"; for file in {files}; do echo "== $file"; cat "$file"; done'
    )
    done = stage.hosts[0].run(script, limit_s=_LIMIT_S)
    if not done.ok:
        raise LookupError(f"no archive of what only the new release knew in {folder}")
    found: dict[str, Rows] = {}
    for row in csv.reader(io.StringIO(done.stdout)):
        if row and row[0].startswith("== "):
            found[row[0][3:].removesuffix(".csv")] = current = []
        elif row:
            current.append(row)
    return {name: rows[1:] for name, rows in found.items()}  # without their headings


def values(stage: Stage, table: str) -> dict[str, dict[str, str]]:
    """Return what secure storage keeps of each column of `table`: values by their rows' keys.

    Without an archive of it nothing.
    """
    try:
        found = kept(stage, files=f"{table}.*.csv")
    except LookupError:
        return {}
    return {name: {row[0]: row[1] for row in rows} for name, rows in found.items()}
