"""Statuses that get lost between a command and its shell, though nothing says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.runbook.shell import Script

# What a step is for, by its words: others may fail, or only look.
MATTERS = (
    r"(?:(?:(?:sha\d*|md5|b2)sum\b[^\n;|&)]*?(?:--check\b|\s-c\b)|pg_(?:dump|restore)\b(?!\s+-l\b)"
    r"|(?:\S*/)?alembic\s+(?:up|down)grade\b|uv\s+sync\b|git\s+(?:checkout|push|fetch|reset)\b"
    r"|(?:sudo\s+)?(?:systemctl|supervisorctl|service)\b[^\n;|&)]*?\s(?:re)?(?:start|stop)\b)"
    r"[^\n;|&)]*)"
)
_TELLS = r"(?:(?:echo|printf|true|:)\b[^\n;&|]*|true|:)"
_ONLY_TELLS = rf"(?:\s*(?:{_TELLS}|else|\bthen\b)\s*[;\n]?)*\s*"
_TOLD_SO = r"(?:(?:echo|printf|logger|date|sleep|true|:)(?:[ \t](?:[^\n;&|]|>&2)*)?)"
_TELLS_SO = (
    rf"\s*(?:(?:date|sleep|logger)\b(?:[^\n;&|]|>&2)*|(?:echo|printf)\b[^\n;&|]*>&2"
    rf"|[{{(]\s*{_TOLD_SO}(?:\s*[;\n]\s*{_TOLD_SO})*\s*[;\n]?\s*[}})])"
)
_PLAIN = r"[^\n#'\"]*?"  # no quotation, and no comment, begins before it
_LONGEST = 1_000  # characters of a line
_LOST: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"^\s*!\s+(?P<it>{MATTERS})$", re.MULTILINE),
        "'!' before a command: its failure is success, and its success ends nothing",
    ),
    (
        re.compile(
            r"(?:^\s*|[;&|]\s*)(?:echo|printf|export|local|readonly|declare|:|true|test|\[\[?|case)"
            rf"(?=[\s\"])[^\n;|]*\$\(\s*(?P<it>{MATTERS})\)",
            re.MULTILINE,
        ),
        "within another command's words: that one's status counts",
    ),
    (re.compile(rf"<\(\s*(?P<it>{MATTERS})\)"), "beside whoever reads what it says"),
    (
        re.compile(rf"\bif\s+(?:!\s+)?(?P<it>{MATTERS})\s*[;\n]\s*then\b{_ONLY_TELLS}\bfi\b"),
        "whichever way it ends, something is told and no more",
    ),
    (
        re.compile(rf"^\s*(?P<it>{MATTERS})&&\s*{_TELLS}$(?=\s*\n\s*[^\s#])", re.MULTILINE),
        "left of '&&': where it fails, the script goes on",
    ),
    (
        re.compile(
            rf"\b(?:while\s+!|until)\s+(?P<it>{MATTERS})\s*[;\n]\s*do\b{_ONLY_TELLS}\bbreak\b"
        ),
        "it is tried once, and the loop is left whichever way it ends",
    ),
    (
        re.compile(rf"^{_PLAIN}(?P<it>{MATTERS})&&[^\n|]*\|\|\s*(?:true|:)\s*$", re.MULTILINE),
        "whichever way it ends, that is a success",
    ),
    (
        re.compile(rf"^{_PLAIN}(?P<it>{MATTERS})\|\|{_TELLS_SO}\s*$", re.MULTILINE),
        "where it fails, something is told and the script goes on",
    ),
    (
        re.compile(
            rf"^{_PLAIN}(?P<it>{MATTERS})\|\|\s*(?:\[\[?|test)\s+\"?\$\?[^\n]*$", re.MULTILINE
        ),
        "of some of its failures a success is made",
    ),
    (
        re.compile(
            rf"^{_PLAIN}(?P<it>{MATTERS})\|\|\s*(?:continue|break)\s*[;\n]\s*done\b", re.MULTILINE
        ),
        "the loop goes on without it",
    ),
    (
        re.compile(
            rf"^{_PLAIN}(?P<it>{MATTERS})\|\|\s*(?P<kept>\w+)=\S+[ \t]*$"
            r"(?![\s\S]*\$\{?(?P=kept)\b)",
            re.MULTILINE,
        ),
        "it is kept, and nobody asks for it",
    ),
)
_ASKED_LATER = re.compile(r"\b(?:is-active|is-failed|status|show)\b")
_BESIDE = re.compile(
    r"^\s*(?P<it>(?:sudo\s+)?systemctl\b(?=[^\n;|&]*\s--no-block\b)[^\n;|&]*\s(?:re)?(?:start|stop)\b"
    r"[^\n;|&]*|(?:at\s+now|batch)\b[^\n]*)",
    re.MULTILINE,
)
# In a shell of its own what fails ends nothing: it does not take over `set -e`.
_OWN_SHELL = re.compile(
    r"(?:\bssh\s(?![^\n'\"]*sh\s+-\w*e)[^\n;|&'\"<]*|\b(?:ba|da|z)?sh\s+(?:-[a-z]+\s+)*-(?!\w*e)\w*c\s+)"
    r"(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\")"
    r"|(?:\bssh\s|\b(?:ba|da|z)?sh\b)(?![^\n]*sh\s+-\w*e)(?!\s+-\w*e)[^\n;|&]*<<-?\s*['\"]?(?P<end>\w+)['\"]?[^\n]*\n"
    r"(?P<here>.*?)\n\s*(?P=end)\s*$"
    r"|\w=\"?\$\((?P<value>[^()]*)\)",
    re.DOTALL | re.MULTILINE,
)
_FUNCTION = re.compile(
    r"^[ \t]*(?:function\s+)?(?P<name>[\w-]+)\s*(?:\(\s*\))?\s*\{(?P<body>.*?)(?:[;\n]\s*\})",
    re.DOTALL | re.MULTILINE,
)
_ASKED = (
    r"(?:\b(?:if|elif|while|until)\s+(?:!\s+)?|^\s*!\s+){0}\b"
    r"|^\s*{0}(?![\w-]|\s*\()[^\n;|&]*(?:\|\||&&)"
)
_ENDS_ITSELF = re.compile(r"\bset\s+-\w*e|\bset\s+-o\s+errexit|\btrap\b|\$\?")


def searchable(script: Script) -> str:
    """Return its text but for lines that nobody writes, whose search would take too long."""
    return "\n".join(one if len(one) <= _LONGEST else "" for one in script.text.split("\n"))


def lost(script: Script) -> Iterator[tuple[int, str]]:
    """Yield the lines of commands that matter and whose status nobody gets, and why."""
    text = searchable(script)
    for pattern, why in _LOST:
        for found in pattern.finditer(text):
            words = found["it"].split()
            yield _line_of(script, words), _told(words, why)
    if not _ASKED_LATER.search(text):
        for found in _BESIDE.finditer(text):
            words = found["it"].split()
            yield _line_of(script, words), _told(words, "it goes on beside, and nobody asks for it")
    for found in _OWN_SHELL.finditer(text):
        body = next(
            one
            for one in (*found.group("single", "double", "here", "value"), "")
            if one is not None
        )
        yield from _passed_over(script, body, "a shell of its own goes on after it: `set -e` there")
    for found in _FUNCTION.finditer(text):
        if re.search(_ASKED.format(re.escape(found["name"])), text, re.MULTILINE):
            why = f"where {found['name']!r} is asked for its status, nothing in it ends it"
            yield from _passed_over(script, found["body"], why)


def _passed_over(script: Script, body: str, why: str) -> Iterator[tuple[int, str]]:
    """Yield the commands of `body` that matter and behind which others stand."""
    if _ENDS_ITSELF.search(body):
        return
    statements = [one.strip() for one in re.split(r"[;\n]", body)]
    statements = [one for one in statements if one and not one.startswith("#")]
    for one in statements[:-1]:
        if re.match(MATTERS, one) and not re.search(r"\|\||&&", one):
            yield _line_of(script, one.split()), _told(one.split(), why)


def _told(words: list[str], why: str) -> str:
    return f"the status of {' '.join(words[:3])!r} is lost: {why}"


def _line_of(script: Script, words: list[str]) -> int:
    """Return the line of the command with these words, in its document."""
    name = next(one for one in words if one != "sudo").rpartition("/")[2]
    lines = [one.line for one in script.commands if one.name == name]
    return lines[0] if lines else min((one.line for one in script.commands), default=1)
