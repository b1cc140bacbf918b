"""Simulated clients: what each asks next, and what it learns from the answer. No input or output.

A client walks the pages of listings and of reservations by cursor or by offset, whichever the last
answer spoke of, reads details of listings that it has seen, makes reservations and changes its own.
Where lists come in the new format, some reservations carry a channel: only that release knows it.
Reservations of all clients are read again at once and later, where lists should show them too.
"""

from __future__ import annotations

import json
import random
from bisect import bisect
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import accumulate
from typing import Any
from urllib.parse import quote

from rollback_drill.stage.answers import BadAnswer, parse_json
from rollback_drill.subject.hostaway.knowledge import Knowledge
from rollback_drill.subject.hostaway.pages import is_whole, page_of
from rollback_drill.subject.hostaway.places import Places
from rollback_drill.traffic.contradictions import Contradictions
from rollback_drill.traffic.crowd import Ask, Simulated, crowd
from rollback_drill.traffic.interface import Interface
from rollback_drill.traffic.observation import Outcome, surely_not_done
from rollback_drill.traffic.orders import Orders

LIMIT = 20  # rows of a page; a cursor is only good for the limit it was issued for
MIX = {  # percent
    "listings": 62,
    "details": 11,
    "reservations": 5,
    "own": 12,
    "create": 6,
    "update": 4,
}
_KINDS = tuple(MIX)
_BOUNDS = tuple(accumulate(MIX.values()))
_SEEN = 100  # listings and own reservations that a client remembers
_FIRST_NIGHT = date(2030, 1, 1)
_STATUSES = ("confirmed", "cancelled", "completed")
_CHANNELS = ("partner", "phone", "front-desk")  # none is what a migration would fill in
_DETAILS_SHARE = 0.6  # of reads of an own reservation; the rest are lists
_CITY_SHARE = 0.03  # of lists of listings
_CHANNEL_SHARE = 0.3  # of creates and updates where the service knows channels
GUESTS = ("Ana Öztürk", "Łukasz Żak", "Mary O'Neil", "李 小龍", "José Núñez", "Zoë de Vries")


@dataclass(slots=True)
class Walk:
    """A position in the pages of `kind`. `position`: query of the next page, "" for the first."""

    kind: str
    position: str = ""
    last: int | None = None  # row of the page before
    learnt: int = 0  # by what was asked in this turn

    def go_to(self, position: str, last: int | None = None) -> None:
        """Go on at `position`, after the row `last`."""
        self.position, self.last = position, last

    @property
    def path(self) -> str:
        """The path and query of the page to ask for next."""
        return f"/api/{self.kind}?limit={LIMIT}{self.position}"


@dataclass(slots=True)
class Own:
    """A reservation that this client made; `busy` while a change of it is under way."""

    id: int
    reference: str
    busy: bool = False


@dataclass(slots=True)
class Customer(Simulated):
    """One simulated client, where it stands in its lists, and what it knows."""

    listings: Walk = field(default_factory=lambda: Walk("listings"))
    reservations: Walk = field(default_factory=lambda: Walk("reservations"))
    seen: deque[int] = field(default_factory=lambda: deque(maxlen=_SEEN))
    own: deque[Own] = field(default_factory=lambda: deque(maxlen=_SEEN))


@dataclass(frozen=True, slots=True)
class ListsAsk(Ask):
    """A request, with what its answer is to be held against: `walk` for a page, `expected_id` for
    a row, `own` for a change of the customer's own, `listed` for a list by its path, in which the
    row `expected_id` is looked for. `turn`: when it was asked; `after`: the row before a page.
    """

    client: Customer
    expected_id: int = 0
    walk: Walk | None = None
    own: Own | None = None
    listed: str = ""
    turn: int = 0
    after: int | None = None


