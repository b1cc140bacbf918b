"""Blanks left in commands, in all spellings: `<version>`, `{{VERSION}}`, `COMMIT_HASH`, `xxx`, `…`.

A variable is no blank: unset, it stops a script under `set -u`. What a command only prints is left
alone, what it writes into a file or sends to somebody is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.runbook.lint import Said, rule_of_scripts
from rollback_drill.runbook.shell import Command, Script
from rollback_drill.runbook.shell.blanks import CLOSE, OPEN, SPACE

# Words that, in capitals, stand for something to be put in their place.
_VOCABULARY = (
    "ACCOUNT|APP|ARN|BACKUP|BRANCH|BUCKET|BUILD|CLUSTER|COMMIT|CONTAINER|DATABASE|DATE|DB|DEPLOYMENT|"
    "DIGEST|DOMAIN|ENDPOINT|ENV|ENVIRONMENT|FILE|FILENAME|HASH|HOST|HOSTNAME|ID|IMAGE|INSTANCE|IP|"
    "KEY|MIGRATION|NAME|NAMESPACE|NODE|NUMBER|PASSWORD|PATH|POD|PORT|PROJECT|REGION|RELEASE|REPO|"
    "REVISION|SECRET|SERVER|SERVICE|SHA|STACK|TABLE|TAG|TASK|TIMESTAMP|TOKEN|URL|USER|USERNAME|UUID|"
    "VERSION|YYYYMMDD"
)
# A whole word or a part of a path; X-API-Key and ON_ERROR_STOP=1 are names of their own.
_CAPITALS = re.compile(
    rf"(?:^|(?<=[/:=@.])|(?<=[a-z0-9][_-]))(?:[A-Z0-9]+_)*(?:{_VOCABULARY})(?:_[A-Z0-9]+)*"
    r"(?=$|[/:.@]|[_-][a-z0-9])"
)
_DATES = re.compile(r"(?<![A-Za-z%])YYYY[-_.]?MM[-_.]?DD(?![A-Za-z])")
_ANY = re.compile(
    r"\b(?:TODO|FIXME|TBD|CHANGE_?ME|REPLACE[_-]?ME|INSERT[_-][A-Z_-]+[_-]HERE)\b"
    r"|\b(?:changeme|replace[_-]?me|insert[_-][a-z_-]+[_-]here)\b"
    r"|(?<![A-Za-z0-9])(?:YOUR|your)[_-]\w[\w-]*"
    r"|(?<![A-Za-z0-9])(?:X{3,}|x{3,})(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9.])v?(?:X\.Y(?:\.Z)?|x\.y(?:\.z)?|\d+\.x\.y)(?![A-Za-z0-9])"
    r"|(?<![\w%])(?:%[A-Z][A-Z_]{2,}%|__[A-Z][A-Z_]+?__|@@[A-Z_]+@@|#\{\w+\})"
    r"|:region:account|\barn:\.\.\.|:\.\.\.:|(?<!\w)_{3,}(?!\w)"
)
_BRACES = re.compile(r"\{\{[\s·]*(?P<name>[A-Za-z_][\w-]*)[\s·]*\}\}")
_OF_TEMPLATES = {"end", "else", "break", "continue", "json", "now"}
_ANGLES = re.compile(
    rf"{OPEN}(?P<name>[^{CLOSE}]+){CLOSE}|<(?P<quoted>[A-Za-z][\w .:-]*\w)>(?![\w(])"
)
_BRACKETS = re.compile(r"(?:(?<=\s)|(?<=[/:=@\"'])|^)\[[A-Za-z][A-Za-z _-]{2,}\](?=[\s\"'/:.@]|$)")
_DOTS = re.compile(r"(?:(?<=\s)|(?<=[=:])|^)(?:\.\.\.|…)(?=\s|$)")

# These only print, look into files that may be called so, or take the names of variables.
_PRINTERS = {"echo", "printf", "print", "logger"}
_NAMERS = {
    "export",
    "unset",
    "declare",
    "local",
    "readonly",
    "typeset",
    "read",
    "printenv",
    "env",
    "set",
    "getopts",
    "trap",
    "envsubst",
    "[",
    "test",
    "kill",
    "pkill",
    "killall",
    "vault",
}
_LOOKERS = {
    "cat",
    "head",
    "tail",
    "less",
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "sed",
    "awk",
    "wc",
    "ls",
    "cp",
    "mv",
    "rm",
    "tee",
    "touch",
    "stat",
    "jq",
    "yq",
    "source",
    ".",
    "make",
    "cut",
    "sort",
    "diff",
}
_NAMES_FOLLOW = re.compile(r"\b(?:config|config:\w+|secrets?|env|variables?|vars|parameters?)\b")
_HTML = {
    "a",
    "b",
    "body",
    "br",
    "code",
    "div",
    "em",
    "h1",
    "h2",
    "head",
    "html",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "table",
    "td",
    "th",
    "title",
    "tr",
    "ul",
}


@rule_of_scripts(
    "placeholder", "high", "use a variable that is set beforehand, and fails when it is not"
)
def placeholders(script: Script) -> Said:
    """Blanks left in commands, and in the texts that they write."""
    for command in (*script.commands, *script.carriers):
        for line, found in _in_command(command):
            yield line, f"{found!r} is a blank that nobody has filled in"
    for value in script.values:
        blank = _first(value.text) or _matched(_BRACKETS, value.text) or _capitals_alone(value.text)
        if blank:
            yield value.line, f"{blank!r} is a blank that nobody has filled in"


def _matched(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match.group() if match else ""


def _capitals_alone(text: str) -> str:
    """Return a whole value such as COMMIT_HASH, "" for any other."""
    return text if _capitals(text) == text and "_" in text else ""


def _in_command(command: Command) -> Iterator[tuple[int, str]]:
    written = any(r.operator.startswith(">") and r.target[:2] != "/d" for r in command.redirects)
    if command.name in _PRINTERS:
        if written or command.context.readers:
            yield from _in_text(command.text, command.line)
    else:
        yield from _in_words(command)
    for redirect in command.redirects:
        if redirect.target and not redirect.operator.startswith("<<"):
            found = _capitals(redirect.target) or _first(redirect.target)
            if found:
                yield redirect.line, found
    for body in command.bodies:
        for offset, text in enumerate(body.body.splitlines()):
            if not re.fullmatch(r"\s*\[[^]]*\]\s*|.*[:=]\s*\[.*\]\s*|\s*-\s*\[.\].*", text):
                yield from _in_text(text, body.line + offset)


def _in_words(command: Command) -> Iterator[tuple[int, str]]:
    if re.fullmatch(rf"(?:[A-Z]+_)*(?:{_VOCABULARY})", command.name):
        yield command.line, f"$({command.name})"
    for word in command.words:
        found = _first(word.text) or (_DATES.search(word.text) if " " not in word.text else None)
        if found:
            yield word.line, found if isinstance(found, str) else found.group()
    if command.name not in ("[", "test", "find", "ls", "sed", "grep", "tr", "awk", "jq"):
        joined = " ".join(word.text for word in command.words if not word.quoted)
        for pattern in (_BRACKETS, _DOTS):
            match = pattern.search(joined)
            if match:
                yield command.line, match.group()
    if command.name not in _NAMERS | _PRINTERS:
        yield from _in_capitals(command)


def _in_capitals(command: Command) -> Iterator[tuple[int, str]]:
    """Yield words such as COMMIT_HASH, where no name of a variable, file or query is meant."""
    if _NAMES_FOLLOW.search(command.text):
        return
    behind_dashes = False
    before = ""
    for word in command.words[1:]:
        found = _capitals(word.text)
        single = found == word.text.rpartition("/")[2] and "_" not in found
        named = before in ("-e", "--env", "-v", "--var", "-A") or before.startswith("--env")
        file = single and (command.name in _LOOKERS or behind_dashes)
        if found and not named and not file and not re.search(r"[\s(*]", word.text):
            yield word.line, found
        behind_dashes = behind_dashes or word.text == "--"
        before = word.text


def _capitals(text: str) -> str:
    """Return the first word in capitals that stands for something else, "" for none."""
    plain = re.sub(r"\$\{[^}]*\}|\$\w+|\$\([^)]*\)|https?://\S+\?\S*", "", text)
    if plain.startswith("-") and "=" not in plain:
        return ""
    match = _CAPITALS.search(plain)
    return match.group() if match else ""


def _in_text(text: str, line: int) -> Iterator[tuple[int, str]]:
    """Yield blanks in a text for people."""
    found = _first(text) or _matched(_BRACKETS, text)
    if found:
        yield line, found


def _first(text: str) -> str:
    """Return the first blank in `text` that cannot be meant otherwise, "" for none."""
    match = _ANY.search(text)
    if match and not text.startswith("s/"):
        return match.group()
    for match in _BRACES.finditer(text):
        if match["name"] not in _OF_TEMPLATES:
            return match.group().replace(SPACE, " ")
    for match in _ANGLES.finditer(text):
        name = match["name"] or match["quoted"]
        if match["name"] or (name.lower() not in _HTML and f"</{name}>" not in text):
            return f"<{name.replace(SPACE, ' ')}>"
    return ""
