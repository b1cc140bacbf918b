"""What a team says of its runbook without editing it: the table [runbook] of a staging file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.names import nearest
from rollback_drill.runbook.budgets import budget
from rollback_drill.runbook.kinds import WORD_KINDS
from rollback_drill.runbook.model import Severity
from rollback_drill.runbook.problems import FORM
from rollback_drill.runbook.standard import row_of

_CELLS = ("condition", "error_rate", "performance", "decision")


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


def read_hints(table: object, path: object) -> Hints:
    """Return the table [runbook] of the file `path`. Raises UsageError that names the place."""
    if not isinstance(table, dict):
        raise _wrong("runbook", "a table [runbook]", table, path)
    kinds: dict[str, tuple[Callable[[object], bool], str, Callable[[Any], Any]]] = {
        "section": (_is_text, "a heading in quotes", str),
        "procedures": (_is_numbers, "a table of numbers by heading", dict),
        "steps": (_is_texts, "a list of headings", tuple),
        "ignore": (_is_texts, "a list of headings", tuple),
        "budget": (_is_time, "a time such as '10 minutes'", str),
        "words": (_are_texts, "a table of lists of words", _tuples),
        "fill": (_is_table, "a table of texts by blank", dict),
        "matrix": (_is_matrix, f"tables with {', '.join(_CELLS)}", tuple),
        "triggers": (_are_texts, "a table of lists of triggers by tier", _tuples),
    }
    assert kinds.keys() == {one.name for one in fields(Hints)} - {"source"}
    values = {}
    for name, value in table.items():
        if name not in kinds:
            raise _unknown("runbook", name, kinds, path)
        right, called, made = kinds[name]
        if not right(value):
            raise _wrong(f"runbook.{name}", called, value, path)
        values[name] = made(value)
    for name, known in (("words", WORD_KINDS), ("triggers", tuple(map(str, Severity)))):
        for key in values.get(name, ()):
            if key not in known:
                raise _unknown(f"runbook.{name}", key, known, path)
    return Hints(**values, source=f"{path} [runbook]")


def _tuples(table: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(value) for key, value in table.items()}


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


def _is_matrix(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    for row in value:
        if not _is_table(row) or set(row) != set(_CELLS):
            return False
        try:
            row_of(row, 0)
        except ValueError:
            return False
    return True


def _unknown(where: str, name: str, known: Iterable[str], path: object) -> UsageError:
    near = nearest(name, known)
    meant = f"did you mean {near}? Else " if near else ""
    return UsageError(
        f"one of {', '.join(known)} in [{where}] of {path}", repr(name), f"{meant}see {FORM}"
    )


def _wrong(where: str, expected: str, found: object, path: object) -> UsageError:
    return UsageError(f"{expected} for {where} in {path}", repr(found), f"see {FORM}")