@crowd("listings")
class ListsCrowd:
    """All clients of one worker. The same `seed` asks for the same mix in the same order."""

    def __init__(self, names: list[str], seed: int, run: str, interface: Interface) -> None:
        del interface  # it is known
        self.clients = [Customer(name) for name in names]
        self._random = random.Random(seed)
        self._run = run
        self._writes = 0
        self._speaks_new = False
        self.orders = Orders()
        self._anew = self.orders.anew
        self.contradictions = Contradictions()
        self._known = Knowledge(self.contradictions)
        self._places = Places()

    def ask(self, i: int) -> ListsAsk:
        """Return request number `i`: its client's next turn, or the rogue's as ordered."""
        if self.orders.anew != self._anew:
            self._anew, self._speaks_new = self.orders.anew, False
            self._known.begin_anew()
        ask = self._next(i)
        walk = ask.walk
        after = walk.last if walk and walk.learnt >= self._known.since else None
        ask = replace(ask, turn=self._known.tick(), after=after)
        if ask.operation == "update":
            self._known.changing(ask.expected_id, sent_with(ask), ask.turn)
        return ask

    def _next(self, i: int) -> ListsAsk:
        if self.orders.rogue_share and self._random.random() < self.orders.rogue_share:
            return self._rogue()
        pick = self._random
        client = self.clients[i % len(self.clients)]
        kind = _KINDS[bisect(_BOUNDS, self._random.randrange(_BOUNDS[-1]))]
        own = self._known.pick(pick) if kind == "own" else None
        if own and pick.random() < _DETAILS_SHARE:
            path = f"/api/reservations/{own.id}"
            return ListsAsk(client, "details", "GET", path, expected_id=own.id)
        if own and not self._speaks_new:
            path = self._places.path(own.id, own.status if pick.random() < 0.5 else "")
            if path:
                return ListsAsk(
                    client, "reservations", "GET", path, expected_id=own.id, listed="reservations"
                )
        if kind in ("reservations", "own"):
            self._follow_or_not(client.reservations)
            return _page(client, client.reservations, "reservations")
        if kind == "listings" and not self._speaks_new and pick.random() < _CITY_SHARE:
            city = self._known.city_of(pick.choice(client.seen)) if client.seen else ""
            if city:
                path = f"/api/listings?city={quote(city, errors='replace')}&limit={LIMIT}"
                return ListsAsk(client, "list_first", "GET", path, listed="listings")
        if kind == "listings" or not client.seen:
            self._follow_or_not(client.listings)
            operation = "list_page" if client.listings.position else "list_first"
            return _page(client, client.listings, operation)
        if kind == "details":
            listing = self._random.choice(client.seen)
            return ListsAsk(
                client, "details", "GET", f"/api/listings/{listing}", expected_id=listing
            )
        idle = [own for own in client.own if not own.busy]
        if kind == "update" and idle:
            return self._update(client, self._random.choice(idle))
        return self._create(client)

    def learn(
        self, ask: ListsAsk, status: int, content: bytes, headers: dict[str, str]
    ) -> tuple[Outcome, str]:
        """See `learn` below."""
        del headers
        outcome, form = learn(ask, status, content)
        # What comes back after an outage may be another release: lists have to tell anew.
        if form or outcome is Outcome.UNAVAILABLE:
            if outcome is Outcome.UNAVAILABLE or self._speaks_new != (form == "new"):
                self._known.begin_anew()
            self._speaks_new = form == "new"
        self._hold(ask, status, content, outcome)
        return outcome, form

    def _hold(self, ask: ListsAsk, status: int, content: bytes, outcome: Outcome) -> None:
        """Hold an answer against what is known."""
        known, turn = self._known, ask.turn
        reads_own = ask.operation == "details" and not ask.path.startswith("/api/listings/")
        if ask.operation == "update" and surely_not_done(status):
            known.not_changed(ask.expected_id, turn)
        elif reads_own and status == 404:
            known.absent(ask.operation, ask.expected_id, turn)
        if outcome is not Outcome.OK:
            return
        kind = ask.walk.kind if ask.walk else ask.listed
        if kind:
            page = page_of(content, kind)
            assert page  # else it were no good answer
            if ask.walk:
                ask.walk.learnt = turn
            elif kind == "reservations":
                self._places.learn(ask.path, page.ids, ask.expected_id)
            known.page(ask.operation, ask.path, page, content, turn, ask.after)
            return
        row = _object_of(content)
        if ask.operation == "create":
            known.made(sent_with(ask), row, turn)
        elif ask.operation == "update":
            known.changed(ask.expected_id, sent_with(ask), row, turn)
        elif reads_own:
            known.read(ask.operation, ask.expected_id, row, turn)
        else:
            known.listing(ask.operation, row, turn)

    def never_sent(self, ask: ListsAsk) -> None:
        """See Crowd.never_sent."""
        if ask.own:
            ask.own.busy = False
            self._known.not_changed(ask.expected_id, ask.turn)

    def _channel(self) -> dict[str, object]:
        carries = self._random.random() < _CHANNEL_SHARE
        channel = self._random.choice(_CHANNELS)
        return {"channel": channel} if carries and self._speaks_new else {}

    def _follow_or_not(self, walk: Walk) -> None:
        share = self.orders.cursor_share
        if share < 1.0 and self._random.random() >= share:
            walk.go_to("")

    def _rogue(self) -> ListsAsk:
        client = Customer(self.orders.rogue)
        if self.orders.rogue_kind == "key":
            return replace(_page(client, client.listings, "list_first"), bad_key=True)
        walk = Walk("listings", f"&cursor=garbage-{self._random.randrange(10**9)}")
        return _page(client, walk, "list_page")

    def _reference(self) -> str:
        self._writes += 1
        return f"{self._run}-{self._writes}"

    def _create(self, client: Customer) -> ListsAsk:
        pick = self._random
        reference = self._reference()
        night = _FIRST_NIGHT + timedelta(days=pick.randrange(700))
        fields = {
            "reference": reference,
            "listing_id": pick.choice(client.seen),
            "guest_name": f"{pick.choice(GUESTS)} {reference}",
            "check_in": night.isoformat(),
            "check_out": (night + timedelta(days=pick.randrange(1, 15))).isoformat(),
            "total_cents": pick.randrange(5_000, 900_000),
            **self._channel(),
        }
        return ListsAsk(
            client,
            "create",
            "POST",
            "/api/reservations",
            compact(fields),
            reference,
            reference,
        )

    def _update(self, client: Customer, own: Own) -> ListsAsk:
        pick = self._random
        reference = self._reference()
        fields: dict[str, object] = {"total_cents": pick.randrange(5_000, 900_000)}
        if pick.random() < 0.5:
            fields["guest_name"] = f"{pick.choice(GUESTS)} {reference}"
        if pick.random() < 0.3:
            fields["status"] = pick.choice(_STATUSES)
        fields |= self._channel()
        own.busy = True
        return ListsAsk(
            client,
            "update",
            "PATCH",
            f"/api/reservations/{own.id}",
            compact(fields),
            reference,
            own.reference,
            expected_id=own.id,
            own=own,
        )


