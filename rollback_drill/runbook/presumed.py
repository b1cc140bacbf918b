"""Files that a procedure reads and nothing in it makes, such as the backup that it presumes.

Performed literally, such a procedure would stop for want of the file and hide what comes after.
So the file is supplied: a dump of the database as it is before the fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.runbook.model import Procedure
from rollback_drill.runbook.shell import Args, Command, read_script

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
        for command in read_script(one.script, one.line).commands
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
