"""What a file that a team writes may hold, declared once for its reader, schema and page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.names import nearest


@dataclass(frozen=True, slots=True, eq=False)
class ValueShape:
    """What a value may be: how that is `called` to a user, what `accepts` it, and its JSON schema.

    A key of a shape with `names` is a table: these are the names that it may hold.
    """

    called: str
    accepts: Callable[[object], bool]
    schema: Mapping[str, Any]
    names: tuple[str, ...] = ()


def _is_text(value: object) -> bool:
    return isinstance(value, str)


TEXT = ValueShape("a text in quotes", _is_text, {"type": "string"})
YES_OR_NO = ValueShape("true or false", lambda value: isinstance(value, bool), {"type": "boolean"})
WHOLE_NUMBER = ValueShape("a whole number", lambda value: type(value) is int, {"type": "integer"})
ANY_NUMBER = ValueShape("a number", lambda value: type(value) in (int, float), {"type": "number"})
TEXTS = ValueShape(
    "a list of texts",
    lambda value: isinstance(value, list | tuple) and all(map(_is_text, value)),
    {"type": "array", "items": TEXT.schema},
)
TABLE_OF_TEXTS = ValueShape(
    "a table of texts",
    lambda value: isinstance(value, dict) and all(map(_is_text, value.values())),
    {"type": "object", "additionalProperties": TEXT.schema},
)
TEXT_OR_NUMBER = ValueShape(
    "a text in quotes",
    lambda value: _is_text(value) or type(value) in (int, float),
    {"type": ["string", "number"]},
)
_BY_TYPE: Mapping[Any, ValueShape] = {
    str: TEXT,
    bool: YES_OR_NO,
    int: WHOLE_NUMBER,
    float: ANY_NUMBER,
    tuple[str, ...]: TEXTS,
    Mapping[str, str]: TABLE_OF_TEXTS,
}


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """A key of a table. `example`: a value that it may have; `default`: what it is where it is left
    out, None where that is nothing; `needed`: no table without it; `least`: for a number, what it
    must be above.
    """

    name: str
    shape: ValueShape
    meaning: str
    example: Any
    default: Any = None
    needed: bool = False
    least: float | None = None
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class KeyTable:
    """A table. `many`: there may be several, [[…]]; `one_way`: keys of which each has exactly one;
    `free`: what any name that is not among the `keys` may hold, None where there is no such.
    """

    name: str
    meaning: str
    keys: tuple[Key, ...] = ()
    many: bool = False
    needed: bool = False
    one_way: tuple[str, ...] = ()
    free: Key | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its keys, in the order in which they are explained."""
        return tuple(one.name for one in self.keys)

    def shape_of(self, name: str) -> ValueShape:
        """Return what the key `name` may hold. Raises KeyError where the table has none such."""
        shapes: dict[str, ValueShape] = {one.name: one.shape for one in self.keys}
        if self.free is not None:
            return shapes.get(name, self.free.shape)
        return shapes[name]


def keys_of(
    record: type[Any], told: Mapping[str, tuple[str, Any]], above: Mapping[str, float] | None = None
) -> tuple[Key, ...]:
    """Return the keys that fill the fields of the dataclass `record`: their shapes and defaults are
    its own, their meaning and an example stand in `told`. `above`: what numbers must be above.
    """
    types = get_type_hints(record)
    own = {one.name: one for one in fields(record)}
    assert told.keys() <= own.keys()
    made = []
    for name, (meaning, example) in told.items():
        default = own[name].default
        needed = default is own[name].default_factory  # both are missing
        plain = default if isinstance(default, str | int | float) and default != "" else None
        shape = _BY_TYPE[types[name]]
        least = (above or {}).get(name)
        made.append(Key(name, shape, meaning, example, plain, needed, least))
    return tuple(made)


def unknown_key(
    place: str, name: str, known: Iterable[str], file: object, advice: str
) -> UsageError:
    """Return the error for a key `name` at `place` ("stage.maker") that is not one of `known`."""
    known = tuple(known)
    near = nearest(name, known)
    meant = f"did you mean {near}? Else {advice}" if near else advice
    return UsageError(f"one of {', '.join(known)} for {place} in {file}", repr(name), meant)
