"""Splits a shell block into its alternatives.

A comment `# OR …` begins the next alternative; its label is what follows "OR" and "using". The
first alternative begins at a comment `# Using …`; lines before it are shared by all. Without such a
comment the first alternative begins with the block, and its label is the block's first comment.
A comment `# Then …`, `# Afterwards …` or `# Wait …` after an alternative ends it: that comment and
what follows it are shared by all.
"""

from __future__ import annotations

import re

from drill.runbook.model import Alternative, CodeBlock

SHELLS = {"bash", "sh", "shell", "console"}
_OR = re.compile(r"^\s*#\s*or\b[\s:,]*(?:using|use|with|by)?\s*(?P<label>.*)$", re.IGNORECASE)
_USING = re.compile(r"^\s*#\s*using\s+(?P<label>.*)$", re.IGNORECASE)
_THEN = re.compile(r"^\s*#\s*(then|afterwards|wait)\b", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*#\s*(?P<label>.*)$")


def code_block(content: str, line: int, info: str, fallback: str) -> CodeBlock:
    """Return the block whose fence stands in `line` (1-based) with the text `info`."""
    return CodeBlock(
        alternatives=_alternatives(content, line + 1),
        line=line,
        once="once" in info.split()[1:],
        fallback=fallback,
    )


def _alternatives(content: str, first_line: int) -> tuple[Alternative, ...]:
    lines = content.splitlines()
    starts: list[tuple[int, str]] = []
    for index, line in enumerate(lines):
        match = _OR.match(line) or (_USING.match(line) if not starts else None)
        if match:
            starts.append((index, match["label"].strip(" :")))
    if not any(_OR.match(lines[index]) for index, _ in starts):
        label = starts[0][1] if starts else ""
        return (Alternative(label, content.rstrip("\n"), first_line),)
    if _OR.match(lines[starts[0][0]]):
        head = next((m["label"] for m in map(_COMMENT.match, lines[: starts[0][0]]) if m), "")
        starts.insert(0, (0, head))
    end = len(lines)
    for index in range(starts[-1][0] + 1, len(lines)):
        if _THEN.match(lines[index]):
            end = index
            break
    prefix, suffix = lines[: starts[0][0]], lines[end:]
    ends = [*(index for index, _ in starts[1:]), end]
    return tuple(
        Alternative(
            label, "\n".join([*prefix, *lines[start:stop], *suffix]).strip("\n"), first_line + start
        )
        for (start, label), stop in zip(starts, ends, strict=True)
    )
