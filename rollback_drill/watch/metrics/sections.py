"""What hosts counted, beside what clients and suite made."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.record.book import Book
from rollback_drill.record.section import section
from rollback_drill.watch.metrics.agreement import answered_in, compared, last_span
from rollback_drill.watch.metrics.judges import took_effect


@section(under="Metrics")
def the_counts(book: Book) -> Markup:
    """Both numbers of the time that was compared."""
    since = took_effect(book)
    span = None if since is None else last_span(book, since)
    if span is None:
        return Markup()
    answered = answered_in(book, span)
    if not compared(span, answered):
        return Markup()
    said = f"in {span.end - span.begin:.0f} s the hosts' metrics count {span.counted:,} requests"
    if span.timed:
        said += f", of {span.total_s / span.timed * 1000:.3g} ms on average"
    most = answered.least + answered.unsure
    made = (
        f"{answered.least:,.0f}" if not answered.unsure else f"{answered.least:,.0f} to {most:,.0f}"
    )
    return Markup(
        "<p>After the rollback {}; clients and suite got {} answers, clients after {:.3g} ms on "
        "average.</p>"
    ).format(said, made, answered.mean_s * 1000)
