"""Words of a script without their quotes, and the variables in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from rollback_drill.runbook.shell.model import Word

# `${X:-a}`, `${X:?}`, `${X:=a}`, `${X:+a}` and the same without a colon are never just empty.
_GUARD = re.compile(r"\$\{!?\w+(?:\[[^]]*\])?:?[-?=+]")
_NAME = re.compile(r"\$\{?(?P<name>[A-Za-z_]\w*)")


def argument(node: Node, first_line: int) -> Word:
    """Return the word that `node` is, in a script that begins at `first_line`."""
    text, emptied, variables = "", "", []
    for part, variable in _parts(node):
        text += part
        if variable:
            variables.append(variable)
        else:
            emptied += part
    source = _source(node)
    return Word(
        text,
        first_line + node.start_point[0],
        emptied,
        tuple(variables),
        quoted="'" in source or '"' in source,
    )


def guarded(node: Node) -> Iterator[str]:
    """Yield the variable that an expansion refuses to be without, or gives a value."""
    source = _source(node)
    if re.match(r"\$\{\w+:?[?=]", source):
        match = _NAME.match(source)
        if match:
            yield match["name"]


def _source(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _parts(node: Node) -> Iterator[tuple[str, str]]:
    """Yield (text, name of the unguarded variable that it is or "") of the parts of a word."""
    source = _source(node)
    match node.type:
        case "raw_string":
            yield source[1:-1], ""
        case "ansi_c_string":
            yield source[2:-1], ""
        case "string" | "translated_string":
            yield from _in_quotes(node)
        case "concatenation" | "command_name":
            end = node.start_byte
            for child in node.children:
                if child.start_byte > end:  # such as a brace that is no node of its own
                    yield _between(node, end, child.start_byte), ""
                yield from _parts(child)
                end = child.end_byte
            if end < node.end_byte:
                yield _between(node, end, node.end_byte), ""
        case "simple_expansion" | "expansion":
            match = _NAME.match(source)
            empty = match and not _GUARD.match(source)
            yield source, match["name"] if match and empty else ""
        case "word":
            yield re.sub(r"\\\n", "", re.sub(r"\\([^\n])", r"\1", source)), ""
        case _:
            yield source, ""


def _in_quotes(node: Node) -> Iterator[tuple[str, str]]:
    """Yield the parts between the double quotes of `node`."""
    end = node.start_byte
    for child in node.children:
        if child.type in ("simple_expansion", "expansion"):
            yield _unquoted(_between(node, end, child.start_byte)), ""
            yield from _parts(child)
            end = child.end_byte
        elif child.type == "command_substitution":
            yield _unquoted(_between(node, end, child.start_byte)), ""
            yield _source(child), ""
            end = child.end_byte
    yield _unquoted(_between(node, end, node.end_byte)), ""


def _between(node: Node, start: int, end: int) -> str:
    """Return the source of `node` from `start` to `end`, in bytes of the script; no quotes."""
    text = (node.text or b"")[start - node.start_byte : end - node.start_byte]
    if node.type in ("string", "translated_string"):
        if start == node.start_byte:
            text = text.removeprefix(b"$").removeprefix(b'"')
        if end == node.end_byte:
            text = text.removesuffix(b'"')
    return text.decode("utf-8", "replace")


def _unquoted(text: str) -> str:
    return re.sub(r"\\\n", "", re.sub(r'\\(["$`\\])', r"\1", text))
