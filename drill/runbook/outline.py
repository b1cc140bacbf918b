"""A Markdown document as an outline: headings, and what stands below each of them."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from drill.runbook.blocks import SHELLS, code_block
from drill.runbook.model import Checkbox, CodeBlock


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: the text behind its fence, its content, its line (1-based)."""

    info: str
    content: str
    line: int
    fallback: str
    label: str  # the bold line right above it, if any

    @property
    def is_shell(self) -> bool:
        """Whether its commands are meant for a shell."""
        return self.info.split()[:1] != [] and self.info.split()[0] in SHELLS


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells by lower-case column title."""

    cells: dict[str, str]
    line: int


@dataclass(slots=True)
class Section:
    """A heading (level 0: the document) and what stands below it, without its subsections."""

    title: str
    level: int
    line: int
    texts: list[tuple[int, str]] = field(default_factory=list)
    items: list[tuple[int, str]] = field(default_factory=list)
    fences: list[Fence] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    children: list[Section] = field(default_factory=list)

    def walk(self) -> Iterator[Section]:
        """Yield this section and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def checkboxes(self) -> tuple[Checkbox, ...]:
        """The `- [ ]` items right below this heading."""
        return tuple(
            Checkbox(text[3:].strip(), line)
            for line, text in self.items
            if text[:3] in ("[ ]", "[x]", "[X]")
        )

    @property
    def blocks(self) -> tuple[CodeBlock, ...]:
        """The shell blocks right below this heading."""
        return tuple(
            code_block(fence.content, fence.line, fence.info, fence.fallback)
            for fence in self.fences
            if fence.is_shell
        )


def outline(text: str) -> Section:
    """Return the outline of a Markdown `text`; its children are the headings of level 1."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    root = Section("", 0, 1)
    path = [root]
    label = fallback = ""
    index = 0
    while index < len(tokens):
        token = tokens[index]
        line = token.map[0] + 1 if token.map else 0
        if token.type == "heading_open":
            level = int(token.tag[1:])
            while path[-1].level >= level:
                path.pop()
            section = Section(_plain(tokens[index + 1]), level, line)
            path[-1].children.append(section)
            path.append(section)
            label = fallback = ""
            index += 3
            continue
        if token.type == "list_item_open":
            end = _closing(tokens, index)
            inline = next((t for t in tokens[index:end] if t.type == "inline"), None)
            label = fallback = ""
            if inline:
                item, heading = _split_heading(inline)
                path[-1].items.append((line, _plain(item)))
                if heading is not None:
                    plain = _plain(heading)
                    path[-1].texts.append((line + 1, plain))
                    label = plain.rstrip(": ")
                    fallback = plain if plain.lower().startswith("alternative") else ""
            index = end
            continue
        if token.type == "inline":
            plain = _plain(token)
            path[-1].texts.append((line, plain))
            label = plain.rstrip(": ") if token.content.startswith("**") else ""
            if plain.lower().startswith("alternative"):
                fallback = plain
        elif token.type in ("fence", "code_block"):
            path[-1].fences.append(Fence(token.info.strip(), token.content, line, fallback, label))
            label = ""
        elif token.type == "table_open":
            end = _closing(tokens, index)
            path[-1].rows.extend(_rows(tokens[index:end]))
            index = end
            continue
        index += 1
    return root


def _closing(tokens: list[Token], index: int) -> int:
    depth = 0
    for position in range(index, len(tokens)):
        depth += tokens[position].nesting
        if depth == 0:
            return position + 1
    return len(tokens)


def _split_heading(inline: Token) -> tuple[Token, Token | None]:
    """Return a list item's text, and the bold line right below it that an author meant as a
    heading of its own: without an empty line between, Markdown takes it for part of the item.
    """
    children = [one for one in inline.children or [] if one.type != "text" or one.content]
    for index, (child, after) in enumerate(itertools.pairwise(children)):
        if child.type == "softbreak" and after.type == "strong_open":
            item, heading = copy.copy(inline), copy.copy(inline)
            item.children, heading.children = children[:index], children[index + 1 :]
            return item, heading
    return inline, None


def _plain(token: Token) -> str:
    """Return inline text without markup."""
    parts = []
    for child in token.children or []:
        if child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type in ("text", "code_inline"):
            parts.append(child.content)
    return "".join(parts).strip()


def _rows(tokens: list[Token]) -> Iterator[Row]:
    cells: list[str] = []
    titles: list[str] = []
    line = 0
    for token in tokens:
        if token.type == "tr_open":
            cells = []
            line = token.map[0] + 1 if token.map else 0
        elif token.type == "inline":
            cells.append(_plain(token))
        elif token.type == "tr_close":
            if titles:
                yield Row(dict(zip(titles, cells, strict=False)), line)
            else:
                titles = [cell.lower() for cell in cells]
