"""Markdown that says just what it is given: strangers' words are neither markup nor links in it."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[\\`*\[\]<]")
_TICKS = re.compile(r"`{3,}")


def plain_words(text: str) -> str:
    """Return `text` as Markdown that says just that, on one line."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def fenced(text: str, language: str = "text") -> str:
    """Return `text` as a block of code, which nothing in it can end."""
    longest = max((len(one) for one in _TICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
