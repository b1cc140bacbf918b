"""What was looked at around the service."""

from __future__ import annotations

from markupsafe import Markup

from rollback_drill.effects.told import HostSeen, ServerSeen
from rollback_drill.ground.markup import filled
from rollback_drill.record.book import Book
from rollback_drill.record.section import section


@section(108, under="What else was changed")
def what_else(book: Book) -> Markup:
    """Who was looked at, when, and what could not be seen; what differs is a finding."""
    hosts, servers = book.every(HostSeen), book.every(ServerSeen)
    return filled(__file__, "seen", hosts=hosts, servers=servers) if hosts else Markup()
