"""The demo as the engine asks it: lists of listings and reservations, and writes to the latter."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from rollback_drill.ground.clock import now
from rollback_drill.ground.finding import Finding, failed, judged
from rollback_drill.runbook.monitoring import MetricNames
from rollback_drill.stage.answers import BadAnswer
from rollback_drill.stage.asking import keyed
from rollback_drill.stage.http import Answer, Client
from rollback_drill.stage.strangers import Door, strangers_refused
from rollback_drill.subject.documents import REFERENCE
from rollback_drill.subject.hostaway.crowds import GUESTS
from rollback_drill.subject.hostaway.pages import is_whole
from rollback_drill.subject.hostaway.questions import (
    ASKS,
    Extent,
    answers_by_rows,
    extents,
    newest_of,
    questions_of,
)
from rollback_drill.subject.hostaway.recipe import RECIPE, TABLE
from rollback_drill.subject.hostaway.sequences import wrong_in_life, wrong_in_rare_life
from rollback_drill.subject.questions import GoldenQuestion
from rollback_drill.subject.recipe import Recipe
from rollback_drill.subject.subject import Place, Table, subject
from rollback_drill.traffic.interface import Interface

_TIMEOUT_S = 5.0
_MOST_PATHS = 1_000
_MOST_ROWS = 2**30
_MOST_BYTES = 8 * 2**20  # the document of a large API is long
_ALWAYS_UNAVAILABLE = {"/maintenance"}  # answers 503 by design, to drain a host
_LISTS = ("/api/listings?limit=1", "/api/reservations?limit=1")
# What strangers send would change nothing if they were let in: no such row, and nothing to change.
_NO_ROW = f"/api/reservations/{2**62}"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
_OPEN = {"/health", "/ready", "/maintenance", "/metrics"}
_DOORS = (
    *(Door("GET", path, opens=path in _LISTS) for path in (*_LISTS, "/api/listings/1")),
    Door("POST", "/api/reservations", "{}"),
    *(Door(method, _NO_ROW, "{}" if method != "GET" else "") for method in ("GET", "PATCH")),
    *(
        Door(method, path, every_way=False)
        for path in ("/api/listings", "/api/listings/1", "/api/reservations", _NO_ROW)
        for method in _METHODS
    ),
    *(
        Door("GET", path, every_way=False)
        for path in ("/openapi.json", "/docs", "/api", "/none", "/health/api/listings", "/")
    ),
)


@subject("listings")
class Hostaway:
    """See subject.subject.Subject, subject.questions.Asks and KnowsRows."""

    name = "listings"
    asks = ASKS
    document = "/openapi.json"
    no_document = ""
    ready = "/ready"
    probe = "/api/listings?limit=20"
    reads: Mapping[str, str] = MappingProxyType(
        dict(zip(("list", "reservations"), _LISTS, strict=True))
    )
    writes: Collection[str] = frozenset({"create", "update"})
    table: Table | None = TABLE
    control = "SELECT 1 FROM listings LIMIT 1"
    recipe: Recipe | None = RECIPE
    metrics = MetricNames("hostaway-mcp", "hostaway_requests_total", "hostaway_request_seconds")
    people: Collection[str] = GUESTS
    leaves: tuple[str, ...] = ("Lists come in the old format",)

    def __init__(self, interface: Interface) -> None:
        del interface  # it is known

    def reads_succeed(self, place: Place, status: int | None) -> Finding:
        """A list, one of its entries and the reservations can be read on every host."""
        del status  # there is but one for a good answer
        seen = []
        for name, url in place.direct_urls.items():
            with client(place, url) as http:
                listings = http.get("/api/listings", params={"limit": 10})
                seen.append((name, "/api/listings", listings.status))
                first = next(iter(_rows(listings)), None)
                if first is None:
                    got = f"{listings.status}, {len(listings.content)} bytes without a row"
                    return failed(f"{name} answers /api/listings with {got}", "listings")
                for path in (f"/api/listings/{first.get('id')}", "/api/reservations?limit=10"):
                    seen.append((name, path, http.get(path).status))
        bad = [entry for entry in seen if entry[2] != 200]
        told = ", ".join(f"{name} {path} {got}" for name, path, got in bad or seen)
        return judged(not bad, told, "200")

    def all_works(self, place: Place) -> Finding:
        """Every operation that the running release documents answers 2xx through the front door."""
        with client(place, place.base_url) as http:
            document = http.get("/openapi.json")
            if document.status != 200:
                return failed(f"/openapi.json answers {document.status}", "a list of endpoints")
            seen = [
                (f"{method.upper()} {path}", status)
                for method, path, status in _call_all(http, _paths(document))
            ]
        bad = [entry for entry in seen if not 200 <= entry[1] < 300]
        told = ", ".join(f"{operation} {status}" for operation, status in bad or seen)
        return judged(bool(seen) and not bad, told or "the release documents no endpoint", "2xx")

    def strangers_refused(self, place: Place) -> Finding:
        """Every host and the front door refuse strangers, whatever they ask and however."""
        with client(place, next(iter(place.direct_urls.values()), place.base_url)) as http:
            document = http.get("/openapi.json")
            paths = _paths(document) if document.status == 200 else {}
        unasked = [] if paths else ["what only a document of the API would name"]
        ours = place.limits is None
        unasked += [] if ours else ["the key in the query, which logs would keep"]
        doors = dict.fromkeys([*_DOORS, *_documented(paths)])
        return strangers_refused(place, doors, refusals={401}, in_query=ours, unasked=unasked)

    def serves_stable(self, place: Place) -> Finding:
        """Lists have the old shape on every host, and no trace of cursors."""
        return shape_of_lists(place, ["count", "limit", "listings", "offset"])

    def writes_kept(self, place: Place) -> Finding:
        """A row written through the API stands in the database and can be read back through it; a
        change changes what it names and nothing else, at every host.
        """
        with client(place, place.base_url) as http:
            sent, made = _make(http)
            if made.status != 201:
                return failed(f"creating a reservation was answered {made.status}", "201")
            created = _object_of(made).get("id", 0)
            if not is_whole(created):
                return failed(
                    f"a reservation was made with the id {str(created)[:80]!r}", "a number"
                )
            stored = place.database.fetch(
                "SELECT guest_name, total_cents FROM reservations WHERE id = %s", (created,)
            )
            answer = http.get(f"/api/reservations/{created}")
            read = _object_of(answer) if answer.ok else {}
        same = stored == [(read.get("guest_name"), read.get("total_cents"))]
        got = f"answered {answer.status}"
        if read:
            got += f" with {read.get('guest_name')}, {read.get('total_cents')} cents"
        kept = "; ".join(f"{name}, {cents} cents" for name, cents in stored) or "nothing"
        told = f"reservation {created} is stored as {kept}; read back it was {got}"
        if not same:
            return failed(told, "the same in both")
        wrong = list(wrong_in_life(place, sent, made))
        wrong = wrong or list(wrong_in_rare_life(place, sent, f"check-{now():.6f}"))
        return judged(not wrong, "; ".join(wrong) or told, "a life as its contract says")

    def questions(self, place: Place, seed: int) -> tuple[GoldenQuestion, ...]:
        """Ask for rows that there are, by the database where there is one."""
        known = extents(place.database) if place.database else _extents_by_asking(place)
        return questions_of(known, seed)

    def well_formed(self) -> Mapping[str, Mapping[str, object]]:
        """See Documented.well_formed: the first listing is there on every stage of the suite."""
        return {"POST /api/reservations": _good_reservation(REFERENCE, 1)}

    def own_rows(self, place: Place, url: str) -> Mapping[str, str]:
        """Make a reservation."""
        with client(place, url) as http:
            identifier, _ = _reserve(http)
        return {"/api/reservations/{reservation_id}": identifier}

    def newest(self, place: Place) -> tuple[GoldenQuestion, ...]:
        """Ask for the reservations that were made last."""
        return newest_of(place.database)

    def by_rows(
        self, place: Place, questions: Iterable[GoldenQuestion]
    ) -> Mapping[GoldenQuestion, tuple[int, object]]:
        """See KnowsRows.by_rows."""
        return answers_by_rows(place.database, questions)


def shape_of_lists(place: Place, wanted: list[str]) -> Finding:
    """Judge whether lists have the `wanted` fields, and no others, on every host."""
    seen = {}
    for name, url in place.direct_urls.items():
        with client(place, url) as http:
            answer = http.get("/api/listings", params={"limit": 10})
        seen[name] = sorted(_object_of(answer)) if answer.ok else [str(answer.status)]
    told = "; ".join(f"{name} answers lists with {', '.join(keys)}" for name, keys in seen.items())
    return judged(all(keys == wanted for keys in seen.values()), told, ", ".join(wanted))


def client(place: Place, url: str, key: str | None = None) -> Client:
    """Return a client of `url` with the stage's API key, another `key`, or none for ""."""
    return Client(url, keyed(place, key), limit_s=_TIMEOUT_S, most=_MOST_BYTES)


