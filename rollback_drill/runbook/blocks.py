"""Splits a shell block into its alternatives.

A comment `# OR …` begins the next alternative; its label is what follows "OR" and "using". The
first alternative begins at a comment `# Using …`; lines before it are shared by all. Without such a
comment the first alternative begins with the block, and its label is the block's first comment.
Comments `# Option A: …`, `# Option B: …` (or Method, Variant) begin alternatives of which the first
is taken unless another one's label names what the stage knows.
A comment `# Then …`, `# Afterwards …` or `# Wait …` after an alternative ends it: that comment and
what follows it are shared by all.
"""

from __future__ import annotations

import re

from rollback_drill.runbook.model import Alternative, CodeBlock
from rollback_drill.runbook.sessions import typed_first, without_prompts

SHELL_LANGUAGES = {"bash", "sh", "shell", "zsh", "ksh", "dash", "azurecli", "azurecli-interactive"}
SESSIONS = {"console", "shell-session", "shellsession", "sh-session", "bash-session", "terminal"}
_OR = re.compile(r"^\s*#\s*or\b[\s:,]*(?:using|use|with|by)?\s*(?P<label>.*)$", re.IGNORECASE)
_OPTION = re.compile(
    r"^\s*#+\s*(?:option|method|variant|alternative)\s+(?:[a-z]|\d{1,2})\b[\s:.)–—-]*(?P<label>.*)$",
    re.IGNORECASE,
)
_USING = re.compile(r"^\s*#\s*using\s+(?P<label>.*)$", re.IGNORECASE)
_THEN = re.compile(r"^\s*#\s*(then|afterwards|wait)\b", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*#\s*(?P<label>.*)$")


def code_block(content: str, line: int, first_line: int, info: str, fallback: str) -> CodeBlock:
    """Return the block in `line` (1-based), whose `content` begins in `first_line`.

    `info`: the text at its fence. Prompts are taken off.
    """
    words = info.lower().split()
    if not words or words[0] in SESSIONS or typed_first(content):
        content = without_prompts(content)
    options = sum(bool(_OPTION.match(one)) for one in content.split("\n")) > 1
    return CodeBlock(
        alternatives=_alternatives(content, first_line, options=options),
        line=line,
        once="once" in words[1:],
        fallback=fallback,
        in_order=options,
    )


def _alternatives(content: str, first_line: int, *, options: bool) -> tuple[Alternative, ...]:
    lines = content.split("\n")
    begins = _OPTION if options else _OR
    starts: list[tuple[int, str]] = []
    for index, line in enumerate(lines):
        match = begins.match(line) or (_USING.match(line) if not starts and not options else None)
        if match:
            starts.append((index, match["label"].strip(" :")))
    if not any(begins.match(lines[index]) for index, _ in starts):
        label = starts[0][1] if starts else ""
        return (Alternative(label, content.rstrip("\n"), first_line),)
    if not options and _OR.match(lines[starts[0][0]]):
        head = next((m["label"] for m in map(_COMMENT.match, lines[: starts[0][0]]) if m), "")
        starts.insert(0, (0, head))
    last = starts[-1][0]
    end = next((i for i in range(last + 1, len(lines)) if _THEN.match(lines[i])), len(lines))
    prefix, suffix = lines[: starts[0][0]], lines[end:]
    ends = [*(index for index, _ in starts[1:]), end]
    return tuple(
        Alternative(
            label, "\n".join([*prefix, *lines[start:stop], *suffix]).strip("\n"), first_line + start
        )
        for (start, label), stop in zip(starts, ends, strict=True)
    )
