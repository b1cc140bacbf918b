"""The parts of a page, as its contents list them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from rollback_drill.conduct.told import DrillStarted
from rollback_drill.perform.anchors import slug
from rollback_drill.perform.counts import count_of
from rollback_drill.perform.performed import commands_run
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.section import all_sections
from rollback_drill.report.findings import shown_findings
from rollback_drill.report.proof import proof

_HEADING = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PagePart:
    """A part of a page: what stands under one heading, and how many of what it holds in words."""

    id: str
    heading: str
    count: str
    markup: Markup


def page_parts(book: Book) -> list[PagePart]:
    """Return what rooms have to show of a drill: those that share a heading are one part."""
    found: list[tuple[str, Markup]] = []
    above = ""
    for one in all_sections():
        markup = one.markup(book)
        if not markup:
            continue
        if one.under and one.under == above:
            heading, before = found.pop()
            found.append((heading, before + markup))
        elif one.under:
            found.append((one.under, Markup("<h2>{}</h2>\n").format(one.under) + markup))
        else:
            own = _HEADING.search(markup)
            found.append((html.unescape(own[1]) if own else "More", markup))
        above = one.under
    taken: set[str] = set()
    return [
        PagePart(_free(slug(name), taken), name, _count(book, name), text) for name, text in found
    ]


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"{name}-more"
    taken.add(name)
    return name


def _count(book: Book, heading: str) -> str:
    count = _COUNTS.get(heading)
    return count(book) if count else ""


def _boxes(book: Book) -> str:
    verdicts = [one.verdict for one in book.every(Checked)]
    return count_of(verdicts).told if verdicts else ""


def _steps(book: Book) -> str:
    verdicts = [one.verdict for one in book.every(StepEnded)]
    return count_of(verdicts).told if verdicts else ""


_COUNTS: dict[str, Callable[[Book], str]] = {
    "Findings": lambda book: str(len(book.ask(shown_findings))),
    "Checklist": _boxes,
    "Steps against their budgets": _steps,
    "Commands": lambda book: str(len(book.ask(commands_run))),
    "Proof of the checks": lambda book: book.ask(proof).count,
}


def files_beside(book: Book) -> list[tuple[str, str]]:
    """Return what stands beside the page: names, and what they are."""
    found = [
        ("postmortem.html", "Post-mortem"),
        ("postmortem.md", "as Markdown"),
        ("verdict.json", "Verdict"),
        ("junit.xml", "JUnit"),
    ]
    return [*found, ("timeline.jsonl", "Timeline")] if book.last(DrillStarted) else found
