"""What a page says to whoever reads it."""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"<[^>]+>")


def text_of(markup: str) -> str:
    """Return what of a page is read, on one line."""
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())
