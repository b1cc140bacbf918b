"""Makes objects of what was read from a file: every value is what its field says, or it is refused.

A field's type is its form, which `Annotated` narrows: `Range` for numbers, `Form` for texts,
`Holds` for tables. Nothing is converted on the way: what is read is what was written.
"""

from __future__ import annotations

import functools
import json
import math
import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Any, TypeVar

_LARGEST = 2**63  # of whole numbers: what other programs can read

Made = TypeVar("Made")
_Reader = Callable[[Any], Any]


_MOST_TOLD = 60
NAMED = "named"
"""Marks a text that says nothing when it is empty: it can be read, and proves nothing."""


class Flaw(ValueError):
    """A value that is not what its field says; the text says which and why."""


def told(value: object) -> str:
    """Return `value` as a message may show it: on one line, and short."""
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, depth without an end
        return f"a {type(value).__name__} that is too large to be shown"
    return text if len(text) <= _MOST_TOLD else f"{text[:_MOST_TOLD]}…"


@dataclass(frozen=True, slots=True)
class Range:
    """A number from `low` to `high`, both allowed."""

    low: float
    high: float

    def check(self, value: Any) -> None:
        """Raise Flaw for a number outside."""
        if not self.low <= value <= self.high:
            raise Flaw(f"{told(value)} is not between {self.low:g} and {self.high:g}")


@dataclass(frozen=True, slots=True)
class Form:
    """A text that is `what`: one for which `holds` returns something, and raises no ValueError."""

    what: str
    holds: Callable[[str], object]

    def check(self, value: Any) -> None:
        """Raise Flaw for a text that is something else."""
        try:
            good = self.holds(value) not in (None, False)
        except (ValueError, OverflowError):
            good = False
        if not good:
            raise Flaw(f"{told(value)} is not {self.what}")


@dataclass(frozen=True, slots=True)
class Holds:
    """A table that has a `name`."""

    name: str

    def check(self, value: Any) -> None:
        """Raise Flaw for a table without it."""
        if self.name not in value:
            raise Flaw(f"{told(value)} without {self.name}")


def load(text: str) -> Any:
    """Return what a line of JSON says. Raises ValueError for what is no JSON, or means two things:
    a name that comes twice, NaN and infinity, text that no file can hold, depth without an end.
    """
    try:
        value = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # lone surrogates
    except RecursionError as error:
        raise Flaw("it is nested too deeply") from error
    return value


def decode(kind: type[Made], raw: Any, *, others: bool = False) -> Made:
    """Return `raw`, the object of a line, as a `kind`; names that it does not have are refused,
    or left out where `others` are to be expected. Raises ValueError.
    """
    plan = _plan(typing.cast("type", kind))
    if type(raw) is not dict:
        raise Flaw(f"{told(raw)} is no object")
    values = {}
    for name, value in raw.items():
        read = plan.readers.get(name)
        if read is None:
            if others:
                continue
            raise Flaw(f"{kind.__name__} has no {told(name)}")
        try:
            values[name] = read(value)
        except Flaw as error:
            raise Flaw(f"{kind.__name__}.{name}: {error}") from error
    if not plan.needed <= values.keys():
        raise Flaw(f"{kind.__name__} without its {min(plan.needed - values.keys())}")
    return kind(**values)


@dataclass(frozen=True, slots=True)
class _Plan:
    readers: dict[str, _Reader]
    needed: frozenset[str]


@functools.cache
def _plan(kind: type) -> _Plan:
    hints = typing.get_type_hints(kind, include_extras=True)
    names = {f.name: f for f in fields(kind)}
    needed = {name for name, f in names.items() if f.default is f.default_factory is MISSING}
    return _Plan({name: _reader(hints[name]) for name in names}, frozenset(needed))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Flaw("a name comes twice")
    return found


def _no_number(word: str) -> None:
    raise Flaw(f"{word} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Flaw(f"{told(text)} is larger than any number")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_number, parse_float=_finite
)


def _reader(hint: Any) -> _Reader:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _narrowed(_reader(inner[0]), inner[1:])
    if origin in (types.UnionType, typing.Union):
        return _optional(inner)
    if origin is tuple:
        return _many(inner[0]) if inner[1:] == (...,) else _pair(inner)
    if origin is dict:
        return _table(*inner)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _one_of(hint)
    if isinstance(hint, type) and hasattr(hint, "__dataclass_fields__"):
        return functools.partial(decode, hint)
    return _PLAIN[hint]


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Flaw(f"{told(value)} is no text")
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise Flaw(f"{told(value)} is neither true nor false")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not -_LARGEST <= value < _LARGEST:
        raise Flaw(f"{told(value)} is no whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, float):  # numpy's, too, while a drill records
        if math.isfinite(value):
            return value
    elif type(value) is int and -_LARGEST <= value < _LARGEST:
        return value
    raise Flaw(f"{told(value)} is no finite number")


_PLAIN: dict[Any, _Reader] = {str: _text, bool: _truth, int: _whole, float: _number}


def _narrowed(read: _Reader, limits: tuple[Any, ...]) -> _Reader:
    checks = [limit.check for limit in limits if isinstance(limit, Range | Form | Holds)]

    def narrowed(value: Any) -> Any:
        found = read(value)
        for check in checks:
            check(found)
        return found

    return narrowed if checks else read


def _optional(inner: tuple[Any, ...]) -> _Reader:
    (only,) = (one for one in inner if one is not type(None))
    read = _reader(only)
    return lambda value: None if value is None else read(value)


def _many(inner: Any) -> _Reader:
    read = _reader(inner)
    return lambda value: tuple([read(one) for one in _list(value)])


def _pair(inner: tuple[Any, ...]) -> _Reader:
    readers = [_reader(one) for one in inner]

    def pair(value: Any) -> tuple[Any, ...]:
        if len(_list(value)) != len(readers):
            raise Flaw(f"{told(value)} has not {len(readers)} parts")
        return tuple([read(one) for read, one in zip(readers, value, strict=True)])

    return pair


def _list(value: Any) -> Any:
    if type(value) not in (list, tuple):
        raise Flaw(f"{told(value)} is no list")
    return value


def _table(key: Any, inner: Any) -> _Reader:
    name, read = _reader(key), _reader(inner)

    def table(value: Any) -> dict[Any, Any]:
        if type(value) is not dict:
            raise Flaw(f"{told(value)} is no table")
        return {name(one): read(other) for one, other in value.items()}

    return table


def _one_of(kind: type[Enum]) -> _Reader:
    known = {one.value: one for one in kind}

    def one_of(value: Any) -> Enum:
        if type(value) is kind:
            return value
        if type(value) is not str or value not in known:
            raise Flaw(f"{told(value)} is none of {', '.join(known)}")
        return known[value]

    return one_of
