"""The decision and its reasons, and how the runbook's triggers were held."""

from __future__ import annotations

from functools import partial

from markupsafe import Markup

from rollback_drill.decide.told import Decided, TriggerFired, TriggersRead, sentences
from rollback_drill.ground.markup import filled
from rollback_drill.perform.told import Authorized, ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.runbook.lines import with_links


@section(40)
def the_decision(book: Book) -> Markup:
    """Why it was rolled back, or was not."""
    decided = book.last(Decided)
    if decided is None:
        return Markup()
    return filled(
        __file__,
        "decision",
        decided=decided,
        chosen=book.last(ProcedureChosen),
        authorized=book.last(Authorized),
        fired=book.every(TriggerFired),
        linked=partial(with_links, book),
    )


@section(70)
def how_triggers_were_held(book: Book) -> Markup:
    """What to know of it, nothing where all were watched."""
    read = book.last(TriggersRead)
    watching = [with_links(book, one) for one in sentences(read)] if read else []
    return filled(__file__, "watching", watching=watching) if watching else Markup()
