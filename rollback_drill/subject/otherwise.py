"""How else one may ask for what is read: as other clients do, and with other values.

None of it changes anything: headers, methods that only look, spellings of a path and of a query.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

Headers = tuple[tuple[str, str], ...]

# As browsers, proxies, caches and crawlers ask: of what none of it is meant for, nothing changes.
AS_OTHERS_ASK: tuple[Headers, ...] = (
    (("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),),
    (("Accept", "application/xml"),),
    (("Accept-Language", "de-AT,de;q=0.9"), ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")),
    (("If-None-Match", '"0"'),),
    (("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),),
    (("Accept-Encoding", "identity"),),
    (("Range", "bytes=0-9"),),
    (("Origin", "https://elsewhere.example"), ("Referer", "https://elsewhere.example/")),
    (("Cookie", "session=1"), ("Time-Zone", "Asia/Tokyo")),
)
LOOKING = ("HEAD", "OPTIONS")
"""Methods that change nothing anywhere."""
_NUMBERS = ("3", "7", "13", "37", "101", "007", "1.5", str(2**31), "")
_TEXTS = ("", "Łódź", "李 小龍", "O'Neil", "%", "x" * 200)
_VALUE = re.compile(r"(?P<before>[?&][\w.\[\]-]+=)(?P<value>[^&{}#]*)")
_MOST_VALUES = 5  # of a parameter, and parameters of an operation, by its document


def spellings(path: str) -> Iterator[str]:
    """Yield other spellings of a path, with its query: most services know none of them."""
    where, mark, query = path.partition("?")
    yield (
        f"{where.rstrip('/')}/{mark}{query}" if not where.endswith("/") else f"/{where.strip('/')}"
    )
    yield f"/{path}"
    if where.upper() != where:
        yield f"{where.upper()}{mark}{query}"


def other_values(path: str) -> Iterator[str]:
    """Yield `path` with other values in its query, one at a time, and with more than it has."""
    for found in _VALUE.finditer(path):
        before, value = path[: found.start("value")], found["value"]
        after = path[found.end() :]
        for other in _NUMBERS if re.fullmatch(r"-?\d+", value) else _TEXTS:
            if other != value:
                yield f"{before}{quote(other)}{after}"
        yield f"{path}{found['before'].replace('?', '&')}{value}"  # twice the same
    yield f"{path}{'&' if '?' in path else '?'}unknown=1"


def documented(path: str, document: object) -> Iterator[str]:
    """Yield `path` with each parameter of its query that an OpenAPI `document` has of it."""
    where, mark, query = path.partition("?")
    given = {part.partition("=")[0] for part in query.split("&")}
    for name, schema in list(_parameters(where, document))[:_MOST_VALUES]:
        if name not in given:
            for value in list(dict.fromkeys(_values(schema)))[:_MOST_VALUES]:
                yield f"{path}{'&' if mark else '?'}{quote(name)}={quote(value)}"


def _parameters(where: str, document: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    paths = document.get("paths") if isinstance(document, dict) else None
    for template, item in paths.items() if isinstance(paths, dict) else ():
        pattern = re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(str(template)))
        operation = item.get("get") if isinstance(item, dict) else None
        if not isinstance(operation, dict) or not re.fullmatch(pattern, where):
            continue
        for one in [*_list(item.get("parameters")), *_list(operation.get("parameters"))]:
            if isinstance(one, dict) and one.get("in") == "query" and one.get("name"):
                schema = one.get("schema")
                yield str(one["name"]), schema if isinstance(schema, dict) else one
        return


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield values that a parameter may have by its schema, and one that it may not."""
    yield from (str(one) for one in _list(schema.get("enum")))
    kinds = [schema, *_list(schema.get("anyOf"))]
    kind = next((one["type"] for one in kinds if isinstance(one, dict) and "type" in one), "")
    if kind in ("integer", "number"):
        yield from (str(schema[name]) for name in ("minimum", "maximum") if name in schema)
        yield from ("1", "7", "x")
    elif kind == "boolean":
        yield from ("true", "false", "x")
    elif not schema.get("enum"):
        yield from _TEXTS[1:4]
