"""The scripts of a document, whether it can be drilled or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rollback_drill.runbook.blocks import SESSIONS, SHELL_LANGUAGES
from rollback_drill.runbook.commands import language, not_commands
from rollback_drill.runbook.model import CodeBlock
from rollback_drill.runbook.outline import Fence, outline
from rollback_drill.runbook.sessions import plainly_shell, typed_first, without_prompts
from rollback_drill.runbook.shell import Command, Context, Script, read_script
from rollback_drill.runbook.text import read_text, without_separators

_PIPEFAIL = re.compile(r"\bpipefail\b")
_NOUNSET = re.compile(r"\bset -\w*u|\bnounset\b")


def scripts_in(path: Path) -> tuple[Script, ...]:
    """Return the script of each block of commands in the file `path`, in order, performed or not.

    A document that says in its prose that commands are run under `set -euo pipefail` is believed.
    Raises UsageError when it cannot be read.
    """
    text = without_separators(read_text(path)[1])
    fences = [one for section in outline(text).walk() for one in section.fences]
    fences = [one for one in fences if _holds_commands(one)]
    prose = _without(text, fences)
    outside = Context(pipefail=bool(_PIPEFAIL.search(prose)), nounset=bool(_NOUNSET.search(prose)))
    return tuple(read_script(_typed(one), one.first_line, outside) for one in fences)


def _holds_commands(fence: Fence) -> bool:
    if "example" in fence.info.lower().split()[1:]:
        return False
    name = language(fence)
    prompted = name in SESSIONS and without_prompts(fence.content) != fence.content
    return (
        name in SHELL_LANGUAGES
        or prompted
        or not_commands(fence) is None
        or plainly_shell(fence.content)
    )


def _typed(fence: Fence) -> str:
    """Return what of `fence` is typed into a shell, line by line where it was."""
    name = language(fence)
    if not name or name in SESSIONS or typed_first(fence.content):
        return without_prompts(fence.content)
    return fence.content


def _without(text: str, fences: list[Fence]) -> str:
    """Return `text` without the lines of `fences`."""
    lines = text.split("\n")
    for fence in fences:
        for number in range(fence.line, min(fence.last_line, len(lines)) + 1):
            lines[number - 1] = ""
    return "\n".join(lines)


def commands_of(block: CodeBlock) -> Iterator[Command]:
    """Yield the commands of all alternatives of `block`."""
    for alternative in block.alternatives:
        yield from read_script(alternative.script, alternative.line).commands
