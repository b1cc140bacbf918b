"""Customers who walk all pages slowly, and what a rollback in the middle of it does to them.

Each asks for one page after the other as the last answer says, by cursor or by offset, with a
pause between, and asks again where no answer came. Every walk is recorded with what it met: rows
that came twice, rows that never came, requests that were refused. The last one is cut off.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rollback_drill.ground import clock
from rollback_drill.record.timeline import Timeline
from rollback_drill.record.watched import Watched
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.stage.model import Stage, lacks_of
from rollback_drill.subject.hostaway.pages import page_of
from rollback_drill.subject.hostaway.told import Walked
from rollback_drill.traffic import orders

_WALKERS = 3
_NEEDS = ("known", "database")
_LIMIT = 100  # with which a walk comes to its end within a drill
_PAUSE_S = 0.15
_TIMEOUT_S = 5.0
_MOST_REFUSALS = 20  # then a customer gives this walk up
_MOST_PAGES = 250  # of one walk: one that never ends, or through millions of rows, is cut off
_GRACE_S = 10.0


class Walkers:
    """Walks in threads of their own until the block ends. Use as a context manager."""

    def __init__(self, stage: Stage, timeline: Timeline, traffic: Path) -> None:
        self._stage = stage
        self._traffic = traffic
        self._timeline = timeline
        self._over = clock.signal()
        there = not lacks_of(stage, _NEEDS)
        self._threads = [
            Watched(f"walker-{n}", self._go, f"walker-{n}", over=self._over)
            for n in range(1, _WALKERS + 1)
            if there
        ]

    def __enter__(self) -> Walkers:
        if not self._threads:
            return self
        fetch = self._stage.database.fetch
        ((self._total,),) = fetch("SELECT count(*) FROM listings")
        first = "SELECT id FROM listings ORDER BY id LIMIT %s"
        self._first = [row[0] for row in fetch(first, (_MOST_PAGES * _LIMIT,))]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.end(_GRACE_S)

    def _go(self, name: str) -> None:
        headers = {"X-API-Key": self._stage.api_key}
        with http.Client(self._stage.base_url, headers, limit_s=_TIMEOUT_S) as client:
            while not self._over.is_set():
                walked = self._walk(client, name)
                if walked is not None:
                    self._timeline.record(walked)

    def _walk(self, client: http.Client, name: str) -> Walked | None:
        """Walk once from the first page to the last, or as far as there is time; None when that was
        not one page, or others do not walk.
        """
        seen: Counter[int] = Counter()
        formats: list[str] = []
        refused = unanswered = pages = 0
        began_at = clock.now()
        position, ended = "", False
        while pages < _MOST_PAGES:
            if self._over.wait(_PAUSE_S):
                if not pages:
                    return None
                break
            if orders.read_orders(self._traffic).cursor_share < 1.0:
                return None  # where clients do not follow cursors, these customers do not either
            try:
                answer = client.get(f"/api/listings?limit={_LIMIT}{position}")
            except NoAnswer:
                unanswered += 1
                continue
            if answer.status == 400:
                refused += 1
                position = ""  # all that a client can do: begin again
                if refused >= _MOST_REFUSALS:
                    break
                continue
            found = page_of(answer.content, "listings") if answer.ok else None
            if found is None or len(found.ids) > _LIMIT:
                unanswered += 1
                continue
            pages += 1
            seen.update(found.ids)
            if formats[-1:] != [found.format]:
                formats.append(found.format)
            position = found.following
            if not position:
                ended = True
                break
        return Walked(
            walker=name,
            formats=tuple(formats),
            rows=seen.total(),
            repeated=seen.total() - len(seen),
            skipped=self._total - len(seen) if ended else self._left_out(seen),
            refused=refused,
            unanswered=unanswered,
            ended=ended,
            began_at=began_at,
        )

    def _left_out(self, seen: Counter[int]) -> int:
        """Return how many rows a walk has not met up to where it is: one that ended has had all."""
        last = max(seen, default=0)
        return sum(row <= last and row not in seen for row in self._first)
