"""The machine's own load beside what was too late or too little: slow and sick are two things."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from rollback_drill.ground.verdict import Verdict
from rollback_drill.record.book import Book
from rollback_drill.record.judge import Cause
from rollback_drill.watch.busyness import busy

# What a busy machine may be the reason of.
_OF_TIME = re.compile(
    r"\bwithin\b|\btime\b|\blate\b|\d s of \d|ended after|samples?\b|bottleneck|too few|not proven"
    r"|\bneeded\b|no (?:whole second|request|answer)|not seen|did not (?:fire|bite|happen)"
    r"|requests? (?:failed|took)|not answered|gave no answer|timed? ?out|could not go on"
    r"|\bfor \d+ s\b|\bhung\b",
    re.IGNORECASE,
)


def with_load(causes: Iterable[Cause], book: Book) -> list[Cause]:
    """Return `causes`, with how busy the machine was where that may be the reason."""
    told = book.ask(busy)
    return [_with(one, told) if told else one for one in causes]


def _with(cause: Cause, told: str) -> Cause:
    if not _OF_TIME.search(cause.what) or "the machine was" in cause.what:
        return cause
    if cause.verdict is Verdict.UNKNOWN:
        return replace(cause, what=f"{cause.what}; {told}")
    # A service that was too slow has failed; whoever reads why must know on what it ran.
    return replace(cause, evidence="; ".join(part for part in (cause.evidence, told) if part))
