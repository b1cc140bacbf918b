"""What a service that is described by its operations is asked for a golden set.

All that is known are its reads. Further pages are those that its answers name; rows are asked for
below the path of the list that they stand in, where the service answers there.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from rollback_drill.stage import http
from rollback_drill.stage.asking import keyed
from rollback_drill.subject.described.crowds import following
from rollback_drill.subject.otherwise import (
    AS_OTHERS_ASK,
    LOOKING,
    documented,
    other_values,
    spellings,
)
from rollback_drill.subject.questions import GoldenQuestion
from rollback_drill.subject.subject import Place
from rollback_drill.subject.values import value_of
from rollback_drill.traffic.interface import Operation

_PAGES = 8  # that are followed
_ROWS = 12  # of a list that are asked for
_WITHIN_LIMITS = 12  # other ways of asking for what one operation reads
_DRAWS = 10  # of a path with a number in it
_ABSENT = "golden-absent"
_NUMBER = re.compile(r"(?<==)\d+(?=&|$)")
_OTHERS = ("1", "2", "0", "-1", "x", "100000")


def questions_about(
    place: Place, operations: Iterable[Operation], seed: int
) -> Iterator[GoldenQuestion]:
    """Yield what to ask of the reads among `operations`. Raises NoAnswer."""
    every = list(operations)
    pick = random.Random(f"golden {seed}")  # noqa: S311 - nothing secret
    found: dict[str, GoldenQuestion] = {}
    front: dict[str, GoldenQuestion] = {}
    document = _document(place)
    for one in every:
        if one.reads:
            written = any(_meet(one.path, other.path) for other in every if not other.reads)
            for path in _paths(place, one, pick):
                question = GoldenQuestion(_name(one), path, written=written)
                found.setdefault(path, question)
            others = list(_otherwise(one, document, written=written))
            if place.limits and len(others) > _WITHIN_LIMITS:
                others = pick.sample(others, _WITHIN_LIMITS)
            for other in others:
                plain = other.method == "GET" and not other.headers
                if not (plain and other.path in found):
                    front.setdefault(f"{other}", other)
            if place.api_key:
                stranger = GoldenQuestion(_name(one), _first(one), keyed=False, edge=True)
                found.setdefault(f"{stranger}", stranger)
    for number, question in enumerate(found.values()):
        yield replace(question, edge=question.edge or number < 2 * len(every))
    yield from front.values()


def _document(place: Place) -> object:
    """Return the service's OpenAPI document, None where it has none that can be read."""
    path = place.interface.document
    return value_of(http.get(place.base_url + path, headers=keyed(place)).text) if path else None


def _otherwise(
    operation: Operation, document: object, *, written: bool
) -> Iterator[GoldenQuestion]:
    """Yield how others may ask for it; proxies may answer some of that by themselves."""
    first, name = _first(operation), _name(operation)
    for path in (*other_values(first), *documented(first, document)):
        yield GoldenQuestion(name, path, written=written, front=True)
    for headers in AS_OTHERS_ASK:
        if not (written and headers[0][0] == "Range"):  # a part of what changes cannot be read
            yield GoldenQuestion(name, first, headers=headers, written=written, front=True)
    for method in LOOKING:
        told = f"{method} {operation.name}"
        yield GoldenQuestion(told, first, method=method, written=written, front=True)
    for path in spellings(first):
        yield GoldenQuestion("GET elsewhere", path, written=written, front=True)


def _name(operation: Operation) -> str:
    return f"{operation.method} {operation.name}"


def _first(operation: Operation) -> str:
    return operation.filled(operation.path, _ABSENT, 1)


def _paths(place: Place, operation: Operation, pick: random.Random) -> Iterator[str]:
    """Yield the paths to ask, with their queries, the operation's own first."""
    first = _first(operation)
    yield first
    if "{number}" in operation.path:
        for _ in range(_DRAWS):
            yield operation.filled(operation.path, _ABSENT, pick.randrange(10**6))
    for other in _OTHERS:
        if _NUMBER.search(first):
            yield _NUMBER.sub(other, first)
    at, rows = first, list[str]()
    for _ in range(_PAGES):
        answer = http.get(place.base_url + at, headers=keyed(place))
        rows += _ids(answer.text)
        at = following(operation, dict(answer.headers)) or ""
        if not at:
            break
        yield at
    below = first.partition("?")[0].rstrip("/")
    known = pick.sample(rows, min(len(rows), _ROWS))
    for id_ in (*rows[:1], *rows[-1:], *known, _ABSENT) if rows else ():
        yield f"{below}/{id_}"


def _ids(body: str) -> list[str]:
    """Return the ids of the rows that an answer lists."""
    value = value_of(body)
    lists = value.values() if isinstance(value, dict) else (value,)
    return [
        str(row["id"])
        for rows in lists
        if isinstance(rows, list)
        for row in rows
        if isinstance(row, dict) and re.fullmatch(r"[\w.-]{1,100}", str(row.get("id", "")))
    ]


def _meet(read: str, write: str) -> bool:
    """Whether what is written at one path may show at the other."""
    one, other = (path.partition("?")[0].partition("{")[0].rstrip("/") for path in (read, write))
    return one.startswith(other) or other.startswith(one)
