"""In which format do lists come?"""

from __future__ import annotations

import re

from rollback_drill.ground.finding import Finding, judged
from rollback_drill.perform.check import check
from rollback_drill.perform.moment import Moment
from rollback_drill.subject.hostaway.subjects import client, object_of


@check(
    r"lists come in old format",
    r"old (?:list )?format<DONE> returned",
    r"pagination(?: is| has been)? (?:off|disabled)",
    examples=["Lists come in the old format", "Pagination is off"],
    needs="listings",
)
def old_format(moment: Moment, match: re.Match[str]) -> Finding:
    """Lists have the old shape on every host, and no trace of cursors."""
    seen = {}
    for name, url in moment.stage.direct_urls.items():
        with client(moment.stage, url) as http:
            answer = http.get("/api/listings", params={"limit": 10})
        seen[name] = sorted(object_of(answer)) if answer.ok else [str(answer.status)]
    wanted = ["count", "limit", "listings", "offset"]
    return judged(all(keys == wanted for keys in seen.values()), _fields(seen), ", ".join(wanted))


def _fields(seen: dict[str, list[str]]) -> str:
    return "; ".join(f"{name} answers lists with {', '.join(keys)}" for name, keys in seen.items())


@check(
    r"pagination(?: is| has been)? (?:on|enabled)",
    r"lists come in new format",
    examples=["Pagination is on"],
    needs="listings",
)
def new_format(moment: Moment, match: re.Match[str]) -> Finding:
    """Lists come in pages with cursors on every host."""
    seen = {}
    for name, url in moment.stage.direct_urls.items():
        with client(moment.stage, url) as http:
            answer = http.get("/api/listings", params={"limit": 10})
        seen[name] = sorted(object_of(answer)) if answer.ok else [str(answer.status)]
    wanted = ["items", "meta", "nextCursor"]
    return judged(all(keys == wanted for keys in seen.values()), _fields(seen), ", ".join(wanted))
