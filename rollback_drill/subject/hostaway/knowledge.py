"""What the clients of one worker know of rows together, and what answers must be by that.

An answer is held against what was known when it was asked. A reservation that is being changed may
be shown as it was or as it will be, until the change is acknowledged; one whose change nobody knows
the end of, either way for good. After an outage everything has to be seen once before it counts.
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import Any
from urllib.parse import parse_qs

from rollback_drill.subject.hostaway.pages import Page
from rollback_drill.traffic.contradictions import Contradiction, Contradictions, Invariant

_Row = Mapping[str, Any]
TOUCHED = "updated_at"  # by whatever changes a row
_EXTRA = "channel"  # is only told to who gives it
_FILTERS = {"listings": "city", "reservations": "status"}
_START, _END = -1, -2  # of a list, where other rows have ids
_STATES = 4  # of a reservation that are remembered
_RECENT = 300
_NEWEST, _NEWEST_SHARE = 10, 0.5
_LONGEST = 200  # characters of what a list is filtered by
_MOST_PAGES = 1_000
_UNDER_WAY = 200  # reservations that may be made at once, and be seen in another order


@dataclass(slots=True)
class _State:
    """How a reservation may be shown from the turn in which this was `asked` until the one in which
    it `ended`. What a change that is under way touches is not known.
    """

    row: _Row
    asked: float
    ended: float = inf

    def fits(self, row: _Row) -> bool:
        """Whether `row` shows it."""
        if TOUCHED in self.row:
            return row == self.row
        return _but_touched(row) == self.row


@dataclass(slots=True, eq=False)
class Written:
    """A reservation that a client of ours made. `seen`: whether that, or how it is shown, is of
    this time.
    """

    id: int
    made: int  # in this turn it was acknowledged
    states: deque[_State] = field(default_factory=lambda: deque(maxlen=_STATES))
    seen: bool = True

    @property
    def status(self) -> str:
        """What it was last known to be in."""
        return str(self.states[-1].row.get("status") or "")[:_LONGEST]

    def within(self, turn: int) -> list[_State]:
        """Return how it may be shown by an answer that was asked in `turn`."""
        return [one for one in self.states if one.ended >= turn]


@dataclass(frozen=True, slots=True)
class AskedPage:
    """What a page was asked for by its path and query."""

    kind: str
    limit: int
    offset: int
    by_cursor: bool
    wanted: str | None  # by the filter of its kind

    @property
    def whole(self) -> bool:
        """Whether it is one of all rows."""
        return self.wanted is None


@functools.lru_cache(maxsize=1_024)
def asked_page(path: str) -> AskedPage:
    """Return what the page at `path` is."""
    where, _, query = path.partition("?")
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    kind = where.rpartition("/")[2]
    return AskedPage(
        kind,
        int(asked["limit"]),
        int(asked.get("offset", "0")),
        "cursor" in asked,
        asked.get(_FILTERS[kind]),
    )


class Knowledge:
    """See above. `turn` counts what is asked and answered, so that one is before another."""

    def __init__(self, contradictions: Contradictions) -> None:
        self._told = contradictions
        self.turn = 0
        self._since = 0  # the turn in which this time began
        self._listings: dict[int, _Row] = {}
        self._next: dict[tuple[str, int], int] = {}  # what follows a row in the list of all
        self._others: dict[int, _Row] = {}  # reservations that our clients did not make
        self._written: dict[int, Written] = {}
        self._ids: list[int] = []  # of what our clients wrote, in order
        self._recent: deque[Written] = deque(maxlen=_RECENT)
        self._pages: set[tuple[str, bytes]] = set()  # that were held already, with their paths

    def tick(self) -> int:
        """Return the next turn."""
        self.turn += 1
        return self.turn

    def begin_anew(self) -> None:
        """Nothing that was shown counts any more: the service may be another."""
        self._since = self.tick()
        self._told.begin_anew()
        for known in (self._listings, self._next, self._others, self._pages):
            known.clear()
        for one in self._recent:
            one.seen = False

    @property
    def since(self) -> int:
        """The turn in which this time began."""
        return self._since

    def pick(self, random: Random) -> Written | None:
        """Return a reservation of ours that is there, often one of those that were just written."""
        some = self._recent
        least = len(some) - _NEWEST if random.random() < _NEWEST_SHARE else 0
        one = some[random.randrange(max(0, least), len(some))] if some else None
        return one if one and one.seen else None

    def city_of(self, listing: int) -> str:
        """Return the city of a listing, "" where it is not known."""
        return str(self._listings.get(listing, {}).get("city") or "")[:_LONGEST]

    # Writes.

    def made(self, sent: _Row, row: _Row, turn: int) -> None:
        """Learn that a reservation was acknowledged as `row`, asked for in `turn`."""
        before = self._written.get(row["id"])
        if before:
            self._forget(before)
        one = Written(row["id"], self.tick(), seen=turn >= self._since)
        one.states.append(_State(_shown(row), 0))
        if one.seen:
            told = _part(sent, row)
            self._compare(Invariant.ACKNOWLEDGED, "create", "POST /api/reservations", sent, told)
        self._written[one.id] = one
        insort(self._ids, one.id)
        self._keep(one)

    def changing(self, id_: int, fields: _Row, turn: int) -> None:
        """Learn that a change of a reservation is asked for."""
        one = self._written.get(id_)
        if one and one.states:
            new = _but_touched({**one.states[-1].row, **_shown(fields)})
            one.states.append(_State(new, turn))

    def changed(self, id_: int, fields: _Row, row: _Row, turn: int) -> None:
        """Learn that the change that was asked for in `turn` was acknowledged with `row`."""
        one = self._written.get(id_)
        if not one:
            return
        now, asked = self.tick(), f"PATCH /api/reservations/{id_}"
        pending = next((state for state in one.states if state.asked == turn), None)
        before = [state for state in one.states if state.asked < turn and state.ended == inf]
        wanted: _Row = _shown(row)
        if turn < self._since:
            one.seen = False
        elif pending and one.seen and len(before) == 1:
            expected, found = {**pending.row, **_part(row, fields)}, _but_touched(row)
            if before[0].row.get(TOUCHED, ...) == row.get(TOUCHED):
                expected[TOUCHED], found[TOUCHED] = "another than before", row.get(TOUCHED)
            self._compare(Invariant.CHANGED, "update", asked, expected, found)
            wanted = {**pending.row, TOUCHED: row.get(TOUCHED)}
        else:
            self._compare(Invariant.CHANGED, "update", asked, fields, _part(fields, row))
            one.seen = True
        for state in before:
            state.ended = now
        if pending:
            one.states.remove(pending)
        one.states.append(_State(wanted, turn))
        self._keep(one)

    def not_changed(self, id_: int, turn: int) -> None:
        """Learn that the change that was asked for in `turn` was surely not done."""
        one = self._written.get(id_)
        if one:
            kept = [state for state in one.states if state.asked != turn]
            one.states.clear()
            one.states.extend(kept)

    # Reads.

    def read(self, operation: str, id_: int, row: _Row, turn: int) -> None:
        """Learn what details of a reservation are shown."""
        if turn >= self._since:
            self._reservation(operation, f"GET /api/reservations/{id_}", row, turn)

    def absent(self, operation: str, id_: int, turn: int) -> None:
        """Learn that there is no such reservation."""
        one = self._written.get(id_)
        if one and turn >= max(self._since, one.made):
            asked = f"GET /api/reservations/{id_}"
            if one.seen:
                self._add(
                    Invariant.WRITTEN, operation, asked, "the reservation", "that there is none"
                )
            self._forget(one)

    def listing(self, operation: str, row: _Row, turn: int) -> None:
        """Learn what details of a listing are shown."""
        if turn >= self._since:
            self._listing(operation, f"GET /api/listings/{row['id']}", row)

    def page(
        self, operation: str, path: str, page: Page, content: bytes, turn: int, after: int | None
    ) -> None:
        """Learn what a page shows; it goes on a walk where that was `after` this row (None: nobody
        knows).
        """
        if turn < self._since:
            return
        asked = asked_page(path)
        if asked.whole and not (asked.by_cursor and after is None):
            self._joint(operation, path, asked, page, after)
        if (path, content) in self._pages:  # and nothing in it is changed by anyone
            for rule in (Invariant.ASKED, Invariant.ORDER, Invariant.AGREE):
                self._told.compared[rule] += 1
            return
        self._as_asked(operation, path, asked, page)
        self._in_order(operation, path, asked, page)
        for row in page.rows:
            if asked.kind == "listings":
                self._listing(operation, f"GET {path}", row)
            else:
                self._reservation(operation, f"GET {path}", row, turn)
        if asked.by_cursor:
            return
        if asked.kind == "reservations":
            self._lists_written(operation, path, asked, page, turn)
            if self._ids and (not page.ids or page.ids[-1] >= self._ids[0]):
                return  # another one may come into it
        elif not asked.whole:
            self._lists_city(operation, path, asked, page)
            return  # it may lack a row that is only known later
        if len(self._pages) < _MOST_PAGES:
            self._pages.add((path, content))

    def _as_asked(self, operation: str, path: str, asked: AskedPage, page: Page) -> None:
        count, limit, offset = page.told
        told = {"limit": limit, "rows at most": len(page.ids) > asked.limit}
        wanted = {"limit": asked.limit, "rows at most": False}
        if page.format == "old":
            told |= {"count": count, "offset": offset}
            wanted |= {"count": len(page.ids), "offset": asked.offset}
        self._compare(Invariant.ASKED, operation, f"GET {path}", wanted, told)
        name = _FILTERS[asked.kind]
        for row in page.rows if asked.wanted is not None else ():
            if row.get(name, asked.wanted) != asked.wanted:
                expected = f"rows with {name} {asked.wanted!r} only"
                seen = f"row {row.get('id')} with {row.get(name)!r}"
                self._add(Invariant.LISTED, operation, f"GET {path}", expected, seen)
                break

    def _in_order(self, operation: str, path: str, asked: AskedPage, page: Page) -> None:
        self._told.compared[Invariant.ORDER] += 1
        for one, other in zip(page.ids, page.ids[1:], strict=False):
            if other <= one:
                expected = f"rows after {one}"
                self._add(Invariant.ORDER, operation, f"GET {path}", expected, f"row {other}")
                return
        if asked.whole:
            for one, other in zip(page.ids, page.ids[1:], strict=False):
                self._follows(operation, path, asked.kind, one, other)

    def _joint(
        self, operation: str, path: str, asked: AskedPage, page: Page, after: int | None
    ) -> None:
        """Hold where a page of all rows begins and ends against other pages."""
        if not asked.by_cursor and not asked.offset:
            after = _START
        if after is not None:
            first = page.ids[0] if page.ids else _END
            self._follows(operation, path, asked.kind, after, first)
        if page.ids and not page.following and len(page.ids) < asked.limit:
            self._follows(operation, path, asked.kind, page.ids[-1], _END)

    def _follows(self, operation: str, path: str, kind: str, one: int, other: int) -> None:
        if kind == "reservations" and not (
            self._ids and max(one, other) < self._ids[0] - _UNDER_WAY and other != _END
        ):
            return  # one may come between them
        known = self._next.setdefault((kind, one), other)
        if known != other:
            expected = f"{_named(known)} after {_named(one)}, as other pages have it"
            self._add(
                Invariant.ORDER, operation, f"GET {path}", expected, _named(other), shared=True
            )

    def _lists_written(
        self, operation: str, path: str, asked: AskedPage, page: Page, turn: int
    ) -> None:
        """Every reservation of ours that belongs into the page must be in it."""
        for id_ in self._within(self._ids, asked, page):
            one = self._written[id_]
            states = one.within(turn)
            if not one.seen or one.made > turn or not states:
                continue
            belongs = [asked.whole or state.row.get("status") == asked.wanted for state in states]
            self._told.compared[Invariant.LISTED] += 1
            if all(belongs) and id_ not in page.ids:
                expected = f"reservation {id_} among {_span(page)}"
                self._add(
                    Invariant.LISTED, operation, f"GET {path}", expected, "that it is not there"
                )

    def _lists_city(self, operation: str, path: str, asked: AskedPage, page: Page) -> None:
        there = sorted(i for i, row in self._listings.items() if row.get("city") == asked.wanted)
        for id_ in self._within(there, asked, page):
            self._told.compared[Invariant.LISTED] += 1
            if id_ not in page.ids:
                expected = f"listing {id_} among {_span(page)}"
                seen = "that it is not there"
                self._add(Invariant.LISTED, operation, f"GET {path}", expected, seen, shared=True)

    def _within(self, ids: list[int], asked: AskedPage, page: Page) -> list[int]:
        """Return those of the sorted `ids` that are between the ends of a page by offset."""
        if page.format != "old" and asked.offset:
            return []
        low = bisect_left(ids, page.ids[0]) if page.ids and asked.offset else 0
        if not page.ids and asked.offset:
            return []
        short = len(page.ids) < asked.limit
        return ids[low : None if short else bisect_right(ids, page.ids[-1])]

    def _listing(self, operation: str, asked: str, row: _Row) -> None:
        known = self._listings.setdefault(row["id"], row)
        self._told.compared[Invariant.AGREE] += 1
        if known != row:
            self._differ(Invariant.AGREE, operation, asked, known, row, shared=True)

    def _reservation(self, operation: str, asked: str, row: _Row, turn: int) -> None:
        row = _shown(row)
        one = self._written.get(row["id"])
        if one is None:
            self._other(operation, asked, row)
            return
        states = one.within(turn)
        if not states:
            return
        if not one.seen:
            # After a restored backup another's reservation may bear the id. Only what nobody
            # changes meanwhile can be learnt.
            if row.get("reference") != one.states[-1].row.get("reference"):
                self._forget(one)
            elif len(states) == 1 and len(one.states) == 1:
                one.states[0].row, one.seen = row, True
            return
        self._told.compared[Invariant.WRITTEN] += 1
        if not any(state.fits(row) for state in states):
            self._differ(Invariant.WRITTEN, operation, asked, states[-1].row, row)

    def _other(self, operation: str, asked: str, row: _Row) -> None:
        """A row that others may change, and then say so by when it was touched."""
        known = self._others.get(row["id"])
        if known is None or known.get(TOUCHED) != row.get(TOUCHED):
            self._others[row["id"]] = row
            return
        self._told.compared[Invariant.AGREE] += 1
        if known != row:
            self._differ(Invariant.AGREE, operation, asked, known, row, shared=True)

    def _compare(
        self, rule: Invariant, operation: str, asked: str, expected: _Row, found: _Row
    ) -> None:
        self._told.compared[rule] += 1
        if found != expected:
            self._differ(rule, operation, asked, expected, found)

    def _differ(
        self,
        rule: Invariant,
        operation: str,
        asked: str,
        expected: _Row,
        found: _Row,
        *,
        shared: bool = False,
    ) -> None:
        name = next(_differing(expected, found), "")
        who = f" of row {found['id']}" if "id" in found else ""
        self._add(
            rule,
            operation,
            asked,
            f"{name} {expected.get(name)!r}{who}",
            repr(found[name]) if name in found else "nothing",
            shared=shared,
        )

    def _add(
        self,
        rule: Invariant,
        operation: str,
        asked: str,
        expected: str,
        seen: str,
        *,
        shared: bool = False,
    ) -> None:
        self._told.add(Contradiction(rule, operation, asked, expected, seen, shared))

    def _keep(self, one: Written) -> None:
        if len(self._recent) == _RECENT and self._recent[0] is not one:
            self._forget(self._recent[0])
        if one in self._recent:
            self._recent.remove(one)
        self._recent.append(one)

    def _forget(self, one: Written) -> None:
        self._written.pop(one.id, None)
        place = bisect_left(self._ids, one.id)
        if self._ids[place : place + 1] == [one.id]:
            del self._ids[place]
        if one in self._recent:
            self._recent.remove(one)


def _shown(row: _Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != _EXTRA}


def _but_touched(row: _Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != TOUCHED}


def _part(wanted: _Row, row: _Row) -> dict[str, Any]:
    """Return what `row` says of the fields of `wanted`."""
    return {name: row[name] for name in wanted if name in row}


def _differing(expected: _Row, found: _Row) -> Iterator[str]:
    for name in sorted(expected.keys() | found.keys()):
        if name not in expected or name not in found or expected[name] != found[name]:
            yield name


def _named(id_: int) -> str:
    return {_START: "the beginning", _END: "the end"}.get(id_, f"row {id_}")


def _span(page: Page) -> str:
    return f"{page.ids[0]} to {page.ids[-1]}" if page.ids else "no rows at all"
