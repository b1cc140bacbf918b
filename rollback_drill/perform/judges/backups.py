"""Backups: those that a procedure may need are proven before it does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.perform.told import AlternativeTaken, BackupProven, Checked
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging

_RESTORES = re.compile(r"\b(?:restor\w+|backup|dump)\b", re.IGNORECASE)
_PROOF = "backup_created"


@judging(75)
def of_backups(book: Book) -> Iterator[Cause]:
    """The backup of routine work, and that which an alternative restores."""
    for one in book.every(BackupProven):
        if one.verdict not in GOOD:
            yield Cause(one.verdict, "Backup", f"made before clients came: {one.evidence}")
    proven = False
    for event in book.events:
        match event.what:
            case Checked(check=check, verdict=verdict) if check == _PROOF:
                proven = verdict in GOOD
            case AlternativeTaken() as taken if _RESTORES.search(taken.alternative) and not proven:
                what = f"nobody had proven what “{taken.alternative}” restores when it was needed"
                where = f"{taken.section}, step {taken.number} “{taken.title}”"
                yield Cause(Verdict.UNKNOWN, where, what)