def _extents_by_asking(place: Place) -> Iterator[Extent]:
    """Yield how far the lists go, as far as they tell it: by a search for the first empty page."""
    with client(place, place.base_url) as http:
        for name, group in (("listings", "city"), ("reservations", "status")):

            def page(offset: int, limit: int = 1, name: str = name) -> list[dict[str, Any]]:
                return _rows(http.get(f"/api/{name}", params={"limit": limit, "offset": offset}))

            reach = 1
            while page(reach) and reach < _MOST_ROWS:
                reach *= 2
            count = bisect_left(range(reach + 1), True, key=lambda offset: not page(offset))
            last = page(count - 1)[0].get("id") if count else 0
            names = {str(row.get(group)) for row in page(0, 100)}
            yield Extent(count, last if isinstance(last, int) else 0, dict.fromkeys(names, 1))


def _object_of(answer: Answer) -> dict[str, Any]:
    """Return the object that an answer is. Raises BadAnswer when it is something else."""
    body = answer.json()
    if not isinstance(body, dict):
        raise BadAnswer(f"not an object but {str(body)[:80]}", answer.status)
    return body


def _rows(answer: Answer) -> list[dict[str, object]]:
    """Return the rows of a list answer in either format; none when it is something else."""
    if not answer.ok:
        return []
    body = answer.json()
    if not isinstance(body, dict):
        return []
    found = body.get("items") or body.get("listings") or body.get("reservations")
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _paths(document: Answer) -> dict[str, dict[str, object]]:
    paths = _object_of(document).get("paths")
    if not isinstance(paths, dict) or not all(isinstance(one, dict) for one in paths.values()):
        raise BadAnswer("/openapi.json has no paths", document.status)
    if len(paths) > _MOST_PATHS:
        raise BadAnswer(f"/openapi.json has {len(paths)} paths", document.status)
    return paths


