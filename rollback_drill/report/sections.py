"""What is shown of a drill as a whole: its pictures, and what kept it from passing."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.ground.markup import filled
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.report.charts import charts


@section(20)
def what_happened(book: Book) -> Markup:
    """The charts."""
    return Markup("<h2>What happened</h2>\n") + Markup().join(charts(book))


@section(190)
def findings(book: Book) -> Markup:
    """The causes, worst first."""
    causes = book.ask(judge).causes
    return filled(__file__, "findings", causes=causes) if causes else Markup()
