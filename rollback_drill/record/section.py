"""Sections of the page: each room shows what it tells, and nobody has to be told of a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from rollback_drill.family import Family
from rollback_drill.record.book import Book
from rollback_drill.record.judge import LAST
from rollback_drill.record.told import kinds


@dataclass(frozen=True, slots=True)
class PageSection:
    """A part of the page, empty where a drill has nothing of it to show.

    `place`: those of the lowest come first. `under`: the heading that it shares with its
    neighbours, "" where it brings its own.
    """

    markup: Callable[[Book], Markup]
    place: int
    under: str = ""


SECTIONS: Family[PageSection] = Family("sections", "a section")


def section(
    place: int = LAST, *, under: str = ""
) -> Callable[[Callable[[Book], Markup]], PageSection]:
    """Make the decorated function a section of every page; see `PageSection`."""

    def add(markup: Callable[[Book], Markup]) -> PageSection:
        one = PageSection(markup, place, under)
        SECTIONS.add(markup.__name__, one, markup)
        return one

    return add


def all_sections() -> list[PageSection]:
    """Return the sections of all rooms, in the order of the page."""
    kinds()  # who tells something may show it in the same file
    return sorted(SECTIONS.members().values(), key=lambda one: one.place)
