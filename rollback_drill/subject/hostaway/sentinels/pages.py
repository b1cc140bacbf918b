"""Walks all pages of a part of the list and compares them with the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from rollback_drill.ground.verdict import Verdict
from rollback_drill.stage import http
from rollback_drill.subject.hostaway.pages import page_of
from rollback_drill.watch.sentinel import Look, StageSentinel, sentinel

_LIMIT_S = 3.0
_MOST_ROWS = 600  # of the city that is walked, if there is one that small
_PAGES = 5  # at the least, so that there are joints between pages to look at
_LARGEST = 100  # rows of a page that the service gives

_CITIES = "SELECT city, count(*) FROM listings GROUP BY city ORDER BY count(*) DESC"
_IDS = "SELECT id FROM listings WHERE city = %s ORDER BY id LIMIT %s"


@sentinel
class Pages(StageSentinel):
    """Fails when pages repeat rows, leave rows out, never end, or refuse their own cursor."""

    name = "pages"
    needs = ("known", "database")
    every_s = 5.0  # more often, its own cursors would pass for customers' use of them
    _cities: Sequence[tuple[Any, ...]] = ()

    def look(self) -> Look:
        """Walk once, through the front door."""
        # Once: to count millions takes long, and no request makes a listing.
        cities = self._cities = self._cities or self._stage.database.fetch(_CITIES)
        if not cities:
            return Look(Verdict.UNKNOWN, "there are no listings to walk through")
        city, count = next((c for c in cities if c[1] <= _MOST_ROWS), cities[-1])
        expected = [row[0] for row in self._stage.database.fetch(_IDS, (city, _MOST_ROWS))]
        limit = max(1, min(_LARGEST, len(expected) // _PAGES))
        most = len(expected) // limit + 2
        seen: list[int] = []
        query, ended = "", False
        headers = {"X-API-Key": self._stage.api_key}
        with http.Client(self._stage.base_url, headers, limit_s=_LIMIT_S) as client:
            for number in range(1, most + 1):
                url = f"/api/listings?city={quote(city)}&limit={limit}{query}"
                answer = client.get(url)
                if answer.status == 400 and "invalid_cursor" in answer.text and query:
                    return Look(Verdict.FAILED, f"page {number} was refused for its own cursor")
                if answer.status != 200:
                    return Look(Verdict.UNKNOWN, f"page {number} was answered {answer.status}")
                found = page_of(answer.content, "listings")
                if found is None:
                    return Look(Verdict.UNKNOWN, f"page {number} has neither format")
                if len(found.ids) > limit:
                    told = f"page {number} has {len(found.ids)} rows, where {limit} were asked for"
                    return Look(Verdict.FAILED, told)
                seen.extend(found.ids)
                query = found.following
                if not query:
                    ended = True
                    break
        return _compare(expected, seen, ended, whole=count == len(expected), where=city)


def _compare(expected: list[int], seen: list[int], ended: bool, *, whole: bool, where: str) -> Look:
    wanted = expected if whole else [i for i in expected if seen and i <= max(seen)]
    repeated = [row for row, times in Counter(seen).items() if times > 1]
    missing = sorted(set(wanted) - set(seen))
    told = f"a walk of {len(seen)} rows through {where}"
    if repeated:
        return Look(
            Verdict.FAILED, f"{told} met {len(repeated)} of them twice, such as {repeated[0]}"
        )
    if missing:
        return Look(
            Verdict.FAILED, f"{told} missed {len(missing)} of {len(wanted)}, such as {missing[0]}"
        )
    if whole and not ended:
        return Look(Verdict.FAILED, f"{told} did not end after {len(wanted)}")
    return Look(Verdict.PASSED, f"{told} met each of {len(wanted)} once")
