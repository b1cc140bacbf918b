"""What the demo is asked for a golden set, and what its rows say that the answers must be."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from rollback_drill.subject.otherwise import AS_OTHERS_ASK
from rollback_drill.subject.questions import GoldenQuestion, Tells
from rollback_drill.subject.subject import Queries

ASKS = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
"""Changes with what is asked."""
_DEFAULT_LIMIT, _MOST, _LAST_OFFSET = 50, 100, 2**31 - 1
_PAGE = 20
_LEAST = 15  # of pages and of rows, however few there are
_DEEP = 20_000  # rows behind which only edges are asked: it takes the database long
_NEWEST = 40
_STATUSES = ("confirmed", "completed", "cancelled")
# Filters that match no row: spelling, quotes, wildcards and letters of other scripts.
_STRANGE = ("", "lisbon", "Lisbon ", "%", "O'Neil", '"', "Łódź", "李 小龍", "a&limit=1", "x" * 200)
# A service that lets it be overridden would delete.
_ASKED_OTHERWISE = (*AS_OTHERS_ASK, (("X-HTTP-Method-Override", "DELETE"),))
_ANOTHER_TYPE = (
    (("Content-Type", "application/json; charset=utf-8"),),
    (("Content-Type", "text/plain"),),
)
# What is not to be had from outside, whatever stands beside a release.
_SHUT = (
    *("/.env", "/.git/config", "/config.yaml", "/backup.dump", "/logs", "/static"),
    *("/admin", "/debug", "/config", "/env", "/api/v1/listings", "/robots.txt", "/server-status"),
)
_BAD_PAGES = ("limit=0", "limit=-1", "limit=101", "limit=x", "offset=-1", f"offset={2**31}")


@dataclass(frozen=True, slots=True)
class _List:
    """A list of the API. `noun`: one of its rows; `ids`: whole numbers that can be one."""

    table: str
    noun: str
    columns: tuple[str, ...]
    filtered: str
    ids: int
    random_pages: int
    random_rows: int
    written: bool

    @property
    def path(self) -> str:
        return f"/api/{self.table}"


_LISTINGS = _List(
    "listings",
    "listing",
    ("id", "name", "city", "price_cents", "bedrooms", "active", "updated_at"),
    "city",
    2**31,
    random_pages=60,
    random_rows=90,
    written=False,
)
_RESERVATIONS = _List(
    "reservations",
    "reservation",
    (
        "id",
        "reference",
        "listing_id",
        "guest_name",
        "check_in",
        "check_out",
        "total_cents",
        "status",
        "created_at",
        "updated_at",
    ),
    "status",
    2**63,
    random_pages=40,
    random_rows=70,
    written=True,
)
_LISTS = (_LISTINGS, _RESERVATIONS)
_TOLD_OF_ITSELF = ("pid", "uptime_s")


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a list goes: `rows` in all, the last one's id, and rows by what it is filtered by."""

    rows: int
    last: int
    groups: Mapping[str, int]


def extents(database: Queries) -> tuple[Extent, ...]:
    """Return how far the lists go. Raises StageError."""
    found = []
    for one in _LISTS:
        whole = f"SELECT count(*), max(id) FROM {one.table}"  # noqa: S608 - known names
        grouped = f"SELECT {one.filtered}, count(*) FROM {one.table} GROUP BY 1"  # noqa: S608
        ((rows, last),) = database.fetch(whole)
        found.append(Extent(rows, last or 0, dict(sorted(database.fetch(grouped)))))
    return tuple(found)


def questions_of(extents: Iterable[Extent], seed: int) -> tuple[GoldenQuestion, ...]:
    """Return the questions of a golden set: edges first, then what `seed` draws."""
    pick = random.Random(f"golden {seed}")  # noqa: S311 - nothing secret
    edges, others = list(_of_the_whole()), []
    for one, extent in zip(_LISTS, extents, strict=True):
        edges += [*_edges(one, extent), *_edge_rows(one, extent)]
        others += [*_filters(one, extent), *_pages(one, extent, pick), *_rows(one, extent, pick)]
    pick.shuffle(others)
    # After all others, which it counts; its numbers are not the same twice.
    others.append(
        GoldenQuestion(
            "GET /metrics", "/metrics", keyed=False, tells=Tells.RELEASE, volatile=("",), edge=True
        )
    )
    asked = dict.fromkeys([*(replace(question, edge=True) for question in edges)])
    known = {str(question) for question in asked}
    return (*asked, *(one for one in dict.fromkeys(others) if str(one) not in known))


