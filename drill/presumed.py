"""Files that a procedure reads and nothing in it makes, such as the backup that it presumes.

Performed literally, such a procedure would stop for want of the file and hide what comes after.
So the file is supplied: a dump of the database as it is before the fault.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from drill.host import Host
from drill.runbook.model import Procedure

_LIMIT_S = 600.0
_NAME = r"(?P<name>[\w./-]+\.(?:sql|dump|bak|backup))"
_PLAIN = re.compile(rf"\bpsql\b[^|;&\n]*(?:<|\s-f|--file[= ])\s*{_NAME}")
_CUSTOM = re.compile(rf"\bpg_restore\b[^|;&\n]*\s{_NAME}\s*$", re.MULTILINE)
_MADE = r"(?:>|\bpg_dump\b[^|;&\n]*\s(?:-f|--file[= ])|\b(?:cp|mv)\b.*\s)\s*"


def presumed(procedure: Procedure) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, name, whether it is plain SQL) of each file that is read and never made."""
    blocks = [*procedure.prerequisite_blocks, *(b for s in procedure.steps for b in s.blocks)]
    scripts = [(one.line, one.script) for block in blocks for one in block.alternatives]
    everything = "\n".join(script for _, script in scripts)
    for line, script in scripts:
        for pattern, plain in ((_PLAIN, True), (_CUSTOM, False)):
            for match in pattern.finditer(script):
                name = match["name"]
                if not re.search(_MADE + re.escape(name), everything):
                    yield line + script[: match.start()].count("\n"), name, plain


def supply(procedure: Procedure, host: Host) -> Iterator[str]:
    """Make each presumed file on `host`; yield a sentence for each."""
    for line, name, plain in presumed(procedure):
        form = "" if plain else "-Fc "
        path = shlex.quote(name)
        done = host.run(
            f'mkdir -p "$(dirname {path})"\n'
            f'[ -e {path} ] || pg_dump -h "$DB_HOST" -p "${{DB_PORT:-5432}}" -U "$DB_USER" '
            f'-d "$DB_NAME" {form}-f {path}',
            limit_s=_LIMIT_S,
        )
        how = "a dump from before the fault was supplied" if done.ok else done.stderr[-200:]
        yield f"line {line} reads {name}, which nothing in the procedure makes: {how}"
