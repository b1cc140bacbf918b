"""What clients' answers were held against once the rollback took effect."""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.watch.answers.judges import settled_at
from rollback_drill.watch.answers.told import AnswersCompared, AnswersContradict


@section(106, under="As it was before")
def answers_held(book: Book) -> Markup:
    """How many answers each rule was held against, and those that broke one."""
    settled = settled_at(book)
    if settled is None:
        return Markup()
    every = [one for one in book.every(AnswersCompared) if one.since >= settled and one.counts]
    if not every:
        return Markup()
    counts: Counter[str] = Counter()
    for one in every:
        counts.update(one.counts)
    alone = all(one.alone for one in every)
    broken = [
        one
        for one in book.every(AnswersContradict)
        if one.since >= settled and (alone or not one.shared)
    ]
    return filled(__file__, "answers", counts=dict(counts), broken=broken, alone=alone)