def _page(client: Customer, walk: Walk, operation: str) -> ListsAsk:
    return ListsAsk(client, operation, "GET", walk.path, walk=walk)


def sent_with(ask: Ask) -> dict[str, Any]:
    """Return the fields that a write sends."""
    return _object_of(ask.body.encode())


def compact(fields: dict[str, object]) -> str:
    """Return `fields` as JSON on one line without needless blanks."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def learn(ask: ListsAsk, status: int, content: bytes) -> tuple[Outcome, str]:
    """Return (outcome, format) of an answer to `ask`; its client remembers what it needs."""
    outcome, form = _judge(ask, status, content)
    # After an answer that leaves open what happened, later changes could overtake this one, and
    # nobody could say any more what the reservation should look like: it is left alone for good.
    if ask.own and (outcome is Outcome.OK or surely_not_done(status)):
        ask.own.busy = False
    return outcome, form


def _judge(ask: ListsAsk, status: int, content: bytes) -> tuple[Outcome, str]:
    if 200 <= status < 300:
        return _good(ask, content)
    if status in (502, 503, 504):
        return Outcome.UNAVAILABLE, ""
    if status >= 500:
        return Outcome.SERVER_ERROR, ""
    if status == 400 and _object_of(content).get("error") == "invalid_cursor":
        if ask.walk:
            ask.walk.go_to("")
        return Outcome.INVALID_CURSOR, ""
    if status >= 400:
        return Outcome.REJECTED, ""
    return Outcome.BAD_BODY, ""  # redirects and the like: no answer that a client could use


def _object_of(content: bytes) -> dict[str, Any]:
    """Return the object that an answer is, an empty one when it is something else."""
    try:
        body = parse_json(content)
    except BadAnswer:
        return {}
    return body if isinstance(body, dict) else {}


def _good(ask: ListsAsk, content: bytes) -> tuple[Outcome, str]:
    kind = ask.walk.kind if ask.walk else ask.listed
    if kind:
        found = page_of(content, kind)
        if found is None:
            return Outcome.BAD_BODY, ""
        if ask.walk:
            ask.walk.go_to(found.following, found.ids[-1] if found.following else None)
        if kind == "listings":
            ask.client.seen.extend(found.ids)
        return Outcome.OK, found.format
    body = _object_of(content)
    if not is_whole(body.get("id")):
        return Outcome.BAD_BODY, ""
    if ask.subject and body.get("reference") != ask.subject:
        return Outcome.BAD_BODY, ""
    if ask.operation == "create":
        ask.client.own.append(Own(body["id"], ask.reference))
    elif body["id"] != ask.expected_id:
        return Outcome.BAD_BODY, ""
    return Outcome.OK, ""
