"""Commands that never return by themselves: nothing after them runs.

A command is left alone when something else ends it: `timeout 60 …` around it, `… | head -n 5`
behind it, or `&`, with which the script goes on (whoever writes `&` has thought of that).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rollback_drill.runbook.lint import Said, rule_of_scripts
from rollback_drill.runbook.shell import Args, Command, Context, Loop, Script, Word

_ALWAYS = ("true", ":", "[ 1 ]", "test 1", "/bin/true", "((1))", "(( 1 ))", "[[ 1 ]]", "1")
_NEVER = ("false", "/bin/false", "[ 0 = 1 ]", "((0))", "(( 0 ))")
_KUBE = ("namespace", "context", "kubeconfig", "cluster", "container", "tail", "since", "output")
_COMPOSE = ("file", "project-name", "profile", "env-file", "project-directory", "ansi")


@rule_of_scripts(
    "never-returns", "high", "end it by itself, or within a stated time (`timeout 60 …`)"
)
def never_returns(script: Script) -> Said:
    """Commands that follow a log, serve, or repeat for ever."""
    for command in script.commands:
        if is_endless(command) and not is_ended(command.context):
            yield command.line, f"{_short(command)!r} never returns by itself"
    for loop in script.loops:
        if _goes_on(loop) and not loop.leaves and not is_ended(loop.context):
            words = f"{loop.kind} {loop.condition}".strip()
            yield loop.line, f"{words!r} never returns by itself"


def is_endless(command: Command) -> bool:
    """Whether `command` never returns by itself, whatever stands around it."""
    endless = _ENDLESS.get(command.name)
    return bool(endless and endless(command))


def is_ended(context: Context) -> bool:
    """Whether something outside of a command ends it, or lets the script go on meanwhile."""
    return (
        context.limited
        or context.background
        or context.aside
        or any(_stops_reading(reader) for reader in context.readers)
    )


def _stops_reading(words: tuple[Word, ...]) -> bool:
    """Whether a reader in a pipeline ends before its input does."""
    texts = [word.text for word in words]
    match texts[0].rpartition("/")[2]:
        case "head" | "timeout" | "read":
            return True
        case "grep" | "egrep" | "fgrep" | "zgrep" | "rg":
            return Args(texts[1:], "mABCef", ("max-count",)).has("m", "q", "max-count", "quiet")
        case "sed":
            return any(re.search(r"(^|[/;\d{$ ])q\d*\s*(}|;|$)", text) for text in texts[1:])
        case "awk" | "gawk" | "perl":
            return any("exit" in text for text in texts[1:])
    return False


def _goes_on(loop: Loop) -> bool:
    condition = loop.condition.strip().rstrip(";").strip()
    if loop.kind == "for":
        return loop.condition == ";;"
    match loop.kind:
        case "while":
            return condition in _ALWAYS
        case "until":
            return condition in _NEVER
    return False


def _short(command: Command) -> str:
    text = command.text
    return text if len(text) < 80 else text[:77] + "…"


def _args(command: Command, takes: str = "", long: tuple[str, ...] = ()) -> Args:
    return Args(command.arguments, takes, long)


def _always(_: Command) -> bool:
    return True


def _with(
    *options: str, takes: str = "", unless: tuple[str, ...] = ()
) -> Callable[[Command], bool]:
    """Return whether one of `options` is there, and none of `unless`."""

    def look(command: Command) -> bool:
        found = _args(command, takes)
        return found.has(*options) and not found.has(*unless)

    return look


def _without(*options: str, takes: str = "") -> Callable[[Command], bool]:
    """Return whether none of `options` is there."""

    def look(command: Command) -> bool:
        return not _args(command, takes).has(*options)

    return look


def _tail(command: Command) -> bool:
    # `tail --pid` ends with the process.
    found = _args(command, "ncs", ("lines", "bytes", "pid", "sleep-interval"))
    return found.has("f", "F", "follow") and not found.has("pid")


def _repeats(counts: int) -> Callable[[Command], bool]:
    """Return whether a sampler has an interval and no count: `vmstat 5` against `vmstat 5 3`."""

    def look(command: Command) -> bool:
        numbers = [word for word in command.arguments if re.fullmatch(r"\d+", word)]
        return 0 < len(numbers) < counts

    return look


def _kubectl(command: Command) -> bool:
    first = Args(command.arguments, "nsco", _KUBE)
    verb = first.operands[0] if first.operands else ""
    match verb:
        case "logs":
            return first.has("f", "follow")
        case "get" | "events":
            return first.has("w", "watch", "watch-only")
        case "port-forward" | "proxy" | "attach":
            return True
    return False


def _docker(command: Command) -> bool:
    words = list(command.arguments)
    if command.name != "docker-compose":
        outer = Args(words, "Hcl", ("host", "context", "config"), first=True).operands
        if outer[:1] == ["container"]:
            outer = outer[1:]
        if outer[:1] != ["compose"]:
            return _of_engine(outer)
        words = outer[1:]
    inner = Args(words, "fp", _COMPOSE, first=True).operands
    own = Args(inner[1:], "tn", ("tail", "since", "until", "scale", "timeout"))
    match inner[:1]:
        case ["up"]:
            ended = ("d", "detach", "wait", "abort-on-container-exit", "exit-code-from", "no-start")
            return not own.has(*ended)
        case ["logs"]:
            return own.has("f", "follow")
        case ["events" | "watch" | "attach"]:
            return True
    return False


def _of_engine(words: list[str]) -> bool:
    own = Args(words[1:], "n", ("tail", "since", "until", "filter", "format"))
    match words[:1]:
        case ["logs"]:
            return own.has("f", "follow")
        case ["service"]:
            return words[1:2] == ["logs"] and own.has("f", "follow")
        case ["stats"]:
            return not own.has("no-stream")
        case ["events"]:
            return not own.has("until")
        case ["attach"]:
            return True
    return False


def _words(*wanted: str, unless: str = "") -> Callable[[Command], bool]:
    """Return whether the command's text matches one of the patterns `wanted`, and not `unless`."""

    def look(command: Command) -> bool:
        text = " ".join(command.arguments)
        return any(re.search(one, text) for one in wanted) and not (
            unless and re.search(unless, text)
        )

    return look


