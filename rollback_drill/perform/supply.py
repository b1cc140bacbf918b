"""Supplies the files that a procedure presumes; see `runbook.presumed`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rollback_drill.runbook.model import Procedure
from rollback_drill.runbook.presumed import presumed
from rollback_drill.stage.host import Host

_LIMIT_S = 600.0


def supply(procedure: Procedure, host: Host) -> Iterator[str]:
    """Make each presumed file on `host`; yield a sentence for each."""
    for line, name, plain in presumed(procedure):
        form = "" if plain else "-Fc "
        path = shlex.quote(name)
        done = host.run(
            f'mkdir -p "$(dirname {path})"\n'
            f"if [ -e {path} ]; then echo there; exit; fi\n"
            f'pg_dump -h "$DB_HOST" -p "${{DB_PORT:-5432}}" -U "$DB_USER" '
            f'-d "$DB_NAME" {form}-f {path}',
            limit_s=_LIMIT_S,
        )
        how = "a dump from before the fault was supplied"
        if not done.ok:
            said = done.stderr.strip()[-200:] or f"status {done.exit_status}"
            how = f"it could not be supplied: {said}"
        elif done.stdout.strip() == "there":
            how = "one was there already, and the drill does not know of what"
        yield f"line {line} reads {name}, which nothing in the procedure makes: {how}"
