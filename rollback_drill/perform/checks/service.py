"""Does the service do what it is for, asked past the load balancer and through it?"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from rollback_drill.ground.finding import Finding, failed, judged, passed
from rollback_drill.perform.check import Moment, check
from rollback_drill.perform.checks import operations
from rollback_drill.stage.answers import BadAnswer
from rollback_drill.stage.http import Answer, Client
from rollback_drill.stage.model import Stage
from rollback_drill.watch.probe import health

_TIMEOUT_S = 5.0
_MOST_PATHS = 1_000
_MOST_BYTES = 8 * 2**20  # metrics of many series, and the document of a large API, are long
_ALWAYS_UNAVAILABLE = {"/maintenance"}  # answers 503 by design, to drain a host


def client(stage: Stage, url: str, key: str | None = None) -> Client:
    """Return a client of `url` with the stage's API key, another `key`, or none for ""."""
    chosen = stage.api_key if key is None else key
    headers = {stage.interface.key_header: chosen} if chosen else {}
    return Client(url, headers, limit_s=_TIMEOUT_S, most=_MOST_BYTES)


_ANSWERS = r"(?:answers|returns|responds|replies)(?: with)?(?: HTTP)?(?: status)?(?: code)?"


@check(
    r"(?:GET )?(?P<path>/(?:health|ready|live|status|ping|heartbeat)\w*|/__\w+__) "
    rf"{_ANSWERS} (?P<status>[1-5]\d\d)(?: OK)?",
    rf"health(?: ?check)?(?: endpoint)? {_ANSWERS} (?P<status>[1-5]\d\d)(?: OK)?",
    r"health ?checks?<IS> (?:pass(?:es|ing)?|green)",
    examples=[
        "`/health` answers with status 200",
        "The health endpoint returns 200",
        "Health checks pass",
    ],
)
def health_status(moment: Moment, match: re.Match[str]) -> Finding:
    """The health endpoint of every host answers with the status that the checkbox names; a path
    that it names is asked itself.
    """
    said = match.groupdict()
    wanted = int(said.get("status") or 200)
    path = said.get("path") or moment.stage.interface.health
    seen = {name: health(url, path) for name, url in moment.stage.direct_urls.items()}
    told = ", ".join(f"{name} answers {path} with {got or 'nothing'}" for name, got in seen.items())
    return judged(set(seen.values()) == {wanted}, told, f"{wanted} from every host")


@check(
    r"API (?:requests|calls) (?:succeed|work)",
    rf"API (?:requests )?(?:{_ANSWERS}|return) (?P<status>200)(?: OK)?",
    examples=["API requests succeed", "API returns 200 OK"],
)
def api_requests_succeed(moment: Moment, match: re.Match[str]) -> Finding:
    """A list, one of its entries and the reservations can be read on every host."""
    if moment.stage.interface.operations:
        named = match.groupdict().get("status")
        return operations.reads_succeed(moment.stage, int(named) if named else None)
    seen = []
    for name, url in moment.stage.direct_urls.items():
        with client(moment.stage, url) as http:
            listings = http.get("/api/listings", params={"limit": 10})
            seen.append((name, "/api/listings", listings.status))
            first = next(iter(rows(listings)), None)
            if first is None:
                status = f"{listings.status}, {len(listings.content)} bytes without a row"
                return failed(f"{name} answers /api/listings with {status}", "listings")
            for path in (f"/api/listings/{first.get('id')}", "/api/reservations?limit=10"):
                seen.append((name, path, http.get(path).status))
    bad = [entry for entry in seen if entry[2] != 200]
    told = ", ".join(f"{name} {path} {status}" for name, path, status in bad or seen)
    return judged(not bad, told, "200")


def rows(answer: Answer) -> list[dict[str, object]]:
    """Return the rows of a list answer in either format; none when it is something else."""
    if not answer.ok:
        return []
    body = answer.json()
    if not isinstance(body, dict):
        return []
    found = body.get("items") or body.get("listings") or body.get("reservations")
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


