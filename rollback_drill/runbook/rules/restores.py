"""Backups that prove nothing, and restores that end with status 0 and restore nothing."""

from __future__ import annotations

import re

from rollback_drill.runbook.lint import Said, rule_of_runbooks, rule_of_scripts
from rollback_drill.runbook.model import Runbook
from rollback_drill.runbook.presumed import presumed
from rollback_drill.runbook.scripts import commands_of
from rollback_drill.runbook.shell import Args, Command, Script

_PSQL = "hpUdcfvoPFRTL"
_LONG = ("host", "port", "username", "dbname", "command", "file", "set", "variable", "output")
# What hands a dump on to its reader.
_UNPACK = {
    "gunzip",
    "zcat",
    "gzip",
    "bunzip2",
    "bzcat",
    "xz",
    "xzcat",
    "zstd",
    "zstdcat",
    "pigz",
    "lz4",
    "unpigz",
    "cat",
    "pv",
    "pg_dump",
    "pg_dumpall",
    "pg_restore",
    "aws",
    "gsutil",
    "ssh",
    "curl",
    "wget",
    "tar",
    "openssl",
    "gpg",
    "sed",
    "az",
    "gcloud",
    "mc",
    "s3cmd",
    "age",
}


@rule_of_scripts(
    "restore-without-stop", "high", "use a fresh database, `ON_ERROR_STOP=1`, `--exit-on-error`"
)
def restore_without_stop(script: Script) -> Said:
    """A restore that goes on after errors ends with status 0 and restores nothing."""
    for command in script.commands:
        match command.name:
            case "psql" if _reads_a_file(command) and not _stops(command):
                yield command.line, "psql goes on after an error and ends with status 0"
            case "pg_restore":
                found = Args(command.arguments, "dfFhIjLnNpPSTtU", (*_LONG, "jobs", "schema"))
                stops = ("e", "exit-on-error", "1", "single-transaction")
                if found.has("d", "dbname") and not found.has(*stops):
                    yield command.line, "pg_restore goes on after an error"
            case "mysql" | "mariadb" if _is_given_a_dump(command):
                # By itself it stops at the first error.
                if Args(command.arguments, "hPuDeS", _LONG).has("f", "force"):
                    yield command.line, f"{command.name} --force goes on after an error"
            case "sqlite3" if _is_given_a_dump(command) and "-bail" not in command.arguments:
                yield command.line, "sqlite3 goes on after an error"


def _reads_a_file(command: Command) -> bool:
    found = Args(command.arguments, _PSQL, _LONG)
    return found.has("f", "file") or _is_given_a_dump(command)


def _is_given_a_dump(command: Command) -> bool:
    if any(r.operator == "<" for r in command.redirects):
        return True
    feeders = {feeder[0].text.rpartition("/")[2] for feeder in command.context.feeders}
    return bool(feeders & _UNPACK)


def _stops(command: Command) -> bool:
    return bool(
        re.search(r"\bON_ERROR_STOP=(?!0|off|false)\w|\bv?ON_ERROR_STOP=(?:1|on)", command.text)
    )


@rule_of_scripts(
    "forced-drop", "medium", "end your own sessions by name, then drop it without force"
)
def forced_drop(script: Script) -> Said:
    """A database dropped by force: whoever is no superuser is refused, and the database stays,
    while an autovacuum worker, which is the superuser's, looks at it.
    """
    force = re.compile(r"(?i)\bdrop\s+database\b.*\bwith\s*\(\s*force\s*\)")
    for command in script.commands:
        texts = [*command.arguments, *(body.body for body in command.bodies)]
        said = next((m.group() for text in texts if (m := force.search(text))), "")
        if command.name == "dropdb" and Args(command.arguments, "hpU", _LONG).has("f", "force"):
            said = command.text
        if said:
            yield command.line, f"{said!r} is refused beside an autovacuum worker"


@rule_of_runbooks(
    "backup-proven-by-size", "high", "read it in full and restore it into a scratch database"
)
def backup_by_size(runbook: Runbook) -> Said:
    """A backup of which only the size is looked at: an empty dump is larger than 1 KB."""
    for procedure in runbook.procedures:
        for step in procedure.steps:
            sizes = [
                box
                for box in step.checkboxes
                if re.search(r"\bsize\b.*\d\s*[KMG]B", box.text, re.IGNORECASE)
            ]
            names = {command.name for block in step.blocks for command in commands_of(block)}
            if sizes and "pg_restore" not in names:
                yield sizes[0].line, "the backup is judged by its size, and never read"


@rule_of_runbooks(
    "file-from-nowhere", "medium", "make it in an earlier step, or say where it is kept"
)
def file_from_nowhere(runbook: Runbook) -> Said:
    """A restore that reads a file which no command of its procedure makes."""
    for procedure in runbook.procedures:
        for line, name, _ in presumed(procedure):
            yield line, f"{name} is read, and nothing in Procedure {procedure.number} makes it"
