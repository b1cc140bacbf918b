"""Commands that want somebody at a keyboard: prompts, editors, pagers, shells to type into."""

from __future__ import annotations

import re
from collections.abc import Callable

from rollback_drill.runbook.lint import Said, rule_of_scripts
from rollback_drill.runbook.shell import Args, Command, Script

_SSH = "bcDEeFIiJLlmOopQRSWwB"


@rule_of_scripts(
    "asks-somebody", "high", "say it all on the command line; a drill and cron have no keyboard"
)
def asks_somebody(script: Script) -> Said:
    """What waits for keys that nobody may press."""
    for command in script.commands:
        asks = _ASKS.get(command.name)
        if asks and not command.context.limited and asks(command):
            yield command.line, f"{command.text[:80]!r} waits for somebody to type"
    for loop in script.loops:
        if loop.kind == "select" and not loop.context.fed:
            yield loop.line, "'select' waits for somebody to choose"


def _args(command: Command, takes: str = "", long: tuple[str, ...] = ()) -> Args:
    return Args(command.arguments, takes, long)


def _opens(*harmless: str) -> Callable[[Command], bool]:
    """Return whether an editor or pager opens: not with one of the options `harmless`."""

    def look(command: Command) -> bool:
        return not _args(command).has("version", "help", *harmless)

    return look


def _pages(command: Command) -> bool:
    # Into a pipe or file a pager only copies.
    written = any(r.operator in (">", ">>") for r in command.redirects)
    return not written and not command.context.readers and not _args(command).has("V", "version")


def _types(takes: str, ends: tuple[str, ...], operands: int | None) -> Callable[[Command], bool]:
    """Return whether a client is opened to type into: nothing is fed to it, none of the options
    `ends` gives it something to do, and it has at most `operands` operands (None: any number).
    """

    def look(command: Command) -> bool:
        found = _args(command, takes, _CLIENTS)
        few = operands is None or len(found.operands) <= operands
        return few and not command.is_fed and not found.has("version", "help", *ends)

    return look


_CLIENTS = (
    "host",
    "port",
    "username",
    "user",
    "dbname",
    "command",
    "file",
    "set",
    "execute",
    "database",
    "eval",
    "variable",
    "config",
)


def _read(command: Command) -> bool:
    found = _args(command, "adinNptu")
    return not command.is_fed and not found.has("t", "u")


def _ssh(command: Command) -> bool:
    found = _args(command, _SSH)
    quiet = found.has("N", "f", "V", "G", "Q", "O")
    return len(found.operands) == 1 and not command.is_fed and not quiet


def _login(command: Command) -> bool:
    """Whether a shell is opened: `su -`, `sudo -i`, `sudo -s`."""
    if command.name == "sudo":
        found = Args(command.arguments, "ughpCDRTtUr", first=True)
        return found.has("i", "s") and not found.operands and not command.is_fed
    return not command.is_fed


def _git(command: Command) -> bool:
    outer = Args(command.arguments, "cC", ("git-dir", "work-tree"), first=True)
    verb, rest = (outer.operands[:1] or [""])[0], outer.operands[1:]
    found = Args(rest, "mFCc", ("message", "file", "reuse-message", "fixup"))
    said = found.has(
        "m", "F", "C", "message", "file", "reuse-message", "no-edit", "fixup", "no-commit"
    )
    match verb:
        case "rebase":
            return found.has("i", "interactive")
        case "add" | "checkout" | "restore" | "reset" | "stash":
            return found.has("p", "patch") or (verb == "add" and found.has("i", "interactive"))
        case "commit":
            return not said and not found.has("dry-run")
        case "revert":
            done = found.has("n", "abort", "continue", "quit", "skip")
            return not said and not done and _editor(command) not in ("true", ":")
        case "tag":
            return found.has("a", "s", "annotate", "sign") and not said
    return False


def _editor(command: Command) -> str:
    return command.assignments.get("GIT_EDITOR", command.assignments.get("EDITOR", ""))


def _asks_unless(verbs: str, *sure: str) -> Callable[[Command], bool]:
    """Return whether one of `verbs` (a pattern) is said without an option that says yes."""

    def look(command: Command) -> bool:
        text = " ".join(command.arguments)
        piped = any(
            feeder[0].text in ("yes", "echo", "printf") for feeder in command.context.feeders
        )
        return bool(re.search(verbs, text)) and not _args(command).has(*sure) and not piped

    return look


