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
from drill.shell import Args, Command, read

_LIMIT_S = 600.0
_NAME = re.compile(r"[\w./-]+\.(?:sql|dump|bak|backup)")
_PSQL = "hpUdcfvoPFRTL"
_PG_RESTORE = "dfFhIjLnNpPSTtU"
_LONG = ("host", "port", "username", "dbname", "command", "file", "set", "jobs")


def presumed(procedure: Procedure) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, name, whether it is plain SQL) of each file that is read and never made."""
    blocks = [*procedure.prerequisite_blocks, *(b for s in procedure.steps for b in s.blocks)]
    commands = [
        command
        for block in blocks
        for one in block.alternatives
        for command in read(one.script, one.line).commands
    ]
    made = {name for command in commands for name in _made(command)}
    for command in commands:
        for name in _read_by(command):
            if _NAME.fullmatch(name) and name not in made:
                yield command.line, name, command.name == "psql"


def _read_by(command: Command) -> Iterator[str]:
    """Yield the files that a restore reads."""
    if command.name == "psql":
        yield from (r.target for r in command.redirects if r.operator == "<")
        arguments = Args(command.arguments, _PSQL, _LONG)
        yield from (*arguments.values.get("f", []), *arguments.values.get("file", []))
    elif command.name == "pg_restore":
        yield from Args(command.arguments, _PG_RESTORE, _LONG).operands[-1:]


def _made(command: Command) -> Iterator[str]:
    """Yield the files that `command` writes."""
    yield from (r.target for r in command.redirects if r.operator in (">", ">>", ">|"))
    if command.name == "pg_dump":
        arguments = Args(command.arguments, "fFhpUdZjnNtT", _LONG)
        yield from (*arguments.values.get("f", []), *arguments.values.get("file", []))
    elif command.name in ("cp", "mv", "tee", "gunzip", "scp", "rsync", "aws", "curl", "wget"):
        yield from command.arguments


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
