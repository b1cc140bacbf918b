"""A Markdown document as an outline: headings, and what stands below each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rollback_drill.runbook.dialects import plain_markdown, without_anchor
from rollback_drill.runbook.inline import Group, clipped, groups_of, plain_of
from rollback_drill.runbook.model import Checkbox
from rollback_drill.runbook.titles import (
    DOUBTFUL,
    FALLBACK,
    NUMBERED,
    OPTION,
    PROCEDURE_TITLE,
    STEP,
    bare,
)

_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(r"\w+ \w{1,2}\s*[:.)\u2010-\u2015-]")  # "Option A: …", "Method 1 – …"
_MOST_HTML = 2_000
_OR = re.compile(r"\W*or\b", re.IGNORECASE)
_ON_CONDITION = re.compile(r"\b(?:if|when|in case|unless|only|should|fail\w*)\b", re.IGNORECASE)
_OPTION_NUMBER = re.compile(r"Option (\d+):")
_BELOW_HEADINGS = 7  # the level of a bold line that is meant as a heading


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced or indented block: the text behind its fence, its content, its lines (1-based).

    `fallback`, `option`, `doubt`: the heading or label under which it stands in for what failed, is
    one of several ways, or may not be meant to be performed; each "" where there is none.
    """

    info: str
    content: str
    line: int
    first_line: int
    last_line: int
    label: str  # the line right above it, if that is bold or ends in a colon
    fallback: str = ""
    option: str = ""
    doubt: str = ""
    closed: bool = True
    said_in: int = 0  # the line of that heading or label


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells by lower-case column title."""

    cells: dict[str, str]
    line: int


@dataclass(slots=True)
class Item:
    """A list item. `ordered`: it has a number; `detail`: it stands below a box; `holds`: a block or
    other items stand in it.
    """

    line: int
    last_line: int
    text: str
    ordered: bool
    detail: bool = False
    holds: bool = False


@dataclass(slots=True)
class Section:
    """A heading (level 0: the document) and what stands below it, without its subsections."""

    title: str
    level: int
    line: int
    last_line: int = 0  # of the heading itself
    texts: list[tuple[int, str]] = field(default_factory=list)
    entries: list[Item] = field(default_factory=list)
    boxes: list[tuple[str, Checkbox]] = field(default_factory=list)  # with the label above
    fences: list[Fence] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    children: list[Section] = field(default_factory=list)

    def walk(self) -> Iterator[Section]:
        """Yield this section and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def part(self) -> Iterator[Section]:
        """Yield this section and those below it that are no steps or procedures of their own."""
        yield self
        for child in self.children:
            name = bare(child.title)
            if not STEP.match(name) and not PROCEDURE_TITLE.match(name):
                yield from child.part()

    @property
    def items(self) -> list[tuple[int, str]]:
        """The line and text of each list item; that of a box begins with "[ ] "."""
        return [(one.line, one.text) for one in self.entries]

    @property
    def checkboxes(self) -> tuple[Checkbox, ...]:
        """The boxes right below this heading."""
        return tuple(box for _, box in self.boxes)