_EDITOR = _opens("c", "s", "E", "batch")
_SHELL = _types("oO", ("c", "n"), 0)
_PYTHON = _types("mcWX", ("m", "c", "V"), 0)
_ASKS: dict[str, Callable[[Command], bool]] = {
    "read": _read,
    **dict.fromkeys(("vi", "vim", "nvim", "nano", "emacs", "ed", "pico", "view"), _EDITOR),
    **dict.fromkeys(("visudo", "vipw", "sudoedit", "dialog", "whiptail", "passwd"), _opens("c")),
    **dict.fromkeys(("less", "more", "most", "man"), _pages),
    "crontab": lambda command: _args(command, "u").has("e"),
    "psql": _types("hpUdcfvoPFRT", ("c", "command", "f", "file", "l", "list", "V", "?"), None),
    **dict.fromkeys(("mysql", "mariadb"), _types("hPuDeS", ("e", "execute", "V"), None)),
    "sqlite3": _types("", ("cmd",), 1),
    **dict.fromkeys(("mongo", "mongosh"), _types("up", ("eval", "f", "file"), 1)),
    "redis-cli": _types("hpanu", ("eval", "pipe", "scan", "bigkeys", "stat", "latency"), 0),
    **dict.fromkeys(("python", "python3"), _PYTHON),
    **dict.fromkeys(("ipython", "irb", "iex", "ghci", "pry"), _types("", ("c", "e"), 0)),
    "node": _types("epr", ("e", "eval", "p", "print"), 0),
    "php": lambda command: _args(command).has("a"),
    "rails": lambda command: command.arguments[:1] in (("c",), ("console",), ("dbconsole",)),
    "flask": lambda command: command.arguments[-1:] == ("shell",) and not command.is_fed,
    "manage.py": lambda command: (
        command.arguments[:1] in (("shell",), ("dbshell",))
        and not command.is_fed
        and not _args(command).has("c", "command")
    ),
    **dict.fromkeys(("bash", "sh", "zsh", "dash", "ksh", "ash", "fish"), _SHELL),
    "ssh": _ssh,
    "sftp": _types("bBcDFilloPRsS", ("b",), 1),
    **dict.fromkeys(("ftp", "telnet"), _types("", (), None)),
    "su": _login,
    "sudo": _login,
    "tmux": lambda command: not _args(command).has("d") and _first(command, "attach", "a", "new"),
    "screen": lambda command: not _args(command, "Sdr").has("d", "D", "X", "ls", "list"),
    "supervisorctl": _types("csup", (), 0),
    "git": _git,
    "kubectl": lambda command: _first(command, "edit"),
    "oc": lambda command: _first(command, "edit", "rsh"),
    "aws": lambda command: "start-session" in command.arguments,
    "gcloud": lambda command: "ssh" in command.arguments and not _args(command).has("command"),
    **dict.fromkeys(
        ("apt", "apt-get", "yum", "dnf", "zypper"),
        _asks_unless(
            r"\b(install|remove|upgrade|downgrade|autoremove|purge|dist-upgrade)\b",
            "y",
            "yes",
            "assume-yes",
            "assumeyes",
            "q",
            "s",
            "n",
            "non-interactive",
        ),
    ),
    "terraform": lambda command: _terraform(command),
    "docker": _asks_unless(r"\bprune\b", "f", "force"),
    "podman": _asks_unless(r"\bprune\b", "f", "force"),
    "rm": lambda command: _args(command).has("i", "I") and not command.is_fed,
    "cp": lambda command: _args(command, "tS").has("i") and not command.is_fed,
    "mv": lambda command: _args(command, "tS").has("i") and not command.is_fed,
    "dropdb": lambda command: _args(command, "hpU").has("i", "interactive"),
}


def _first(command: Command, *verbs: str) -> bool:
    operands = Args(command.arguments, "ntLSf", ("namespace", "context", "kubeconfig")).operands
    return (operands[0] if operands else "") in verbs


def _terraform(command: Command) -> bool:
    found = Args(command.arguments, "", ("chdir",))
    verb = next((word for word in command.arguments if not word.startswith("-")), "")
    if verb not in ("apply", "destroy"):
        return False
    operands = [word for word in command.arguments if not word.startswith("-")]
    planned = verb == "apply" and len(operands) > 1  # a plan that was agreed on before
    sure = any(
        word.lstrip("-") in ("auto-approve", "auto-approve=true") for word in command.arguments
    )
    return not planned and not sure and not found.has("help")
