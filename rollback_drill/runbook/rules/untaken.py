"""Commands that stand there and are never run: shown, guarded by what is never true, or taken from
a place of the script's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.runbook.rules.lost import MATTERS, searchable
from rollback_drill.runbook.shell import Command, Script
from rollback_drill.runbook.shell.model import NOWHERE

_WORD = r"(?:\"[^\"$`]*\"|'[^']*'|[\w.-]+)"  # nothing that a shell would put something in for
_NEVER = re.compile(
    r"(?:^|[\s;&|])(?:test|\[\[?)\s+(?P<asks>[^\n;&|\]]*?)\s*(?:\]\]?)?\s*(?=[;&|\n]|$)"
)
_PAIR = re.compile(rf"({_WORD})\s+(={{1,2}}|!=|-eq|-ne)\s+({_WORD})")
_ONE = re.compile(rf"(?:(-n|-z)\s+)?({_WORD})")
_EMPTY_LOOPS = (
    (re.compile(r"\buntil\s+(?:true|:)\s*[;\n]"), "'until true' is never entered"),
    (
        re.compile(rf"\bdone\s*<\s*{NOWHERE}\b"),
        f"a loop over {NOWHERE} has nothing to go through",
    ),
)
_ONLY_PRINTED = re.compile(
    rf"^\s*(?:[^\n;&|'\"]*\|\s*xargs\s+(?:-\S+\s+)*)?(?:echo|printf)\s+(?P<it>{MATTERS})$",
    re.MULTILINE,
)
_PATH = re.compile(r"(?:^|[\s;])PATH=[\"']?(?P<first>[^:\s\"';]*)(?P<rest>[^\s\"';]*)")
_ANYBODYS = re.compile(
    r"\.{0,2}$|\./|/tmp\b|/var/tmp\b|/dev/shm\b|\$\(mktemp|\$\{?\w*(?:tmp|stub|fake|mock)", re.I
)
_HELP = ("alembic", "systemctl", "supervisorctl", "pg_restore", "git", "uv")


def untaken(script: Script) -> Iterator[tuple[int, str]]:
    """Yield the lines of what is never run though it stands there, and why."""
    text = searchable(script)
    first = min((one.line for one in script.commands), default=1)
    names = {one.name for one in script.commands}
    for command in script.commands:
        if command.name == "true" and command.arguments:
            yield command.line, f"{command.text[:60]!r} does nothing, and always succeeds"
        if command.name in _HELP and "--help" in command.arguments[1:]:
            yield command.line, f"{command.text[:60]!r} only says how it is called"
        if _is_only_shown(command):
            yield command.line, "commands are shown here, and nobody runs them"
    for found in _ONLY_PRINTED.finditer(text):
        name = next(one for one in found["it"].split() if one != "sudo").rpartition("/")[2]
        if name not in names:
            yield _line(script, found.start("it"), first), f"{found['it'][:60]!r} is only printed"
    for pattern, why in _EMPTY_LOOPS:
        for found in pattern.finditer(text):
            yield _line(script, found.start(), first), why
    for found in _NEVER.finditer(text):
        if _is_never_true(found["asks"]):
            yield _line(script, found.start("asks"), first), f"{found['asks']!r} is never true"
    for found in _PATH.finditer(text):
        taken_away = "PATH" not in found["rest"] and "PATH" not in found["first"]
        if taken_away and "/bin" not in found["first"] + found["rest"]:
            yield _line(script, found.start("first"), first), "programs are looked for nowhere else"
        elif _ANYBODYS.match(found["first"]) and found["rest"]:
            where = found["first"] or "the folder where it happens to be"
            yield _line(script, found.start("first"), first), f"programs are taken from {where}"


def _line(script: Script, at: int, first: int) -> int:
    """Return about which line of the document this is: scripts know those of commands alone."""
    above = searchable(script).count("\n", 0, at)
    lines = sorted({one.line for one in script.commands})
    return next((one for one in reversed(lines) if one <= first + above), first)


def _is_only_shown(command: Command) -> bool:
    if command.name != "cat" or command.context.readers or command.arguments:
        return False
    kept = any(one.operator.startswith(">") and one.target != NOWHERE for one in command.redirects)
    return not kept and any(
        re.search(rf"^\s*{MATTERS}", one.body, re.MULTILINE) for one in command.bodies
    )


def _is_never_true(asks: str) -> bool:
    """Whether a test of constants alone says no."""
    pair, one = _PAIR.fullmatch(asks), _ONE.fullmatch(asks)
    if pair:
        left, how, right = (part.strip("\"'") for part in pair.groups())
        return (left == right) is (how in ("!=", "-ne"))
    if one:
        return (one[2].strip("\"'") == "") is (one[1] != "-z")
    return False
