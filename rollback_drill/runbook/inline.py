"""The text of a paragraph, an item or a cell, line by line and without its markup."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rollback_drill.runbook.text import plain_spaces

_MOST_LETTERS = 4_000  # what is longer, or more deeply nested, is taken as it stands
LONGEST_ITEM = 1_000
"""Letters of a box or an item that are looked at."""
_MOST_BRACKETS = 200
_MARKUP = re.compile(r"[*_`\[\]<&\\!]")
_READER = MarkdownIt("commonmark")
_BOX = re.compile(
    r"(?:[-*+•–—] ?)?(?:\[(?: {0,3}|[xX✓✔✗✘])\](?![:(])|[☐☑☒□▢⬜🔲🗹])\s*(?P<text>.*)$", re.DOTALL
)
_TICK = re.compile(r"[✅✔❌]\ufe0f? ?\w")
_BEGINS = re.compile(
    r"(?:use when|time estimate|estimated (?:time|duration)|dropped on purpose|transformed)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a document. `label`: it begins with bold words that name what follows; `whole`:
    it consists of them.
    """

    number: int
    plain: str
    label: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together: a box and what goes on behind it, a label, or a text."""

    line: int
    plain: str
    label: bool
    whole: bool
    box: str | None


def plain_of(content: str) -> str:
    """Return inline text without markup, as one line."""
    return " ".join(one.plain for one in _lines_of(content, 1)).strip()


def clipped(text: str) -> str:
    """Return the beginning of what a box or an item says: nobody looks through more than that."""
    return text if len(text) <= LONGEST_ITEM else text[:LONGEST_ITEM] + "…"


def box_of(plain: str) -> str | None:
    """Return what stands behind the box that a text begins with, None without a box."""
    match = _BOX.match(plain)
    return match["text"].strip() if match else None


def groups_of(content: str, first_line: int) -> list[Group]:
    """Return the lines of inline text in groups: a box, a label or a keyword begins another one."""
    groups: list[Group] = []
    for line in _lines_of(content, first_line):
        box = box_of(line.plain)
        last = groups[-1] if groups else None
        begins = box is not None or line.label or _BEGINS.match(line.plain)
        begins = begins or _TICK.match(line.plain)
        if last is None or begins or last.whole:
            groups.append(Group(line.number, line.plain, line.label, line.whole, box))
            continue
        more = f"{last.plain} {line.plain}"
        longer = None if last.box is None else f"{last.box} {line.plain}"
        groups[-1] = Group(last.line, more, last.label, last.whole, longer)
    return groups


def _lines_of(content: str, first_line: int) -> list[Line]:
    nested = content.count("[") + content.count("<") > _MOST_BRACKETS
    if nested or len(content) > _MOST_LETTERS or not _MARKUP.search(content):
        raw = content.split("\n")
        return [Line(first_line + n, plain_spaces(one).strip()) for n, one in enumerate(raw)]
    children = _READER.parseInline(content)[0].children or []
    lines: list[list[Token]] = [[]]
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            lines.append([])
        elif child.content or child.type not in ("text", "text_special"):
            lines[-1].append(child)
    return [_line(tokens, first_line + number) for number, tokens in enumerate(lines)]


def _line(tokens: list[Token], number: int) -> Line:
    plain = _plain(tokens)
    closed = next((i for i, one in enumerate(tokens) if one.type == "strong_close"), None)
    if closed is None or tokens[0].type != "strong_open":
        return Line(number, plain)
    rest = _plain(tokens[closed + 1 :])
    ends = _plain(tokens[:closed]).endswith(":")
    label = ends or not rest or rest[0] in ":([—–-"
    return Line(number, plain, label, label and rest in ("", ":"))


def _plain(tokens: list[Token]) -> str:
    kept = ("text", "text_special", "code_inline", "image")
    return plain_spaces("".join(one.content for one in tokens if one.type in kept)).strip()
