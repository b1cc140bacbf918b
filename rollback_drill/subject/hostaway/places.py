"""At which offset a reservation stands in a list: guessed, and mended by what lists show."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from rollback_drill.subject.hostaway.knowledge import asked_page

_LIMIT = 30
_MARGIN = 12  # rows before the one that is looked for
_DEEPEST = 20_000  # rows: beyond, a list costs the database more than it shows


@dataclass(slots=True)
class _Bounds:
    """A list whose end moves: there are rows at `low`, and at `high` there were none, if known."""

    low: int = 0
    high: int | None = None
    step: int = _LIMIT

    def offset(self) -> int:
        if self.high is None:
            return self.low + self.step
        if self.high - self.low > _MARGIN:
            return (self.low + self.high) // 2
        return max(0, self.low - _MARGIN)

    def learn(self, offset: int, *, before: bool, after: bool) -> None:
        """Learn that rows at `offset` are all `before` the wanted one, `after` it, or around it."""
        if before:
            self.low, self.step = max(self.low, offset + _LIMIT), 2 * self.step
            if self.high is not None and self.high <= self.low:
                self.high = None
        elif after:
            self.high, self.step = offset, _LIMIT
            if self.low >= offset:
                self.low = max(0, offset - 4 * _LIMIT)
        else:
            self.low, self.high = offset, offset + _MARGIN


class Places:
    """Where rows are by their ids in the list of all, and the newest ones in that of a status."""

    def __init__(self) -> None:
        self._shift = -1  # ids from 1 on, without gaps
        self._of_status: dict[str, _Bounds] = {}

    def path(self, id_: int, status: str) -> str:
        """Return the path of the page in which a reservation is looked for; "" for one too deep."""
        if status:
            offset = self._of_status.setdefault(status, _Bounds()).offset()
            filtered = f"status={quote(status, errors='replace')}&"
        else:
            offset, filtered = max(0, id_ + self._shift - _MARGIN), ""
        if offset > _DEEPEST:
            return ""
        return f"/api/reservations?{filtered}limit={_LIMIT}&offset={offset}"

    def learn(self, path: str, ids: tuple[int, ...], wanted: int) -> None:
        """Learn what a page showed that was asked for to find the row `wanted`."""
        asked = asked_page(path)
        if asked.wanted is not None:
            bounds = self._of_status.setdefault(asked.wanted, _Bounds())
            full = len(ids) == asked.limit
            bounds.learn(
                asked.offset,
                before=bool(ids) and full and ids[-1] < wanted,
                after=not ids or ids[0] > wanted,
            )
        elif ids:
            self._shift = asked.offset + len(ids) - 1 - ids[-1]
        else:
            self._shift = asked.offset // 2 - wanted
