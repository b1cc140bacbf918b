"""Ways back that depend on where one stands: performed twice, they go twice as far."""

from __future__ import annotations

import re
from collections.abc import Callable

from rollback_drill.runbook.lint import Said, rule_of_scripts
from rollback_drill.runbook.shell import Args, Command, Script

_KUBE = ("namespace", "context", "kubeconfig", "to-revision", "kube-context", "timeout", "cluster")
_FURTHER = "goes further each time that it is run"
_THERE_AND_BACK = "goes somewhere else each time that it is run"


@rule_of_scripts("relative-downgrade", "high", "name the exact revision")
def relative_downgrade(script: Script) -> Said:
    """A way back by a number of steps, or to "the one before", goes on when it is repeated."""
    for command in script.commands:
        tool = _TOOLS.get(command.name)
        how = tool(command) if tool else ""
        if how:
            yield command.line, how


@rule_of_scripts("downgrade-to-nothing", "high", "name the revision that the old code wants")
def downgrade_to_nothing(script: Script) -> Said:
    """All migrations taken back: every table goes, with what is in it."""
    for command in script.commands:
        text = command.text
        if _NOTHING.search(text) and not re.search(r"--(sql|dry-run|help)\b", text):
            yield command.line, f"{text[:80]!r} takes back every migration, and the data with them"


_NOTHING = re.compile(
    r"^(\w+=\S* )*(?:(?:alembic|flask db|flask)\b.* downgrade (?:\S+ )*base\b"
    r"|\S*manage\.py migrate \S+ zero\b|python3? \S*manage\.py migrate \S+ zero\b"
    r"|(?:rails|rake) db:(?:drop|reset|migrate:reset)\b|(?:rails|rake) db:migrate VERSION=0\b"
    r"|knex migrate:rollback\b.*--all\b|sequelize(?:-cli)? db:migrate:undo:all\b|flyway\b.* clean\b"
    r"|flyway clean\b|liquibase\b.* drop-?[aA]ll\b|goose\b.* (?:reset|down-to 0)\b"
    r"|migrate\b.* down$|migrate\b.* drop\b|prisma migrate reset\b|typeorm schema:drop\b"
    r"|(?:php )?artisan migrate:(?:reset|fresh|refresh)\b|mix ecto\.(?:drop|reset)\b)"
)


@rule_of_scripts("waits-for-locks", "low", "set a lock_timeout and try again")
def waits_for_locks(script: Script) -> Said:
    """A downgrade that waits for a lock makes everybody behind it wait as well."""
    limited = False
    for command in script.commands:
        limited = limited or (command.name == "export" and "lock_timeout" in command.text)
        if (
            command.name == "alembic"
            and "downgrade" in command.arguments
            and "lock_timeout" not in command.text
            and "DATABASE_URL" not in command.assignments
            and not limited
        ):
            yield command.line, "the downgrade waits for locks for ever, and all writers behind it"


def _alembic(command: Command) -> str:
    words = [word for word in command.arguments if not word.startswith("--")]
    if "downgrade" not in words:
        return ""
    behind = words[words.index("downgrade") + 1 :]
    target = next((word for word in behind if not re.match(r"-[a-zA-Z]", word)), "")
    if re.fullmatch(r"-\d+", target):
        return f"a downgrade by {target} {_FURTHER}"
    if re.fullmatch(r"[\w.]+[-+]\d+", target) and not re.fullmatch(r"[\w.]+-\d{4,}", target):
        return f"a downgrade to {target!r} counts from another revision, and names none"
    if target or command.name == "alembic":
        return ""
    return f"a downgrade without a revision {_FURTHER}"


def _flask(command: Command) -> str:
    return _alembic(command) if re.search(r"\bdb (\S+ )*downgrade\b", command.text) else ""


def _said(pattern: str, unless: str = "") -> Callable[[Command], str]:
    """Return what is wrong when the command matches `pattern` and not `unless`."""

    def look(command: Command) -> str:
        found = re.search(pattern, command.text)
        exact = unless and re.search(unless, command.text)
        return f"{found.group()!r} {_FURTHER}" if found and not exact else ""

    return look


