"""What is shown of a drill as a whole: what kept it from passing, its picture, and what proves its
checks.
"""

from __future__ import annotations

from functools import partial

from markupsafe import Markup

from rollback_drill.ground.markup import filled
from rollback_drill.ground.words import duration
from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.report.axes import clock, latency
from rollback_drill.report.course import course
from rollback_drill.report.findings import shown_findings
from rollback_drill.report.marks import marks
from rollback_drill.report.picture import picture
from rollback_drill.report.proof import proof
from rollback_drill.runbook.lines import with_links

_MOST_ROWS = 60


@section(10)
def findings(book: Book) -> Markup:
    """The causes, worst first."""
    shown = book.ask(shown_findings)
    return filled(__file__, "findings", findings=shown) if shown else Markup()


@section(20)
def what_happened(book: Book) -> Markup:
    """The picture of the whole drill, and the same in words and numbers."""
    few = course(book, _MOST_ROWS)
    return filled(
        __file__,
        "picture",
        drawn=picture(book),
        marks=book.ask(marks),
        gaps=few.gaps if few else (),
        rows=few.stretches if few else (),
        clock=clock,
        duration=duration,
        latency=latency,
        linked=partial(with_links, book),
    )


@section(190)
def proof_of_the_checks(book: Book) -> Markup:
    """For each check, when it was last seen red for a planted defect, and by which one."""
    found = book.ask(proof)
    seen = [one for one in found.checks if found.unknown or one.red]
    return filled(__file__, "proof", proof=found, seen=seen)
