"""The page is for everybody: readers of screens, keyboards, dark rooms, phones and paper."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest

from rollback_drill.perform.told import OperatorActed
from rollback_drill.record.book import Book
from rollback_drill.report import html
from rollback_drill.report.html import whole_page
from rollback_drill.report.overview import overview
from tests.judge.history_support import drill
from tests.judge.kept_records import events_of
from tests.judge.record_support import also, good

TODAY = date(2026, 3, 1)
CSS = (Path(html.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
INKS = ("ink", "soft", "good", "bad", "mark")
GROUNDS = ("ground", "panel", "good-tint", "bad-tint", "mark-tint")
_ENOUGH = 4.5  # WCAG 2.2, 1.4.3: contrast of text

_VOID = {"meta", "br", "link", "img", "input", "hr"}  # have no end


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


@pytest.mark.parametrize("name", ["passed", "failed", "unknown", "procedure-2", "no-rollback"])
def test_nothing_of_a_page_is_out_of_reach(name: str, tmp_path: Path) -> None:
    assert flaws_of(str(whole_page(Book(events_of(name, tmp_path))))) == []


def test_nothing_of_other_pages_is_out_of_reach() -> None:
    acted = OperatorActed("Procedure 1", 1, "Enter", "skipped", "nothing was seen of it")
    assert flaws_of(str(whole_page(Book(also(acted)(good()))))) == []
    assert flaws_of(overview([], TODAY, ["leak"])) == []
    assert flaws_of(overview([drill(), drill("2026-02-01T00:00:00Z")], TODAY, ["leak"])) == []


@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        (' lang="en"', "", "which language"),
        (' scope="col"', "", "a header of a table"),
        (' tabindex="0"', "", "no keyboard"),
        (' aria-labelledby="picture-title"', "", "a picture without a name"),
        ("<main", "<div", "landmarks"),
        ("</details>", "", "ends where it did not begin"),
        ('id="box-9"', 'id="page"', "an id stands twice"),
    ],
)
def test_what_is_out_of_reach_is_found(old: str, new: str, flaw: str) -> None:
    page = str(whole_page(Book(good())))
    assert old in page
    assert any(flaw in one for one in flaws_of(page.replace(old, new, 1)))


def palettes(css: str) -> list[dict[str, str]]:
    """Return the colours of light, dark and paper, in this order."""
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in blocks]


def luminance(colour: str) -> float:
    """Return the relative luminance of "#abc" or "#aabbcc", as WCAG defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * one for one in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def faint(css: str) -> list[str]:
    """Return which words could not be read on which ground."""
    found = []
    for number, colours in enumerate(palettes(css)):
        for ink, ground in product(INKS, GROUNDS):
            light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])))[::-1]
            if (light + 0.05) / (dark + 0.05) < _ENOUGH:
                found.append(f"{ink} on {ground} of palette {number}")
    return found


def test_every_colour_can_be_read_on_every_ground() -> None:
    assert len(palettes(CSS)) == 3
    assert faint(CSS) == []
    assert faint(CSS.replace("--soft: #535d6d", "--soft: #8b95a5"))


def test_paper_has_all_that_is_folded_and_nothing_that_is_cut() -> None:
    paper = CSS[CSS.index("@media print") :]
    assert re.search(r"details::details-content \{\s*content-visibility: visible", paper)
    for rule in ("overflow: visible", "white-space: pre-wrap", "color-scheme: light"):
        assert rule in paper
    assert "break-after: avoid" in paper
