"""What stands in an answer's body, value by value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rollback_drill.record.decoding import load

_DEEPEST = 100  # of what is gone through, level by level
_NUMBERS = re.compile(r"\[\d+\]")


def value_of(body: str) -> object:
    """Return the value of a JSON body, the text itself of any other: also of one that means two
    things, such as a name that comes twice, or goes deeper than any service's.
    """
    try:
        found: object = load(body)
    except ValueError:
        return body
    return body if _goes_deeper(found) else found


def _goes_deeper(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def leaves(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Yield each single value of JSON by its place, such as "items[0].name"; what is empty is a
    value as well.
    """
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{place}[{number}]")
    else:
        yield place, value


@lru_cache(maxsize=65_536)  # rows of a list are alike
def is_left_out(place: str, fields: frozenset[str]) -> bool:
    """Return whether a place is one of `fields`: by its name alone ("pid"), or by all of its way,
    in whichever row of a list ("items[].seen_at").
    """
    way = _NUMBERS.sub("[]", place)
    return way in fields or way.rpartition(".")[2] in fields


def way_of(place: str) -> str:
    """Return a place without the numbers of rows."""
    return _NUMBERS.sub("[]", place)
