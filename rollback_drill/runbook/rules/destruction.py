"""Commands that destroy more than is meant, or what nobody can bring back.

Dropping what was set aside (a scratch or replaced database) is clearing up, and so is taking away
what is made anew by itself (`kubectl delete pod`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rollback_drill.runbook.lint import Read, Said, rule, rule_of_scripts
from rollback_drill.runbook.shell import Args, Command, Script, Word

# Set by the login, the shell or the system; not by a runbook.
_OF_THE_SHELL = {"HOME", "PWD", "USER", "TMPDIR", "OLDPWD", "LOGNAME", "HOSTNAME", "UID", "RANDOM"}
_BROAD = re.compile(r"^(/.*|\.{1,2}/?(\*.*)?|\*.*|~/?\*?)$")
_ASIDE = re.compile(
    r"(?i)(^|[^a-z])(old|scratch|tmp|temp|temporary|test|broken|failed|fresh|replaced|aside|previous|"
    r"spare|copy|restored|verify|staging)([^a-z]|$)"
)
_DROPS = re.compile(
    r"(?i)\b(?:drop\s+(?P<kind>database|schema|table)\s+(?P<if>if\s+exists\s+)?(?P<name>[\w.\"$%{}-]+)"
    r"|truncate\s+(?:table\s+)?(?:only\s+)?(?P<table>[\w.\"$]+)"
    r"|delete\s+from\s+(?:only\s+)?(?P<emptied>[\w.\"$]+)\s*(?:;|$))"
)
_SQL = {"psql", "mysql", "mariadb", "sqlite3", "clickhouse-client", "cockroach", "sqlcmd", "usql"}


@rule("unset-destroys", "high", "write `${NAME:?}`: it stops when the variable is empty")
def unset_destroys(read: Read) -> Said:
    """A path to destroy that begins with a variable which nothing has set."""
    known = _OF_THE_SHELL.union(*(script.assigned for script in read.scripts))
    for script in read.scripts:
        for command in script.commands:
            if not command.context.nounset and _takes_away(command):
                for word, name in _open_paths(command, known):
                    was = f"{command.name} … {word.emptied}"
                    yield word.line, f"{word.text!r}: where {name} is not set, this is {was!r}"


def _takes_away(command: Command) -> bool:
    found = Args(command.arguments)
    match command.name:
        case "rm":
            return found.has("r", "R", "recursive")
        case "find":
            return "-delete" in command.arguments
        case "chown" | "chmod" | "chgrp":
            return found.has("R", "recursive")
        case "rsync":
            return any(word.startswith("--delete") for word in command.arguments)
        case "mv" | "shred" | "truncate" | "dd" | "rmdir":
            return True
    return False


def _open_paths(command: Command, known: set[str] | frozenset[str]) -> Iterator[tuple[Word, str]]:
    """Yield (word, variable) of paths that would be much wider without the variable."""
    for word in command.words[1:]:
        missing = [name for name in word.variables if name not in known]
        wide = word.text.startswith("$") and _BROAD.match(word.emptied)
        # `/var/lib/$APP` without its last part is all that others keep there.
        above = word.emptied.startswith("/") and word.emptied.endswith("/")
        if missing and (wide or (above and not word.text.endswith("/"))):
            yield word, f"${missing[0]}"


@rule_of_scripts("destroys", "medium", "keep a copy that was read back, and name exactly what goes")
def destroys(script: Script) -> Said:
    """What cannot be brought back."""
    for command in script.commands:
        look = _TOOLS.get(command.name)
        what = look(command) if look else ""
        if what:
            yield command.line, f"{command.text[:80]!r} {what}"
        for line, words in _in_queries(command, script.text):
            yield line, f"{words!r} destroys data"


def _in_queries(command: Command, script: str) -> Iterator[tuple[int, str]]:
    """Yield (line, words) of the queries that drop or empty what was not set aside."""
    if command.name == "dropdb":
        name = next(iter(Args(command.arguments, "hpU", ("host", "port", "username")).operands), "")
        spared = "--if-exists" in command.arguments and not _is_made_again(name, script)
        if not _ASIDE.search(name) and not spared:
            yield command.line, command.text
    if command.name not in _SQL:
        return
    texts = [(command.line, word) for word in command.arguments]
    texts += [(body.line, body.body) for body in command.bodies]
    texts += [
        (command.line, word.text)
        for feeder in command.context.feeders
        if feeder[0].text in ("echo", "printf")
        for word in feeder[1:]
    ]
    for line, text in texts:
        for match in _DROPS.finditer(text):
            name = match["name"] or match["table"] or match["emptied"]
            spared = bool(match["if"]) and not _is_made_again(name, script)
            filled = rf"(?i)(?:copy|insert\s+into)\s+{re.escape(name)}\b"
            spared = spared or bool(match["emptied"] and re.search(filled, script))
            if not _ASIDE.search(name) and not spared:
                yield line + text[: match.start()].count("\n"), match.group()


def _is_made_again(name: str, script: str) -> bool:
    create = r"(?i)\b(?:create\s+(?:database|schema|table)|createdb(?:\s+-\S+)*)\s+\"?"
    return bool(re.search(rf"{create}{re.escape(name)}\b", script))


def _git(command: Command) -> str:
    found = Args(command.arguments, "cC", first=True).operands
    own = Args(found[1:], "o")
    match found[:1]:
        case ["clean"] if own.has("f", "force") and not own.has("n", "dry-run"):
            if own.has("x", "X"):
                return "takes away what git ignores: settings, secrets, logs"
            return "takes away files that nobody committed" if own.has("d") else ""
        case ["push"]:
            if own.has("f", "force", "mirror") or any(w.startswith("+") for w in own.operands):
                return "overwrites what others have pushed"
            if own.has("d", "delete") or any(re.match(r":\w", w) for w in own.operands):
                return "takes a branch or tag away from everybody"
        case ["stash"] if found[1:2] in (["clear"], ["drop"]):
            return "throws away what was kept"
    return ""


_NAMED = ("namespace", "context", "kubeconfig", "selector", "filename", "timeout", "grace-period")
_KEEPS = re.compile(
    r"^(ns|namespaces?|pvc?|persistentvolume(claim)?s?|crds?|customresourcedefinitions?|secrets?|"
    r"configmaps?|cm|statefulsets?|sts|deploy(ment)?s?|svc|services?|ingress(es)?|ing|all)(/|$|\.)"
)


def _kubectl(command: Command) -> str:
    found = Args(command.arguments, "nlfks", _NAMED)
    if found.operands[:1] != ["delete"] or found.has("dry-run"):
        return ""
    kinds = found.operands[1:2]
    if found.has("all"):
        return "deletes all of them"
    if found.has("f", "filename", "k"):
        return "deletes all that the file names"
    kept = any(_KEEPS.match(kind) for one in kinds for kind in one.split(","))
    return "deletes what is not made anew by itself" if kept else ""


def _docker(command: Command) -> str:
    text = command.text
    if re.search(r"\b(system|volume|image|container|builder) prune\b", text):
        return "takes away images and volumes to go back to"
    if re.search(r"\bvolume rm\b", text):
        return "takes away the data in it"
    if re.search(r"\bcompose\b.*\bdown\b|^docker-compose\b.*\bdown\b", text) and re.search(
        r" (-v|--volumes|--rmi)\b", text
    ):
        return "takes away the volumes, and the data in them"
    return ""


def _rm(command: Command) -> str:
    found = Args(command.arguments)
    everything = {"/", "/*", "~", "~/", "~/*", ".", "./", "./*", "*", "$HOME", "..", ".*"}
    wide = [word for word in found.operands if word in everything]
    return "takes everything away" if wide and found.has("r", "R", "recursive") else ""


def _says(pattern: str, what: str) -> Callable[[Command], str]:
    def look(command: Command) -> str:
        return what if re.search(pattern, command.text) else ""

    return look


_TOOLS: dict[str, Callable[[Command], str]] = {
    "git": _git,
    **dict.fromkeys(("kubectl", "oc"), _kubectl),
    **dict.fromkeys(("docker", "docker-compose", "podman", "nerdctl"), _docker),
    "rm": _rm,
    "truncate": _says(r"(-s|--size)[ =]?0\b", "empties a file that may be evidence"),
    "shred": _says(r"", "destroys a file for good"),
    "wipefs": _says(r"(-a|--all)\b", "destroys a file system"),
    "dd": _says(r"\bof=/dev/(?!null|zero|stdout|stderr)", "overwrites a device"),
    "redis-cli": _says(r"(?i)\bflush(all|db)\b", "empties the store"),
    **dict.fromkeys(
        ("mongo", "mongosh"),
        _says(r"\bdropDatabase\(|\.drop\(|deleteMany\(\{\}\)", "destroys data"),
    ),
    "aws": _says(
        r"\bs3 (rm\b.*--recursive|rb\b.*--force)|\bdelete-(db|table|stack)\b", "destroys data"
    ),
    "gsutil": _says(r"\brm\b.* -[rR]\b|\brb\b", "destroys data"),
    "terraform": _says(r"\bdestroy\b", "destroys the environment"),
    "helm": _says(r"^helm (uninstall|delete)\b", "takes away the release, and the way back to it"),
    "kafka-topics.sh": _says(r"--delete\b", "destroys data"),
    "kafka-topics": _says(r"--delete\b", "destroys data"),
    "journalctl": _says(r"--vacuum", "throws evidence away"),
    **dict.fromkeys(("mkfs", "mkfs.ext4", "mkfs.xfs"), _says(r"", "destroys a file system")),
}
