"""What the runbook does not ask, or only seems to do: nobody can say that it holds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import CommandStarted
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause, judging
from rollback_drill.runbook.told import DocumentAsked


@judging(55)
def of_document(book: Book) -> Iterator[Cause]:
    """What was not verified since nobody asks for it, and what may have failed unseen."""
    asked = book.last(DocumentAsked)
    if asked is None:
        return
    ran = {one.line for one in book.every(CommandStarted)}
    texts = itertools.zip_longest(asked.keys, asked.whats, asked.advices, fillvalue="?")
    numbers = itertools.zip_longest(asked.lines, asked.commands)
    for (key, what, advice), (line, commands) in zip(texts, numbers, strict=False):
        if commands and not ran.intersection(commands):
            continue
        told = f"line {line}: {what}" if line else what
        yield Cause(Verdict.UNKNOWN, f"Runbook, {key}", told, advice=advice)