def _helm(command: Command) -> str:
    found = Args(command.arguments, "n", _KUBE)
    if found.operands[:1] == ["rollback"] and len(found.operands) < 3:
        return f"'helm rollback' without a revision {_THERE_AND_BACK}"
    if found.operands[:1] == ["rollback"] and found.operands[2] == "0":
        return f"'helm rollback' to revision 0 {_THERE_AND_BACK}"
    return ""


def _kubectl(command: Command) -> str:
    found = Args(command.arguments, "n", _KUBE)
    if found.operands[:2] != ["rollout", "undo"] or found.value("to-revision") not in ("", "0"):
        return ""
    return f"'kubectl rollout undo' without --to-revision {_THERE_AND_BACK}"


_BACK = r"(?:HEAD|@)(?:[~^]\S*|@\{\S+\})|@\{-?\d+\}"


def _git(command: Command) -> str:
    found = Args(command.arguments, "cC", first=True).operands
    verb = (found[:1] or [""])[0]
    targets = [word for word in found[1:] if not word.startswith("-") or word == "-"]
    if verb in ("reset", "checkout", "switch"):
        files = "--" in found or (verb == "checkout" and len(targets) > 1 and "-b" not in found)
        back = next((t for t in targets if re.fullmatch(_BACK, t) or t == "-"), "")
        if back and not files:
            return f"'git {verb}' to {back} {_THERE_AND_BACK if back == '-' else _FURTHER}"
    if verb == "revert":
        back = next((t for t in targets if re.match(rf"HEAD$|{_BACK}", t)), "")
        if back:
            return f"'git revert' of {back} {_THERE_AND_BACK}"
    return ""


def _migrate(command: Command) -> str:
    match = re.search(r"\bdown(?: (\d+))?$", command.text)
    return f"'migrate down {match[1]}' {_FURTHER}" if match and match[1] else ""


_RAILS = _said(r"\bdb:rollback(?::\w+)?\b.*|\bdb:migrate:redo\b")
_TOOLS: dict[str, Callable[[Command], str]] = {
    "alembic": _alembic,
    "flask": _flask,
    "flyway": _said(r"\bundo\b", r"-?-target[= ]|cherryPick"),
    **dict.fromkeys(("rails", "rake"), _RAILS),
    "knex": _said(r"\bmigrate:(?:rollback|down)\b", r"migrate:down \S*\d|--all"),
    **dict.fromkeys(
        ("sequelize", "sequelize-cli"), _said(r"\bdb:migrate:undo(?!:)", r"--(name|to)\b")
    ),
    "typeorm": _said(r"\bmigration:revert\b"),
    "prisma": _said(r"\bmigrate down\b"),
    "goose": _said(r"\b(?:down|redo)(?!-)\b"),
    "dbmate": _said(r"\b(?:rollback|down)\b"),
    "migrate": _migrate,
    "sql-migrate": _said(r"\b(?:down|redo)\b"),
    "atlas": _said(r"\bmigrate down\b", r"--to-(?:version|tag)\b"),
    "liquibase": _said(r"\brollback-?[cC]ount\b.*"),
    "artisan": _said(r"\bmigrate:rollback\b"),
    "php": _said(r"artisan migrate:rollback\b|doctrine:migrations:migrate prev\b"),
    "mix": _said(r"\becto\.rollback\b", r"--to(?!-)\b|-v \d|--to-exclusive"),
    "dotnet": _said(r"\bef migrations remove\b"),
    "helm": _helm,
    "kubectl": _kubectl,
    "oc": _kubectl,
    "git": _git,
    "heroku": _said(r"^heroku (?:releases:)?rollback\b", r"\bv\d+\b|\$"),
    "vercel": _said(r"^vercel rollback$"),
    "cap": _said(r"\bdeploy:rollback\b", r"ROLLBACK_RELEASE="),
    "docker": _said(r"^docker service (?:rollback|update .*--rollback)\b"),
    "argocd": _said(r"^argocd app rollback \S+$"),
    "cf": _said(r"^cf rollback \S+$"),
}
