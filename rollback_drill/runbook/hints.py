"""What a team says of its runbook without editing it: the table [runbook] of a staging file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollback_drill.ground.declared import TABLE_OF_TEXTS, TEXT, Key, ValueShape, unknown_key
from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.budgets import budget
from rollback_drill.runbook.kinds import WORD_KINDS
from rollback_drill.runbook.model import Severity
from rollback_drill.runbook.problems import FORM
from rollback_drill.runbook.standard import row_of


@dataclass(frozen=True, slots=True, eq=False)  # one is known by itself, so that it can be a key
class Hints:
    """`section`: the heading under which the runbook stands, "" for the whole document;
    `procedures`: numbers by heading; `steps`: headings that are steps; `ignore`: headings that are
    no part of it; `budget`: of a step that names none; `words`: by what they are for, see `kinds`;
    `fill`: what stands for blanks such as `<revision>`; `matrix`: rows; `triggers`: texts by tier;
    `source`: the file.
    """

    section: str = ""
    procedures: Mapping[str, int] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    budget: str = ""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fill: Mapping[str, str] = field(default_factory=dict)
    matrix: tuple[Mapping[str, str], ...] = ()
    triggers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: str = ""


NO_HINTS = Hints()


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(_is_text(one) for one in value)


def _is_table(value: object) -> bool:
    return (
        isinstance(value, dict) and all(value) and all(isinstance(v, str) for v in value.values())
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(_is_texts(one) for one in value.values())


def _is_numbers(value: object) -> bool:
    if not isinstance(value, dict) or not all(type(n) is int and n > 0 for n in value.values()):
        return False
    return len(set(value.values())) == len(value)


def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        budget(value)
    except ValueError:
        return False
    return True


_TEXT = {"type": "string", "pattern": r"\S"}
_LIST = {"type": "array", "items": _TEXT}
_HEADINGS = ValueShape("a list of headings", _is_texts, _LIST)
_TIERS = tuple(map(str, Severity))


def _lists(names: tuple[str, ...], called: str) -> ValueShape:
    schema = {
        "type": "object",
        "properties": dict.fromkeys(names, _LIST),
        "additionalProperties": False,
    }
    return ValueShape(called, _are_texts, schema, names)


HINT_KEYS = (
    Key(
        "section",
        ValueShape("a heading in quotes", _is_text, _TEXT),
        "the heading below which the runbook stands; without it that is the whole document",
        "Rollback",
    ),
    Key(
        "procedures",
        ValueShape(
            "a table of numbers by heading",
            _is_numbers,
            {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
        ),
        "headings that are ways of rolling back, and their numbers",
        {"Manual rollback": 1},
    ),
    Key("steps", _HEADINGS, "headings that are steps, where nobody could tell", ["Drain"]),
    Key("ignore", _HEADINGS, "headings that are no part of it", ["Rehearsal"]),
    Key(
        "budget",
        ValueShape("a time such as '10 minutes'", _is_time, {"type": "string"}),
        "what a step may take that names no time",
        "5 minutes",
    ),
    Key(
        "words",
        _lists(WORD_KINDS, "a table of lists of words"),
        "words of another language, by what they are for",
        {"rollback": ["zurückrollen"], "if": ["wenn"], "not": ["nicht"]},
    ),
    Key(
        "fill",
        ValueShape("a table of texts by blank", _is_table, TABLE_OF_TEXTS.schema),
        "what stands for blanks in commands",
        {"<revision>": "v1.4.2"},
    ),
    Key(
        "triggers",
        _lists(_TIERS, "a table of lists of triggers by tier"),
        "triggers by tier, beside those of the document",
        {"critical": ["Error rate >3%"]},
    ),
)
"""What the table [runbook] may hold beside the rows of its matrix."""
MATRIX = "matrix"
MATRIX_KEYS = tuple(
    Key(name, TEXT, meaning, example, needed=True)
    for name, meaning, example in (
        ("condition", "what the row is called", "Critical"),
        ("error_rate", "its error rates", ">2%"),
        ("performance", "its latencies", "p95 >300ms"),
        ("decision", "what is decided there", "Execute rollback"),
    )
)


def read_hints(table: object, path: object) -> Hints:
    """Return the table [runbook] of the file `path`. Raises UsageError that names the place."""
    if not isinstance(table, dict):
        raise _wrong("runbook", "a table [runbook]", table, path)
    known = {one.name: one for one in HINT_KEYS}
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name == MATRIX:
            values[name] = _rows(value, path)
            continue
        if name not in known:
            raise unknown_key(f"runbook.{name}", name, (*known, MATRIX), path, f"see {FORM}")
        shape = known[name].shape
        if shape.names and isinstance(value, dict):
            for key in value:
                if key not in shape.names:
                    place = f"runbook.{name}.{key}"
                    raise unknown_key(place, key, shape.names, path, f"see {FORM}")
        if not shape.accepts(value):
            raise _wrong(f"runbook.{name}", shape.called, value, path)
        values[name] = _frozen(value)
    return Hints(**values, source=f"{path} [runbook]")


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return {key: _frozen(one) for key, one in value.items()}
    return value


def _rows(rows: object, path: object) -> tuple[Mapping[str, str], ...]:
    where, needed = f"runbook.{MATRIX}", tuple(one.name for one in MATRIX_KEYS)
    if not isinstance(rows, list) or not rows:
        raise _wrong(where, f"tables with {', '.join(needed)}", rows, path)
    for number, row in enumerate(rows, 1):
        for name in row if isinstance(row, dict) else ():
            if name not in needed:
                raise unknown_key(f"{where}[{number}].{name}", name, needed, path, f"see {FORM}")
        if not _is_row(row, needed):
            raise _wrong(where, f"tables with {', '.join(needed)}", rows, path)
    return tuple(rows)


def _is_row(row: object, needed: tuple[str, ...]) -> bool:
    if not isinstance(row, dict) or not _is_table(row) or set(row) != set(needed):
        return False
    try:
        row_of(row, 0)
    except ValueError:
        return False
    return True


def _wrong(where: str, expected: str, found: object, path: object) -> UsageError:
    return UsageError(f"{expected} for {where} in {path}", repr(found), f"see {FORM}")
