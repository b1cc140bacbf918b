"""The page is for everybody: readers of screens, keyboards, dark rooms, phones and paper."""

from __future__ import annotations

import re
from datetime import date
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
from tests.report.page_support import flaws_of

TODAY = date(2026, 3, 1)
CSS = (Path(html.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
INKS = ("ink", "soft", "good", "bad", "mark")
GROUNDS = ("ground", "panel", "good-tint", "bad-tint", "mark-tint")
_ENOUGH = 4.5  # WCAG 2.2, 1.4.3: contrast of text


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
