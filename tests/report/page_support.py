"""What a page says to whoever reads it, and whom it keeps out."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_TAG = re.compile(r"<[^>]+>")
_VOID = {"meta", "br", "link", "img", "input", "hr"}  # have no end


def text_of(markup: str) -> str:
    """Return what of a page is read, on one line."""
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())


class Reader(HTMLParser):
    """Finds what nobody could reach, or would not be told."""

    def __init__(self) -> None:
        super().__init__()
        self.flaws: list[str] = []
        self.levels: list[int] = []
        self.landmarks: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        has = dict(attrs)
        if tag == "html" and not has.get("lang"):
            self.flaws.append("nobody knows which language it is")
        if tag in ("main", "header", "footer", "nav"):
            self.landmarks.append(tag)
        if tag == "th" and has.get("scope") not in ("col", "row"):
            self.flaws.append("a header of a table that says not of what")
        scrolls = tag == "pre" or (tag == "div" and "scroll" in (has.get("class") or "").split())
        if scrolls and (has.get("tabindex") != "0" or not has.get("aria-label")):
            self.flaws.append(f"a {tag} that no keyboard can scroll, or without a name")
        if tag == "svg" and not (
            has.get("aria-hidden") or has.get("aria-label") or has.get("aria-labelledby")
        ):
            self.flaws.append("a picture without a name")
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if "style" in has and tag != "i":
            self.flaws.append(f"a {tag} with a style of its own")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one that ends at once."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Hold that elements end in the order in which they began."""
        if not self.open or self.open.pop() != tag:
            self.flaws.append(f"a {tag} that ends where it did not begin")


def flaws_of(page: str) -> list[str]:
    """Return what is not well with a page."""
    reader = Reader()
    reader.feed(page)
    found = list(dict.fromkeys(reader.flaws))
    if reader.landmarks.count("main") != 1 or reader.landmarks.count("header") != 1:
        found.append("landmarks are missing")
    jumps = [
        two for one, two in zip(reader.levels, reader.levels[1:], strict=False) if two > one + 1
    ]
    if reader.levels.count(1) != 1 or jumps:
        found.append("headings skip a level")
    if len(re.findall(r' id="([^"]+)"', page)) != len(set(re.findall(r' id="([^"]+)"', page))):
        found.append("an id stands twice")
    return found