def _cat(command: Command) -> bool:
    """Whether it waits for somebody to type."""
    operands = _args(command).operands
    return not command.is_fed and (not operands or operands == ["-"])


def _ssh(command: Command) -> bool:
    found = _args(command, "bcDEeFIiJLlmOopQRSWwB")
    return found.has("N") and not found.has("f")


def _runs_a_server(command: Command) -> bool:
    return bool(re.match(r"-m http\.server|\S*manage\.py runserver\b", " ".join(command.arguments)))


def _starts(command: Command) -> bool:
    return bool(re.match(r"(start|run (dev|start|serve))\b", " ".join(command.arguments)))


_CONTAINERS = dict.fromkeys(("docker", "docker-compose", "podman", "nerdctl"), _docker)
_ENDLESS: dict[str, Callable[[Command], bool]] = {
    **_CONTAINERS,
    "tail": _tail,
    "tailf": _always,
    "multitail": _always,
    "journalctl": _with("f", "follow", takes="unSUpotMDgTc"),
    "dmesg": _with("w", "W", "follow", "follow-new"),
    "watch": _always,
    "stern": _without("no-follow"),
    "kubetail": _always,
    "kubectl": _kubectl,
    "oc": _kubectl,
    "top": _without("n", "l", "v", "h", takes="ndpuUol"),
    "htop": _always,
    "atop": _always,
    "btop": _always,
    "k9s": _always,
    "iotop": _without("n", "iter", takes="ndpu"),
    "iftop": _without("s", "t"),
    "nload": _always,
    "tcpdump": _without("c", "G", "r", "D", takes="cirwsCGWE"),
    "ping": _without("c", "w", takes="cwiWstI"),
    "ping6": _without("c", "w", takes="cwiWstI"),
    "mtr": _without("c", "r", "w", "report", takes="ci"),
    "vmstat": _repeats(2),
    "iostat": _repeats(2),
    "mpstat": _repeats(2),
    "pidstat": _repeats(2),
    "sar": _repeats(2),
    "inotifywait": _with("m", "monitor"),
    "fswatch": _without("1", "one-event"),
    "yes": _always,
    "sleep": _words(r"^(infinity|inf)$"),
    "cat": _cat,
    "ssh": _ssh,
    "nc": _with("l", takes="pw"),
    "uvicorn": _without("version", "help"),
    "gunicorn": _without("D", "daemon", "check-config", "version", takes="bwkct"),
    "hypercorn": _always,
    "flask": _words(r"^(\S+ )*run\b"),
    "python": _runs_a_server,
    "python3": _runs_a_server,
    "manage.py": _words(r"^runserver\b"),
    "rails": _words(r"^(s|server)\b", unless=r"(^| )(-d|--daemon)\b"),
    "celery": _words(r"\bworker\b|\bbeat\b", unless=r"--detach\b|\binspect\b|\bcontrol\b"),
    "npm": _starts,
    "yarn": _starts,
    "nodemon": _always,
    "redis-cli": _words(r"(?i)(^| )(monitor|p?subscribe)\b|--(stat|latency)\b"),
    "pm2": _words(r"^logs?\b|^monit\b", unless=r"--nostream"),
    "supervisorctl": _words(r"\btail (\S+ )*-f\b|\bmaintail (\S+ )*-f\b|^fg\b| fg\b"),
    "heroku": _words(r"^logs\b.*(--tail|-t)\b", unless=r"--no-tail"),
    "fly": _words(r"^logs\b", unless=r"--no-tail"),
    "flyctl": _words(r"^logs\b", unless=r"--no-tail"),
    "aws": _words(r"^logs tail\b.*--follow\b"),
    "gcloud": _words(r"\blogs? tail\b|\blogging tail\b"),
    "az": _words(r"\blog tail\b|--follow\b"),
    "sam": _words(r"^logs\b.*(-t|--tail)\b"),
    "serverless": _words(r"^logs\b.*(-t|--tail)\b"),
    "vercel": _words(r"^logs\b.*(-f|--follow)\b"),
    "kafka-console-consumer": _without("max-messages", "timeout-ms"),
    "kafka-console-consumer.sh": _without("max-messages", "timeout-ms"),
}
