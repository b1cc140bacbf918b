"""Where on a page the parts of a performance stand: whoever speaks of one can link to it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book

_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return `text` as an id: "Procedure 1, step 3" is "procedure-1-step-3"."""
    return _OTHER.sub("-", text.lower()).strip("-") or "part"


def step_ids(book: Book) -> list[str]:
    """Return the ids of the steps that ended, in their order."""
    return _apart(
        slug(f"{one.section} step {one.number}" if one.number else f"{one.section} {one.title}")
        for one in book.every(StepEnded)
    )


def box_ids(book: Book) -> list[str]:
    """Return the ids of the checkboxes that were verified, in their order."""
    return _apart(f"box-{one.line}" for one in book.every(Checked))


def command_id(number: int) -> str:
    """Return the id of the command with this number."""
    return f"command-{number}"


def _apart(names: Iterable[str]) -> list[str]:
    """Return the names, with a number where one comes again: what is performed twice is two."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return found