def _documented(paths: Mapping[str, Mapping[str, object]]) -> Iterator[Door]:
    for path, methods in paths.items():
        if path not in _OPEN:
            target = re.sub(r"\{[^}]+\}", str(2**62), path)
            for method in methods:
                yield Door(method.upper(), target, every_way=False)


def _call_all(http: Client, paths: dict[str, dict[str, object]]) -> Iterator[tuple[str, str, int]]:
    reservation, status = _reserve(http)
    yield "post", "/api/reservations", status
    for path, methods in paths.items():
        if path in _ALWAYS_UNAVAILABLE:
            continue
        identifier = _identifier(http, path, reservation) if "{" in path else ""
        target = re.sub(r"\{[^}]+\}", identifier, path)
        for method in methods:
            if method == "get":
                yield method, path, http.get(target).status
            elif method in ("patch", "put"):
                yield (
                    method,
                    path,
                    http.request(method, target, json={"guest_name": "Drill Check"}).status,
                )


def _identifier(http: Client, path: str, reservation: str) -> str:
    if "reservations" in path:
        return reservation
    found = _rows(http.get(path.partition("/{")[0], params={"limit": 1}))
    return str(found[0].get("id", 0)) if found else "0"


def _reserve(http: Client) -> tuple[str, int]:
    """Create a reservation; return its id ("0" when refused) and the answer's status."""
    _, answer = _make(http)
    return str(_object_of(answer).get("id", "0")) if answer.ok else "0", answer.status


def _make(http: Client) -> tuple[dict[str, object], Answer]:
    """Create a reservation; return what was sent, and the answer."""
    listing = _rows(http.get("/api/listings", params={"limit": 1}))
    sent = _good_reservation(f"check-{now():.6f}", listing[0].get("id", 0) if listing else 0)
    return sent, http.request("POST", "/api/reservations", json=sent)


def _good_reservation(reference: str, listing: object) -> dict[str, object]:
    return {
        "reference": reference,
        "listing_id": listing,
        "guest_name": "Drill Check",
        "check_in": "2030-01-01",
        "check_out": "2030-01-03",
        "total_cents": 12_345,
    }