def outline(text: str) -> Section:
    """Return the outline of a Markdown `text`; its children are the headings of level 1."""
    text = plain_markdown(text)
    reader = MarkdownIt("commonmark").enable("table").disable("inline")
    return _Outliner(reader.parse(text), text.split("\n")).root


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the headings and labels above say about the blocks that follow."""

    label: str = ""
    fallback: str = ""
    option: str = ""
    doubt: str = ""
    level: int = 0  # of the heading that said so
    line: int = 0

    @classmethod
    def of(cls, title: str, line: int, level: int = 0) -> _Scope:
        """Return what `title` says, a heading of `level` or a label."""
        name = bare(title[:300])
        option = bool(OPTION.match(name))
        fallback = bool(FALLBACK.match(name)) and not (option and "fail" not in name.lower())
        return cls(
            label=title.rstrip(": "),
            fallback=title if fallback else "",
            option=title if option and not fallback else "",
            doubt=title if DOUBTFUL.match(name) else "",
            level=level,
            line=line,
        )

    @property
    def says(self) -> bool:
        """Whether it says more than a label."""
        return bool(self.fallback or self.option or self.doubt)


class _Outliner:
    """One pass over the tokens of a document."""

    def __init__(self, tokens: list[Token], lines: list[str]) -> None:
        self.root = Section("", 0, 1)
        self._path = [self.root]
        self._scope = _Scope()
        self._next: _Scope | None = None  # what a text says of the block right below it
        self._glued = _Scope()  # what a label at the end of an item says of what follows the list
        self._lists: list[tuple[bool, _Scope]] = []
        self._items: list[Item] = []  # those that are open
        self._lines = lines
        self._block_before = False  # whether a block stands right above
        index = 0
        while index < len(tokens):
            index += self._take(tokens, index)

    def _take(self, tokens: list[Token], index: int) -> int:
        """Take the token at `index`; return how many were used up."""
        token = tokens[index]
        line = token.map[0] + 1 if token.map else 0
        match token.type:
            case "heading_open":
                last = token.map[1] if token.map else line
                self._open(
                    without_anchor(plain_of(tokens[index + 1].content)),
                    int(token.tag[1:]),
                    line,
                    last,
                )
                return 3
            case "bullet_list_open" | "ordered_list_open":
                self._lists.append((token.type.startswith("ordered"), self._next or self._scope))
            case "bullet_list_close" | "ordered_list_close":
                _, scope = self._lists.pop()
                self._scope = scope if self._lists else self._glued
                self._next = None
            case "list_item_open":
                for one in self._items:
                    one.holds = True
                ordered, scope = self._lists[-1]
                self._scope, self._next = replace(scope, label=""), None
                self._glued = _Scope()
                last = token.map[1] if token.map else line
                detail = any(one.text.startswith("[ ]") for one in self._items)
                self._items.append(Item(line, last, "", ordered, detail))
                self._path[-1].entries.append(self._items[-1])
            case "list_item_close":
                self._items.pop()
            case "inline":
                for group in groups_of(token.content, line):
                    self._take_group(group)
                    self._block_before = False
            case "fence" | "code_block":
                self._take_block(token, line)
            case "html_block":
                self._take_html(token.content, line)
            case "table_open":
                end = _closing(tokens, index)
                self._path[-1].rows.extend(_rows(tokens[index:end]))
                return end - index
        return 1

    def _open(self, title: str, level: int, line: int, last: int) -> None:
        while self._path[-1].level >= level:
            self._path.pop()
        self._block_before = False
        section = Section(title, level, line, last)
        self._path[-1].children.append(section)
        self._path.append(section)
        scope = replace(_Scope.of(title, line, level), label="")
        self._next = None
        # A heading below one that says something does not take that back.
        if scope.says or not self._scope.level or level <= self._scope.level:
            self._scope = scope

    def _take_group(self, group: Group) -> None:
        here, said = self._path[-1], _Scope.of(group.plain, group.line)
        self._next = None
        if group.box is not None:
            label = self._lists[0][1].label if self._lists else self._scope.label
            here.boxes.append((label, Checkbox(clipped(group.box), group.line)))
        if self._items and not self._items[-1].text:
            text = group.plain if group.box is None else f"[ ] {group.box}"
            self._items[-1].text = clipped(text)
            if group.box is None and (said.says or group.plain.endswith(":")):
                self._scope = said if said.says else replace(self._scope, label=said.label)
            return
        if group.box is not None:
            return
        name = bare(group.plain)
        if group.label and (PROCEDURE_TITLE.match(name) or STEP.match(name)):
            level = _BELOW_HEADINGS + (STEP.match(name) is not None)
            self._open(group.plain, level, group.line, group.line)
            return
        if group.whole and not self._items and NUMBERED.match(group.plain):
            self._open(group.plain, _BELOW_HEADINGS + 1, group.line, group.line)
            return
        here.texts.append((group.line, group.plain))
        if self._block_before and _OR.match(group.plain):
            self._next = self._other_way(group)
        elif (group.label and (group.whole or said.says)) or (said.option and _NAMED.match(name)):
            self._scope = said
            self._glued = said
        elif group.label or (group.plain.endswith(":") and not said.says):
            self._scope = replace(self._scope, label=said.label)
        elif group.plain.endswith(":"):
            self._next = said
        else:
            self._scope = replace(self._scope, label="")
        if said.fallback and not group.label and not group.plain.endswith(":"):
            self._next = replace(self._scope, doubt=group.plain, line=group.line)

    def _other_way(self, group: Group) -> _Scope:
        """Return what “or” between two blocks says of the one below it: it stands in for the one
        above, unless a condition says when.
        """
        label = group.plain.rstrip(": ")
        if _ON_CONDITION.search(label):
            return replace(_Scope.of(group.plain, group.line), label=label, doubt=label)
        fences = self._path[-1].fences
        if not fences[-1].option:
            first = f"Option 1: {fences[-1].label}".rstrip(": ")
            fences[-1] = replace(fences[-1], option=f"{first}: what stands first")
        number = _OPTION_NUMBER.match(fences[-1].option)
        if number is None:
            return _Scope(label=label, doubt=label, line=group.line)
        return _Scope(label=label, option=f"Option {int(number[1]) + 1}: {label}", line=group.line)

    def _take_html(self, content: str, line: int) -> None:
        """Take the summary of what can be folded away for a label, which ends with it."""
        self._next = None
        summary = _SUMMARY.search(content[:_MOST_HTML])
        if summary:
            self._scope = _Scope.of(plain_of(summary[1]), line)
        elif "</details>" in content:
            self._scope = _Scope()

    def _take_block(self, token: Token, line: int) -> None:
        for one in self._items:
            one.holds = True
        scope = self._next or self._scope
        last = token.map[1] if token.map else line
        fenced = token.type == "fence"
        end = self._lines[last - 1].lstrip(" \t>") if last <= len(self._lines) else ""
        within = (one.lstrip().startswith(token.markup) for one in token.content.split("\n"))
        self._path[-1].fences.append(
            Fence(
                info=token.info.strip(),
                content=token.content,
                line=line,
                first_line=line + fenced,
                last_line=last,
                label=scope.label,
                fallback=scope.fallback,
                option=scope.option,
                doubt=scope.doubt,
                said_in=scope.line if scope.says else 0,
                # Where another one begins within it, it was to be over before.
                closed=not fenced
                or (last > line and end.startswith(token.markup) and not any(within)),
            )
        )
        self._scope = replace(self._scope, label="")
        self._block_before = True


def _closing(tokens: list[Token], index: int) -> int:
    depth = 0
    for position in range(index, len(tokens)):
        depth += tokens[position].nesting
        if depth == 0:
            return position + 1
    return len(tokens)


def _rows(tokens: list[Token]) -> Iterator[Row]:
    cells: list[str] = []
    titles: list[str] = []
    line = 0
    for token in tokens:
        if token.type == "tr_open":
            cells = []
            line = token.map[0] + 1 if token.map else line
        elif token.type == "inline":
            cells.append(plain_of(token.content))
        elif token.type == "tr_close":
            if titles:
                yield Row(dict(zip(titles, cells, strict=False)), line)
            else:
                titles = [cell.lower() for cell in cells]
