"""In which format do lists come?"""

from __future__ import annotations

import re

from rollback_drill.ground.finding import Finding
from rollback_drill.perform.check import check
from rollback_drill.perform.moment import Moment
from rollback_drill.subject.hostaway.subjects import shape_of_lists


@check(
    r"lists come in old format",
    r"old (?:list )?format<DONE> returned",
    r"pagination(?: is| has been)? (?:off|disabled)",
    examples=["Lists come in the old format", "Pagination is off"],
    needs="known",
)
def old_format(moment: Moment, match: re.Match[str]) -> Finding:
    """Lists have the old shape on every host, and no trace of cursors."""
    return moment.stage.subject.serves_stable(moment.stage)


@check(
    r"pagination(?: is| has been)? (?:on|enabled)",
    r"lists come in new format",
    examples=["Pagination is on"],
    needs="known",
)
def new_format(moment: Moment, match: re.Match[str]) -> Finding:
    """Lists come in pages with cursors on every host."""
    return shape_of_lists(moment.stage, ["items", "meta", "nextCursor"])