@check(
    r"(?:all|every) (?:API )?(?:endpoint|route)s?<IS> "
    r"(?:functional|operational|works?|working|responds?|responding)",
    examples=["All API endpoints work"],
)
def endpoints_functional(moment: Moment, match: re.Match[str]) -> Finding:
    """Every operation that the running release documents answers 2xx through the front door."""
    stage = moment.stage
    if stage.interface.operations:
        return operations.all_work(stage)
    with client(stage, stage.base_url) as http:
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


def _paths(document: Answer) -> dict[str, dict[str, object]]:
    paths = object_of(document).get("paths")
    if not isinstance(paths, dict) or not all(isinstance(one, dict) for one in paths.values()):
        raise BadAnswer("/openapi.json has no paths", document.status)
    if len(paths) > _MOST_PATHS:
        raise BadAnswer(f"/openapi.json has {len(paths)} paths", document.status)
    return paths


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
    found = rows(http.get(path.partition("/{")[0], params={"limit": 1}))
    return str(found[0].get("id", 0)) if found else "0"


def _reserve(http: Client) -> tuple[str, int]:
    """Create a reservation; return its id ("0" when refused) and the answer's status."""
    listing = rows(http.get("/api/listings", params={"limit": 1}))
    answer = http.request(
        "POST",
        "/api/reservations",
        json={
            "reference": f"check-{uuid.uuid4()}",
            "listing_id": listing[0].get("id", 0) if listing else 0,
            "guest_name": "Drill Check",
            "check_in": "2030-01-01",
            "check_out": "2030-01-03",
            "total_cents": 12_345,
        },
    )
    return str(object_of(answer).get("id", "0")) if answer.ok else "0", answer.status


def object_of(answer: Answer) -> dict[str, Any]:
    """Return the object that an answer is. Raises BadAnswer when it is something else."""
    body = answer.json()
    if not isinstance(body, dict):
        raise BadAnswer(f"not an object but {str(body)[:80]}", answer.status)
    return body


@check(
    r"authentication<IS> (?:works?|working|functional|enforced)",
    r"(?:users|customers|clients) can (?:log|sign) ?in",
    r"log ?in works",
    examples=["Authentication works", "Users can log in"],
)
def authentication(moment: Moment, match: re.Match[str]) -> Finding:
    """Every host refuses a request without a key or with a wrong one, and serves the right one."""
    if moment.stage.interface.operations:
        return operations.strangers_refused(moment.stage)
    seen = []
    for name, url in moment.stage.direct_urls.items():
        for told, key, wanted in (
            ("no key", "", 401),
            ("wrong key", "wrong", 401),
            ("key", None, 200),
        ):
            for path in ("/api/listings?limit=1", "/api/reservations?limit=1"):
                with client(moment.stage, url, key) as http:
                    seen.append((f"{name} {path} with {told}", http.get(path).status, wanted))
    bad = [entry for entry in seen if entry[1] != entry[2]]
    if bad:
        found = ", ".join(f"{what}: {got}" for what, got, _ in bad)
        return failed(found, ", ".join(sorted({str(want) for _, _, want in bad})))
    return passed(f"{len(seen)} requests: 401 without or with a wrong key, 200 with the right one")


@check(
    r"database (?:queries|reads|access)<IS> (?:works?|working|succeeds?)",
    examples=["Database queries work"],
)
def database_queries(moment: Moment, match: re.Match[str]) -> Finding:
    """A row written through the API stands in the database and can be read back through it."""
    stage = moment.stage
    if stage.interface.operations:
        return operations.writes_kept(stage)
    with client(stage, stage.base_url) as http:
        created, status = _reserve(http)
        if status != 201:
            return failed(f"creating a reservation was answered {status}", "201")
        stored = stage.database.fetch(
            "SELECT guest_name, total_cents FROM reservations WHERE id = %s", (int(created),)
        )
        answer = http.get(f"/api/reservations/{created}")
        read = object_of(answer) if answer.ok else {}
    same = stored == [(read.get("guest_name"), read.get("total_cents"))]
    got = f"{answer.status} with {sorted(read.items())[:6]}" if read else answer.status
    return judged(
        same, f"reservation {created} is stored as {stored}, read back: {got}", "the same in both"
    )
