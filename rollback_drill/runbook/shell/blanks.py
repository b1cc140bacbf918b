"""Blanks such as `<version>`, which a shell takes for redirections: made words before it looks."""

from __future__ import annotations

import re

OPEN, CLOSE, SPACE = "‹", "›", "·"
"""What stands for `<`, `>` and blanks inside of a blank that was masked."""

# Behind a word or a slash it is no redirection; elsewhere `<in>out` is.
_INSIDE = r"([A-Za-z][^<>|&;()\n\"'`]*[^\s<>|&;()\"'`]|[A-Za-z])"
# Behind a word or a slash it is no redirection; elsewhere `<in>out` is one.
_ANGLES = re.compile(rf"<{_INSIDE}>(?![\w/$({{&=>])|(?<=[A-Za-z/:@=.-])<{_INSIDE}>")
_BRACES = re.compile(r"\{\{[^{}\n'\"]*\}\}")
_HEREDOC = re.compile(r"<<(?P<dash>-?)\s*(?P<quote>['\"\\]?)(?P<mark>\w+)")


def blanks_as_words(script: str) -> str:
    """Return `script` with each blank `<like this>` and `{{ this }}` as one word.

    Strings, comments and heredocs stay as they are; so does the number of lines.
    """
    out: list[str] = []
    marks: list[tuple[str, bool]] = []  # of heredocs that begin on the next line
    index, quote = 0, ""
    while index < len(script):
        here = script[index]
        taken = here
        if quote:
            if here == "\\" and quote == '"':
                taken = script[index : index + 2]
            elif here == quote:
                quote = ""
        elif here == "\\":
            taken = script[index : index + 2]
        elif here in "'\"":
            quote = here
        elif here == "#" and (index == 0 or script[index - 1] in " \t\n;(&|"):
            taken = script[index:].partition("\n")[0]
        elif here == "\n" and marks:
            taken = _bodies(script, index, marks)
            marks = []
        elif script.startswith("<<", index) and not script.startswith("<<<", index):
            match = _HEREDOC.match(script, index)
            if match:
                marks.append((match["mark"], bool(match["dash"])))
                taken = match.group()
        elif script.startswith("<<<", index):
            taken = "<<<"
        elif script.startswith("<>", index):  # opens for both; the grammar knows only one of them
            out.append(">>")
            index += 2
            continue
        elif here == "<" and (match := _ANGLES.match(script, index)):
            taken = match.group()
            out.append(OPEN + re.sub(r"\s", SPACE, match[1] or match[2]) + CLOSE)
            index += len(taken)
            continue
        elif here == "{" and (match := _BRACES.match(script, index)):
            taken = match.group()
            out.append(re.sub(r"\s", SPACE, taken))
            index += len(taken)
            continue
        out.append(taken)
        index += len(taken)
    return "".join(out)


def _bodies(script: str, start: int, marks: list[tuple[str, bool]]) -> str:
    """Return what stands from the line's end at `start` to the end of the heredocs `marks`."""
    end = start
    for mark, dashed in marks:
        while end < len(script):
            line = script[end + 1 :].partition("\n")[0]
            end += 1 + len(line)
            if (line.lstrip("\t") if dashed else line) == mark:
                break
    return script[start : min(end, len(script))]