def newest_of(database: Queries) -> tuple[GoldenQuestion, ...]:
    """Return questions about the reservations that were made or changed last. Raises StageError."""
    one = _RESERVATIONS
    _, extent = extents(database)
    last = f"SELECT id FROM {one.table} ORDER BY id DESC LIMIT %s"  # noqa: S608 - a known name
    changed = (
        f"SELECT id FROM {one.table} WHERE updated_at > created_at"  # noqa: S608 - a known name
        " ORDER BY updated_at DESC LIMIT %s"
    )
    ids = [id_ for query in (last, changed) for (id_,) in database.fetch(query, (_NEWEST,))]
    asked = [_row(one, id_) for id_ in dict.fromkeys(ids)]
    asked += [_page(one, limit=_PAGE, offset=max(0, extent.rows - back)) for back in (1, 20, 40)]
    for name, count in extent.groups.items():
        asked.append(_filtered(one, name, limit=_PAGE, offset=max(0, count - _PAGE)))
    return tuple(
        replace(question, edge=number % 6 == 0)  # some rows, some lists
        for number, question in enumerate(dict.fromkeys(asked))
    )


def _of_the_whole() -> Iterator[GoldenQuestion]:
    for path in ("/health", "/ready"):
        yield GoldenQuestion(
            f"GET {path}", path, keyed=False, tells=Tells.RELEASE, volatile=_TOLD_OF_ITSELF
        )
    yield GoldenQuestion("GET /maintenance", "/maintenance", keyed=False)
    yield GoldenQuestion("GET /openapi.json", "/openapi.json", tells=Tells.RELEASE)
    for path in ("/docs", "/redoc"):
        yield GoldenQuestion(f"GET {path}", path, keyed=False, tells=Tells.RELEASE)
    for path in _SHUT:
        yield GoldenQuestion("GET elsewhere", path, keyed=False)
    for path in ("/api", "/api/guests", "/api/listings/1/reservations", "/"):
        yield GoldenQuestion("GET elsewhere", path)
    yield GoldenQuestion("PUT /api/listings", "/api/listings", method="PUT", body="{}")
    post = "POST /api/reservations"
    yield GoldenQuestion(post, "/api/reservations", method="POST", body="{}")
    yield GoldenQuestion(post, "/api/reservations", method="POST", body="[")
    change = "PATCH /api/reservations/…"
    absent = f"/api/reservations/{2**62}"
    yield GoldenQuestion(change, absent, method="PATCH", body='{"status": "cancelled"}')
    yield GoldenQuestion(change, absent, method="PATCH", body="{}", tells=Tells.RELEASE)
    yield GoldenQuestion(change, absent, method="PATCH", body='{"total_cents": -1}')
    for headers in _ANOTHER_TYPE:
        yield GoldenQuestion(post, "/api/reservations", method="POST", body="{}", headers=headers)
        yield GoldenQuestion(
            change, absent, method="PATCH", body='{"total_cents": -1}', headers=headers
        )


