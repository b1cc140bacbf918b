"""What tools that publish Markdown put into it: front matter, tabs, anchors.

It is rewritten in plain Markdown, line by line, so that each line keeps its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FRONT = re.compile(r"---\s*$")
_FRONT_ENDS = re.compile(r"(?:---|\.\.\.)\s*$")
_FRONT_LINE = re.compile(r"\s*(?:[\w.-]+\s*:(?:\s|$)|- |#|\s+\S|$)")
_TAB = re.compile(
    r"\s*(?:<(?:TabItem|Tab|tab-item)\b(?P<html>[^>]*)>"
    r"|\{\{?[%<]\s*tab\b(?P<hugo>[^%>]*)[%>]\}\}?)\s*$",
    re.IGNORECASE,
)
_TAB_MARK = re.compile(
    r"\s*(?:</?(?:Tabs|TabItem|Tab|tab-item|tab-group)\b[^>]*>"
    r"|\{\{?[%<]\s*(?:/?tabs?|endtab)\b[^%>]*[%>]\}\}?)\s*$",
    re.IGNORECASE,
)
_TAB_NAME = re.compile(
    r"(?:\b(?:label|title|name|header|value)\s*=\s*)?[\"'](?P<name>[^\"']+)[\"']"
)
_TABS_END = re.compile(
    r"\s*(?:</(?:Tabs|tab-group)>|\{\{?[%<]\s*(?:/tabs|endtabs)\s*[%>]\}\}?)\s*$", re.IGNORECASE
)
_NOTE = re.compile(
    r"(?P<indent> *)(?:!!!|\?\?\?\+?) *\w[\w-]*(?: +[\"'](?P<name>[^\"']+)[\"'])? *$"
)
_COLONS = re.compile(r"\s*:::+ *(?:\w[\w-]*(?:\[(?P<in>[^\]]+)\]| +(?P<name>\w.*))?)? *$")
_MKDOCS_TAB = re.compile(r"(?P<indent> *)===[!+]? +[\"'](?P<name>[^\"']+)[\"']\s*$")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_ANCHOR = re.compile(r"\s*\{[#.:][^{}]*\}\s*$")
_MOST_FRONT = 200


def plain_markdown(text: str) -> str:
    """Return `text` with as many lines, in which tabs are options and front matter is left out."""
    lines = text.split("\n")
    lines[: _front_matter(lines)] = [""] * _front_matter(lines)
    return "\n".join(_without_tabs(lines))


def front_title(text: str) -> str:
    """Return the title that the front matter of `text` names, "" where it names none."""
    lines = text.split("\n")
    for line in lines[: _front_matter(lines)]:
        match = re.match(r"title\s*:\s*(?P<title>\S.*)", line)
        if match:
            return match["title"].strip().strip("\"'")
    return ""


def without_anchor(title: str) -> str:
    """Return a heading without the anchor behind it, such as “{#steps}”."""
    return _ANCHOR.sub("", title)


def _front_matter(lines: list[str]) -> int:
    """Return how many lines of front matter a document begins with."""
    if not _FRONT.match(lines[0]):
        return 0
    for number, line in enumerate(lines[1:_MOST_FRONT], 1):
        if _FRONT_ENDS.match(line):
            return number + 1
        if not _FRONT_LINE.match(line):
            return 0
    return 0


def _without_tabs(lines: list[str]) -> Iterator[str]:
    number, indent, fenced = 0, -1, False
    for line in lines:
        tab = None if fenced else _TAB.match(line)
        mkdocs = None if fenced else _MKDOCS_TAB.match(line)
        note = None if fenced else _NOTE.match(line)
        colons = None if fenced else _COLONS.match(line)
        if not mkdocs and indent >= 0 and line.strip() and not line.startswith(" " * (indent + 4)):
            indent = -1
        inner = line[4:] if indent >= 0 and line.strip() else line
        if _FENCE.match(inner):
            fenced = not fenced
        if mkdocs:
            number, indent = number + 1, len(mkdocs["indent"])
            yield f"{mkdocs['indent']}**Option {number}: {mkdocs['name']}**"
        elif tab:
            number += 1
            names = _TAB_NAME.findall(tab["html"] or tab["hugo"] or "")
            yield f"**Option {number}: {names[-1] if names else number}**"
        elif note:
            indent = len(note["indent"])
            yield f"**{note['name']}:**" if note["name"] else ""
        elif colons:
            name = colons["in"] or colons["name"]
            yield f"**{name}:**" if name else ""
        elif not fenced and _TABS_END.match(line):
            yield "</details>"
        elif not fenced and _TAB_MARK.match(line):
            yield ""
        else:
            yield inner
