"""Statuses that get lost between a command and its shell, though nothing says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.runbook.shell import Script

# What a step is for, by its words: others may fail, or only look.
_MATTERS = (
    r"(?:(?:(?:sha\d*|md5|b2)sum\b[^\n;|&)]*?(?:--check\b|\s-c\b)|pg_(?:dump|restore)\b(?!\s+-l\b)"
    r"|(?:\S*/)?alembic\s+(?:up|down)grade\b|uv\s+sync\b|git\s+(?:checkout|push|fetch|reset)\b"
    r"|(?:sudo\s+)?(?:systemctl|supervisorctl|service)\b[^\n;|&)]*?\s(?:re)?(?:start|stop)\b)"
    r"[^\n;|&)]*)"
)
_TELLS = r"(?:(?:echo|printf|true|:)\b[^\n;&|]*|true|:)"
_ONLY_TELLS = rf"(?:\s*(?:{_TELLS}|else|\bthen\b)\s*[;\n]?)*\s*"
_LOST: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(rf"^\s*!\s+(?P<it>{_MATTERS})$", re.MULTILINE),
        "'!' before a command: its failure is success, and its success ends nothing",
    ),
    (
        re.compile(
            rf"^\s*(?:echo|printf|export|local|readonly|declare)\b[^\n;|]*\$\(\s*(?P<it>{_MATTERS})\)",
            re.MULTILINE,
        ),
        "within another command's words: that one's status counts",
    ),
    (re.compile(rf"<\(\s*(?P<it>{_MATTERS})\)"), "beside whoever reads what it says"),
    (
        re.compile(rf"\bif\s+(?:!\s+)?(?P<it>{_MATTERS})\s*[;\n]\s*then\b{_ONLY_TELLS}\bfi\b"),
        "whichever way it ends, something is told and no more",
    ),
    (
        re.compile(rf"^\s*(?P<it>{_MATTERS})&&\s*{_TELLS}$(?=\s*\n\s*[^\s#])", re.MULTILINE),
        "left of '&&': where it fails, the script goes on",
    ),
)


def lost(script: Script) -> Iterator[tuple[int, str]]:
    """Yield the lines of commands that matter and whose status nobody gets, and why."""
    for pattern, why in _LOST:
        for found in pattern.finditer(script.text):
            words = found["it"].split()
            yield _line_of(script, words), f"the status of {' '.join(words[:3])!r} is lost: {why}"


def _line_of(script: Script, words: list[str]) -> int:
    """Return the line of the command with these words, in its document."""
    name = next(one for one in words if one != "sudo").rpartition("/")[2]
    lines = [one.line for one in script.commands if one.name == name]
    return lines[0] if lines else min((one.line for one in script.commands), default=1)
