"""A page is one that a phone opens: at most 300 KB, and nothing is fetched beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.report.page_support import flaws_of
from tests.report.pages_support import pages

_LARGEST = 300_000  # bytes
_FETCHED = re.compile(r"""(?:\bsrc=|url\((?!#)|@import|<link\b|<script\b)""")


@pytest.fixture(scope="module")
def all_pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One page of each kind."""
    return pages(tmp_path_factory.mktemp("pages"))


def too_large(path: Path) -> bool:
    """Return whether a page is larger than a phone should fetch."""
    return path.stat().st_size > _LARGEST


def test_each_page_is_small_and_fetches_nothing(all_pages: dict[str, Path]) -> None:
    assert len(all_pages) == 7
    assert [name for name, path in all_pages.items() if too_large(path)] == []
    for name, path in all_pages.items():
        text = path.read_text(encoding="utf-8")
        assert not _FETCHED.search(text), name
        assert flaws_of(text) == [], name


def test_a_page_that_is_too_large_is_found(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("x" * (_LARGEST + 1))
    assert too_large(path)
    assert _FETCHED.search('<img src="a.png">')
