"""Customers who keep a cursor: handed out before a rollback, and shown after each procedure.

What the release that then serves makes of it is recorded: it may go on where the cursor stands,
begin anew without a word, refuse it, or give a page that is neither, which skips rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollback_drill.ground.clock import now
from rollback_drill.record.timeline import Timeline
from rollback_drill.stage import http
from rollback_drill.stage.answers import NoAnswer
from rollback_drill.subject.hostaway.pages import Page, page_of
from rollback_drill.subject.hostaway.told import CursorAnswer, CursorShown
from rollback_drill.watch.told import NotSeen

_KEPT = 3
_LIMIT = 25  # a cursor is only good for the limit it was issued for
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A cursor: the query that shows it, what came with it when it was new, and when it was."""

    query: str
    page: int
    ids: tuple[int, ...]
    at: float


class KeptCursors:
    """The cursors of one drill, from the service at `base_url`."""

    def __init__(self, base_url: str, api_key: str, timeline: Timeline) -> None:
        self._base_url = base_url
        self._headers = {"X-API-Key": api_key}
        self._timeline = timeline
        self._first: tuple[int, ...] = ()
        self._kept: list[Kept] = []

    @property
    def count(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def keep(self) -> None:
        """Walk a few pages, and keep their cursors. Where lists have none, nothing is kept."""
        with self._client() as client:
            try:
                found = self._read(client, "")
                self._first = found.ids
                while "cursor=" in found.following and len(self._kept) < _KEPT:
                    query, at = found.following, now()
                    found = self._read(client, query)
                    self._kept.append(Kept(query, len(self._kept) + 2, found.ids, at))
            except NoAnswer as error:
                self._timeline.record(NotSeen("what becomes of kept cursors", str(error)))

    def show(self, moment: str) -> None:
        """Show all of them to the service; what it answers stands under `moment`."""
        with self._client() as client:
            for one in self._kept:
                try:
                    answer = client.get(self._path(one.query))
                except NoAnswer as error:
                    status, found = error.status, None
                else:
                    status, found = answer.status, self._page(answer)
                self._timeline.record(
                    CursorShown(
                        moment=moment,
                        page=one.page,
                        age_s=round(now() - one.at, 3),
                        status=status,
                        format=found.format if found else "",
                        answer=self._answer(one, status, found),
                    )
                )

    def _read(self, client: http.Client, query: str) -> Page:
        """Return a page. Raises NoAnswer where none came."""
        answer = client.get(self._path(query))
        found = self._page(answer)
        if found is None:
            raise NoAnswer(f"status {answer.status}, which is no page", status=answer.status)
        return found

    def _answer(self, one: Kept, status: int, found: Page | None) -> CursorAnswer:
        if found is not None and found.ids == one.ids:
            return CursorAnswer.WENT_ON
        if found is not None and found.ids == self._first:
            return CursorAnswer.BEGAN_ANEW
        if found is not None:
            return CursorAnswer.ANOTHER_PAGE
        return CursorAnswer.REFUSED if 400 <= status < 500 else CursorAnswer.NO_PAGE

    def _client(self) -> http.Client:
        return http.Client(self._base_url, self._headers, limit_s=_TIMEOUT_S)

    @staticmethod
    def _path(query: str) -> str:
        return f"/api/listings?limit={_LIMIT}{query}"

    @staticmethod
    def _page(answer: http.Answer) -> Page | None:
        return page_of(answer.content, "listings") if answer.ok else None
