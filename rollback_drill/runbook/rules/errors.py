"""Errors that nobody would hear of, and a status that says success whatever happened."""

from __future__ import annotations

from rollback_drill.runbook.lint import Said, rule_of_scripts
from rollback_drill.runbook.rules.lost import lost
from rollback_drill.runbook.shell import Command, Context, Script

# For these a failure is an answer, or leaves nothing undone.
_MAY_FAIL = {
    "grep",
    "egrep",
    "fgrep",
    "zgrep",
    "rg",
    "pgrep",
    "diff",
    "cmp",
    "test",
    "[",
    "expr",
    "let",
    "wait",
    "read",
    "kill",
    "pkill",
    "killall",
    "which",
    "type",
    "command",
    "hash",
    "true",
    ":",
    "echo",
    "printf",
    "rmdir",
    "disown",
    "umount",
}
# What a step is for.
_CONTROLS = {
    *("systemctl", "service", "supervisorctl", "docker", "docker-compose", "podman", "kubectl"),
    *("helm", "uv", "pip", "pip3", "npm", "yarn", "poetry", "alembic", "pg_dump", "pg_restore"),
    *("terraform", "ansible-playbook", "sha1sum", "sha256sum", "sha512sum", "md5sum", "b2sum"),
}
_TOLD = ("|| echo", "|| printf")
# What a pipeline's later members cannot miss: they get less, and do not know.
_PRODUCERS = {
    "pg_dump",
    "pg_dumpall",
    "pg_basebackup",
    "mysqldump",
    "mariadb-dump",
    "mongodump",
    "gunzip",
    "zcat",
    "bunzip2",
    "bzcat",
    "xzcat",
    "zstdcat",
    "curl",
    "wget",
    "tar",
    "gpg",
    "openssl",
}


@rule_of_scripts("hidden-failure", "medium", "let it fail, or handle the one failure that is meant")
def hidden_failure(script: Script) -> Said:
    """A command whose failure counts as success."""
    asks = "$?" in script.text or "PIPESTATUS" in script.text
    # A wait for nobody in particular says that all went well, whatever they say.
    waits = any(one.name == "wait" and one.arguments for one in script.commands)
    seen: set[tuple[int, str]] = set()
    yield from lost(script)
    for command in script.commands:
        context = command.context
        if command.name == "coproc" and _CONTROLS.intersection(command.arguments[:1]):
            yield (
                command.line,
                f"{command.arguments[0]} goes on beside, and nobody asks how it ended",
            )
        if _is_swallowed(command):
            key = (command.line, context.swallowed)
            if key not in seen:  # one finding for a whole pipeline or group on a line
                seen.add(key)
                yield command.line, f"{context.swallowed!r} makes a success of any failure"
        if context.background and command.name in _CONTROLS and not waits:
            yield command.line, f"{command.name} goes on beside, and nobody asks how it ended"
        if command.text == "exit 0" and "trap" in context.wrappers:
            yield command.line, "whatever fails, the script ends with 0"
        off = _switched_off(command)
        if off and not asks:
            yield command.line, f"{off!r}: what follows may fail and nobody hears of it"
        if _is_cut_off(command):
            yield (
                command.line,
                f"{command.name} may fail within the pipeline, and its status is lost",
            )


def _is_swallowed(command: Command) -> bool:
    context = command.context
    if context.condition or not context.swallowed or command.name in _MAY_FAIL:
        return False
    # That something could not be looked at may be told, and no more; what changes must not fail.
    return not context.swallowed.startswith(_TOLD) or command.name in _CONTROLS


def _switched_off(command: Command) -> str:
    if command.name != "set":
        return ""
    words = command.arguments
    for index, word in enumerate(words):
        if word.startswith("+") and "e" in word:
            return f"set {word}"
        if word == "+o" and words[index + 1 : index + 2] in (("errexit",), ("pipefail",)):
            return f"set +o {words[index + 1]}"
    return ""


def _is_cut_off(command: Command) -> bool:
    context = command.context
    return (
        command.name in _PRODUCERS
        and bool(context.readers)
        and not context.pipefail
        and not _is_answered(context)
    )


def _is_answered(context: Context) -> bool:
    # `curl … | grep -q …` fails when nothing came: its reader judges what it gets.
    judges = {
        "grep",
        "egrep",
        "jq",
        "head",
        "cut",
        "tee",
        "python",
        "python3",
        "wc",
        "sort",
        "tail",
    }
    return all(reader[0].text.rpartition("/")[2] in judges for reader in context.readers)


@rule_of_scripts("hidden-errors", "low", "let the message be seen: it is all that is known later")
def hidden_errors(script: Script) -> Said:
    """Errors sent nowhere, where nothing else is done about the failure."""
    for command in script.commands:
        context = command.context
        harmless = context.condition or context.handled or context.background
        if context.silenced and not harmless and command.name not in _MAY_FAIL:
            yield command.line, f"the errors of {command.name} go to /dev/null"