def _edges(one: _List, extent: Extent) -> Iterator[GoldenQuestion]:
    rows = extent.rows
    yield _page(one)
    yield GoldenQuestion(f"GET {one.path}", one.path, keyed=False)
    for limit in (1, 2, _PAGE, 99, _MOST):
        yield _page(one, limit=limit)
    for offset in (1, _PAGE - 1, _PAGE, 2 * _PAGE):
        yield _page(one, limit=_PAGE, offset=offset)
    for back in (_PAGE + 1, _PAGE, _PAGE - 1, 2, 1, 0):
        yield _page(one, limit=_PAGE, offset=max(0, rows - back))
    for offset in (rows // 2, rows + 1_000, _LAST_OFFSET):
        yield _page(one, limit=_PAGE, offset=offset)
    yield _page(one, offset=max(0, rows - _MOST), limit=_MOST)
    yield _page(one, limit=_PAGE, unknown="1")
    for query in ("limit=5&limit=7", "offset=1&limit=2&offset=3", "limit=007"):
        yield replace(_page(one), path=f"{one.path}?{query}")
    for path in (
        f"{one.path}/",
        one.path.upper(),
        one.path.replace("/api", "/api/"),
        f"/{one.path}",
    ):
        yield GoldenQuestion("GET elsewhere", path)
    for method in ("HEAD", "OPTIONS", "DELETE"):
        yield GoldenQuestion(f"{method} {one.path}", one.path, method=method)
    for headers in _ASKED_OTHERWISE:
        yield replace(_page(one, limit=2), headers=headers)
    for bad in _BAD_PAGES:
        yield GoldenQuestion(f"GET {one.path}", f"{one.path}?{bad}")
    for name, count in list(extent.groups.items())[:3]:
        yield _filtered(one, name, limit=_PAGE, offset=max(0, count - 3))
    for name in _STRANGE[:3]:
        yield _filtered(one, name, limit=5)


def _filters(one: _List, extent: Extent) -> Iterator[GoldenQuestion]:
    for name, count in extent.groups.items():
        yield _filtered(one, name, limit=_PAGE)
        yield _filtered(one, name, limit=_PAGE, offset=max(0, count - 1))
        yield _filtered(one, name, limit=_PAGE, offset=count)
    for name in _STRANGE:
        yield _filtered(one, name, limit=5)
    for name in extent.groups:  # a blank is written in two ways
        found = _filtered(one, name, limit=5)
        yield replace(found, path=f"{one.path}?limit=5&{one.filtered}={quote(name, safe='')}")
    for bad in ("x" * 201, "\0"):
        yield GoldenQuestion(f"GET {one.path}", f"{one.path}?{one.filtered}={quote(bad)}")


def _edge_rows(one: _List, extent: Extent) -> Iterator[GoldenQuestion]:
    yield GoldenQuestion(f"GET {one.path}/…", f"{one.path}/1", keyed=False)
    present = (1, 2, extent.last // 2, extent.last - 1, extent.last) if extent.rows else ()
    for id_ in present:
        yield _row(one, id_)
    # After `last` come the rows that clients write.
    for id_ in (0, -1, extent.last + 10**9, one.ids - 1, one.ids):
        yield _row(one, id_)
    for word in ("x", "1.5", "%C3%A9"):
        yield GoldenQuestion(f"GET {one.path}/…", f"{one.path}/{word}")
    yield GoldenQuestion("GET elsewhere", f"{one.path}/1/")
    for method in ("HEAD", "OPTIONS", "DELETE"):
        yield GoldenQuestion(f"{method} {one.path}/…", f"{one.path}/1", method=method)
    for headers in _ASKED_OTHERWISE if extent.rows else ():
        yield replace(_row(one, 1), headers=headers)


def _pages(one: _List, extent: Extent, pick: random.Random) -> Iterator[GoldenQuestion]:
    start = pick.randrange(max(1, min(extent.rows, _DEEP) - 8 * _PAGE))
    for page in range(8):  # as a customer walks them
        yield _page(one, limit=_PAGE, offset=start + page * _PAGE)
    # Of how long a page may be, a third.
    for limit in pick.sample(range(1, _MOST + 1), _MOST // 3):
        yield _page(one, limit=limit, offset=pick.randrange(max(1, min(extent.rows, _MOST))))
    names = list(extent.groups) or ["none"]
    for _ in range(min(one.random_pages, max(_LEAST, extent.rows // 8))):
        limit = pick.choice((5, _PAGE, _PAGE, 33, _MOST))
        if pick.random() < 0.4:
            name = pick.choice(names)
            offset = pick.randrange(max(1, min(extent.groups.get(name, 1), _DEEP)))
            yield _filtered(one, name, limit=limit, offset=offset)
        else:
            yield _page(one, limit=limit, offset=pick.randrange(max(1, min(extent.rows, _DEEP))))


def _rows(one: _List, extent: Extent, pick: random.Random) -> Iterator[GoldenQuestion]:
    for _ in range(min(one.random_rows, max(_LEAST, extent.rows // 4))):
        yield _row(one, pick.randint(1, max(1, extent.last)))


def _page(one: _List, **asked: object) -> GoldenQuestion:
    path = one.path + (f"?{urlencode(asked)}" if asked else "")
    return GoldenQuestion(f"GET {one.path}", path, tells=Tells.FEATURE, written=one.written)


def _filtered(one: _List, name: str, **page: object) -> GoldenQuestion:
    query = urlencode({one.filtered: name, **page})
    operation = f"GET {one.path}?{one.filtered}"
    return GoldenQuestion(
        operation, f"{one.path}?{query}", tells=Tells.FEATURE, written=one.written
    )


def _row(one: _List, id_: int) -> GoldenQuestion:
    return GoldenQuestion(f"GET {one.path}/…", f"{one.path}/{id_}", written=one.written)


def answers_by_rows(
    database: Queries, questions: Iterable[GoldenQuestion]
) -> dict[GoldenQuestion, tuple[int, object]]:
    """Return what rows say of the questions that they can tell something of. Raises StageError."""
    found: dict[GoldenQuestion, tuple[int, object]] = {}
    for one in _LISTS:
        single: dict[GoldenQuestion, int] = {}
        for question in questions:
            where, _, query = question.path.partition("?")
            if question.method != "GET":
                continue
            if where == one.path:
                found[question] = _list_by_rows(database, one, query) if question.keyed else _401
            elif where.startswith(f"{one.path}/") and question.keyed:
                word = where.removeprefix(f"{one.path}/")
                if word.endswith("/") or not word:
                    continue  # it is told where that is
                if not word.removeprefix("-").isdecimal() or not 0 <= int(word) < one.ids:
                    found[question] = (404 if "/" in word else 422, ...)
                else:
                    single[question] = int(word)
        found |= dict(_rows_by_id(database, one, single))
    return found


_401: tuple[int, object] = (401, ...)


def _rows_by_id(
    database: Queries, one: _List, asked: Mapping[GoldenQuestion, int]
) -> Iterator[tuple[GoldenQuestion, tuple[int, object]]]:
    query = f"SELECT {', '.join(one.columns)} FROM {one.table} WHERE id = ANY(%s)"  # noqa: S608
    there = {row[0]: _shown(one, row) for row in database.fetch(query, (list(asked.values()),))}
    for question, id_ in asked.items():
        absent = {"error": "not_found", "detail": f"there is no {one.noun} {id_}"}
        yield question, ((200, there[id_]) if id_ in there else (404, absent))


def _list_by_rows(database: Queries, one: _List, query: str) -> tuple[int, object]:
    asked = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    limit = _whole(asked.get("limit", str(_DEFAULT_LIMIT)), 1, _MOST)
    offset = _whole(asked.get("offset", "0"), 0, _LAST_OFFSET)
    wanted = asked.get(one.filtered)
    if limit is None or offset is None:
        return 422, ...
    if wanted is not None and (len(wanted) > 200 or "\0" in wanted):
        return 422, ...
    where = f" WHERE {one.filtered} = %s" if wanted is not None else ""
    rows = database.fetch(
        f"SELECT {', '.join(one.columns)} FROM {one.table}{where}"  # noqa: S608 - known names
        " ORDER BY id LIMIT %s OFFSET %s",
        (*([wanted] if wanted is not None else []), limit, offset),
    )
    shown = [_shown(one, row) for row in rows]
    return 200, {one.table: shown, "count": len(shown), "limit": limit, "offset": offset}


def _whole(text: str, low: int, high: int) -> int | None:
    found = int(text) if text.removeprefix("-").isdecimal() else None
    return found if found is not None and low <= found <= high else None


def _shown(one: _List, row: tuple[Any, ...]) -> dict[str, object]:
    """Return a row as JSON has it: times as ISO 8601 in the time zone of the server."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in zip(one.columns, row, strict=True)
    }
