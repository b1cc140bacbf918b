"""postmortem.html: the post-mortem as a page, in the look of the report.

Markup, images and outside resources of a runbook's template stay text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from rollback_drill.ground.markup import filled
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.report.postmortem import document

_BLANK_TEXT = re.compile(r"\[[^\]\n]+\]")
_BOX = re.compile(r"^(\s*[-*] )\[( |x|X)\] ", re.MULTILINE)


def readable(book: Book) -> Markup:
    """Return the page."""
    text = document(book)
    title, _, body = text.partition("\n") if text.startswith("# ") else ("# Post-mortem", "", text)
    return filled(
        __file__,
        "postmortem",
        title=title[2:].strip(),
        judgement=book.ask(judge),
        body=_rendered(body),
    )


def _rendered(body: str) -> Markup:
    """Return Markdown as HTML whose levels of headings have no gap, and begin with the second."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    # Escaped brackets stay apart from text: only what a template left blank is one.
    reader.disable(["image", "html_block", "html_inline", "text_join"])
    reader.add_render_rule("text", _with_blanks)
    reader.add_render_rule("text_special", _as_it_is)
    tokens = reader.parse(_BOX.sub(lambda one: f"{one[1]}{'☐' if one[2] == ' ' else '☑'} ", body))
    level = 1
    for token in tokens:
        if token.type == "heading_open":
            level = min(max(2, int(token.tag[1])), level + 1)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{level}"
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if token.type in ("fence", "code_block"):
            token.attrSet("tabindex", "0")
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704 - it escapes


def _with_blanks(self: object, tokens: Sequence[Token], at: int, *_: Any) -> str:
    del self
    told = str(escape(tokens[at].content))
    return _BLANK_TEXT.sub(lambda one: f'<span class="blank">{one[0]}</span>', told)


def _as_it_is(self: object, tokens: Sequence[Token], at: int, *_: Any) -> str:
    del self
    return str(escape(tokens[at].content))
