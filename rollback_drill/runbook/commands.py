"""Which of the blocks below a heading are commands, and why the others are not performed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import replace

from rollback_drill.runbook.blocks import SESSIONS, SHELL_LANGUAGES, code_block
from rollback_drill.runbook.model import Alternative, CodeBlock, Template
from rollback_drill.runbook.outline import Fence, Section
from rollback_drill.runbook.sessions import holds_command, plainly_shell, without_prompts
from rollback_drill.runbook.text import SEPARATORS
from rollback_drill.runbook.titles import OPTION, bare

_OUTPUT = {"text", "txt", "plain", "plaintext", "output", "out", "log", "none"}
_LETTERS = {"slack", "email", "mail", "eml", "message", "markdown", "md"}
_SHOWS = re.compile(
    r"output|expect|should|shows?\b|returns?\b|prints?\b|looks? like|response|result", re.IGNORECASE
)
_MESSAGE = re.compile(
    r"template|message|communicat|e-?mail|slack|status ?page|announce|notif|customer|post-?mortem|"
    r"root cause|ticket|update",
    re.IGNORECASE,
)
_IF_IT_FAILED = re.compile(
    r"^\s*#\s*(?:fall-?back|plan b\b|"
    r"if (?:this|that|it|the above|the \w+) (?:fail|does|did|is not))",
    re.IGNORECASE,
)
_EMPTY = "it is empty: what stands at the fence of a block is not performed"
_FOR_CODE = re.compile(r"[^a-z0-9+#_-]")


def language(fence: Fence) -> str:
    """Return the language that a fence names, in lower case; "" without one."""
    words = fence.info.lower().split()
    return _FOR_CODE.sub("", words[0].split(",")[0]) if words else ""


def not_commands(fence: Fence) -> str | None:
    """Return why nobody performs `fence`, though it stands where commands are performed.

    None: they are performed. "": it shows something, and is not meant to be performed.
    """
    name, others = language(fence), fence.info.split()[1:]
    if not fence.closed:
        return "its fence is not closed, so that what is below it belongs to it"
    if "example" in map(str.lower, others):
        return ""
    if not fence.content.strip():
        return _EMPTY if others or name not in ("", *_OUTPUT, *_LETTERS) else ""
    if plainly_shell(" ".join(others)):
        return "a command stands at its fence, where nobody performs it"
    if fence.doubt:
        return f"it stands under “{fence.doubt}”: is it to be performed?"
    typed = without_prompts(fence.content)
    if name in SHELL_LANGUAGES:
        return _not_shell(fence)
    if name in SESSIONS or not name:
        if typed != fence.content:
            return None if holds_command(typed) else "it holds no command"
        if plainly_shell(fence.content):
            return _not_shell(fence)
        if _shows(fence):
            return ""
        what = "has no prompt" if name else "names no language"
        return f"the block {what}, and is not plainly one of commands: name it `bash` or `text`"
    if name in _OUTPUT:
        return "" if not plainly_shell(fence.content) else f"commands in a block of `{name}`"
    return f"nobody performs a block of `{name}`; one that only shows something is `{name} example`"


def _not_shell(fence: Fence) -> str | None:
    if SEPARATORS.search(fence.content):
        return "it holds control characters that no command has"
    if not holds_command(fence.content):
        return "it holds comments and no command"
    lines = fence.content.split("\n")
    for number, line in enumerate(lines):
        if _IF_IT_FAILED.match(line) and holds_command("\n".join(lines[number + 1 :])):
            return (
                f"“{line.strip()}” stands within the block: put what is only done then into a "
                "block of its own, below a bold line that says so"
            )
    return None


def _shows(fence: Fence) -> bool:
    return bool(_SHOWS.search(fence.label))


def commands(sections: Iterable[Section]) -> tuple[CodeBlock, ...]:
    """Return the blocks of commands in `sections`, options that stand in blocks of their own as
    alternatives of one.
    """
    fences = [one for section in sections for one in section.fences if not_commands(one) is None]
    found: list[CodeBlock] = []
    for option, together in itertools.groupby(fences, key=lambda one: bool(one.option)):
        if option:
            found += _options(list(together))
        else:
            found += [_block(one) for one in together]
    return tuple(found)


def split_options(sections: Iterable[Section]) -> dict[int, str]:
    """Return, by line, why blocks of options are not performed."""
    fences = [one for section in sections for one in section.fences if not_commands(one) is None]
    taken = {line for block in commands(sections) for line in lines_of_block(block)}
    return {
        one.line: f"it is one of several ways (“{one.option}”), which are not one block each"
        for one in fences
        if one.option and one.first_line not in taken
    }


def lines_of_block(block: CodeBlock) -> set[int]:
    """Return the first lines of the commands of `block`, and its own line."""
    return {block.line, *(one.line for one in block.alternatives)}


def _options(fences: list[Fence]) -> list[CodeBlock]:
    titles = [one.option for one in fences]
    if len(set(titles)) != len(titles) or len(titles) < 2:
        return []
    ways: list[Alternative] = []
    for fence in fences:
        match = OPTION.match(bare(fence.option))
        label = match["label"] if match else ""
        block = _block(fence)
        if len(block.alternatives) != 1:
            return []
        ways.append(replace(block.alternatives[0], label=label.strip(" :") or fence.option))
    first = _block(fences[0])
    return [replace(first, alternatives=tuple(ways), in_order=True)]


def _block(fence: Fence) -> CodeBlock:
    return code_block(fence.content, fence.line, fence.first_line, fence.info, fence.fallback)


def template(fence: Fence, titles: Iterable[str]) -> Template | None:
    """Return the message or document that `fence` gives, under the headings `titles` (the nearest
    last), None when it is none.
    """
    name, above = language(fence), list(titles)
    if not fence.closed or (not name and plainly_shell(fence.content)):
        return None
    says = _MESSAGE.search(" ".join([*above, fence.label]))
    if name in _LETTERS or (name in ("", "html", *_OUTPUT) and says):
        title = fence.label or (above[-1] if above else "")
        return Template(title, fence.content, fence.line)
    return None
