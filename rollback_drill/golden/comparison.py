"""Where an answer differs from the one that it must be, but for what was declared to differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollback_drill.subject.questions import GoldenAnswer, GoldenQuestion
from rollback_drill.subject.values import is_left_out, leaves, value_of

_FOLLOWS_WRITES = frozenset({"etag", "last-modified", "link", "next-page"})
_DIGITS = 18  # of a count
_SHOWN = 160  # characters of a value
_FILLED, _FILLED_LEAST = (
    0.3,
    1_000,
)  # more of a body beside its values, if it has so many characters


@dataclass(frozen=True, slots=True)
class MayDiffer:
    """What may differ. `fields`: names of fields, or ways to them; `ours`: whether a row is one
    that the drill wrote; `written`: how many of them there are. `behind_others`: the answer came
    through a front door, which may add headers.
    """

    fields: frozenset[str] = frozenset()
    ours: Callable[[object], bool] = lambda _: False
    written: int = 0
    behind_others: bool = False


@dataclass(frozen=True, slots=True)
class Unlike:
    """One difference: at which `place` of the answer, and what was `expected` and `seen` there."""

    place: str
    expected: str
    seen: str


NOTHING_DECLARED = MayDiffer()


def unlike_golden(
    question: GoldenQuestion, expected: GoldenAnswer, seen: GoldenAnswer, declared: MayDiffer
) -> Unlike | None:
    """Return the first difference from a golden answer, None where there is none."""
    if expected.status != seen.status:
        told = f"{seen.status}, {shortened(seen.body)}"
        return Unlike("status", str(expected.status), told)
    if expected.body != seen.body:
        difference = _Walk(question.written, declared).first(
            value_of(expected.body), value_of(seen.body)
        )
        if difference:
            return difference
        was, now = _filling(expected.body), _filling(seen.body)
        if now > was + _FILLED and len(seen.body) > _FILLED_LEAST:
            return Unlike("body", f"{was:.0%} of it beside its values", f"{now:.0%}")
    return _of_headers(question, expected.headers, seen.headers, declared)


def _filling(body: str) -> float:
    """Return which share of a body is blanks, or said at greater length than need be."""
    value = value_of(body)
    if isinstance(value, str):
        return 0.0
    return 1 - len(json.dumps(value, separators=(",", ":"), ensure_ascii=False)) / len(body)


def unlike_rows(expected: tuple[int, object], seen: GoldenAnswer) -> Unlike | None:
    """Return the first difference from what the database's rows say, None where there is none.

    Nothing is declared: rows and answer are of one moment.
    """
    status, body = expected
    if status != seen.status:
        return Unlike("status", str(status), f"{seen.status}, {shortened(seen.body)}")
    if body is ...:
        return None
    kind = seen.headers.get("content-type", "none")
    if "json" not in kind:
        return Unlike("header content-type", "application/json", kind)
    return _Walk(False, NOTHING_DECLARED).first(body, value_of(seen.body))


def shortened(value: object) -> str:
    """Return a value as a report shows it."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@dataclass(slots=True)
class _Walk:
    """Goes through two values of JSON side by side."""

    written: bool
    declared: MayDiffer
    removed: int = field(default=0)

    def first(self, expected: object, seen: object) -> Unlike | None:
        return next(self._differences(expected, seen, ""), None)

    def _differences(self, expected: object, seen: object, place: str) -> Iterator[Unlike]:
        if _same(expected, seen) or is_left_out(place, self.declared.fields):
            return
        if isinstance(expected, dict) and isinstance(seen, dict):
            yield from self._of_objects(expected, seen, place)
        elif isinstance(expected, list) and isinstance(seen, list):
            yield from self._of_lists(expected, seen, place)
        elif type(expected) is not type(seen) or (
            expected != seen and not self._follows_writes(expected, seen, place)
        ):
            yield Unlike(place or "body", shortened(expected), shortened(seen))

    def _of_objects(
        self, expected: dict[str, Any], seen: dict[str, Any], place: str
    ) -> Iterator[Unlike]:
        own = {name: value for name, value in seen.items() if not isinstance(value, list | dict)}
        if self.written and self.declared.ours(own):
            return
        # Lists first: how many rows of them are the drill's own decides on counts.
        for name in sorted(expected, key=lambda one: not isinstance(expected[one], list)):
            where = f"{place}.{name}".lstrip(".")
            if name in seen:
                yield from self._differences(expected[name], seen[name], where)
            elif not is_left_out(where, self.declared.fields):
                yield Unlike(where, shortened(expected[name]), "no such field")
        for name in seen.keys() - expected.keys():
            where = f"{place}.{name}".lstrip(".")
            if not is_left_out(where, self.declared.fields):
                yield Unlike(where, "no such field", shortened(seen[name]))

    def _of_lists(self, expected: list[Any], seen: list[Any], place: str) -> Iterator[Unlike]:
        if self.written:
            others = [row for row in seen if not self.declared.ours(row)]
            self.removed += len(seen) - len(others)
            if len(others) < len(seen):
                # Rows of the drill take the place of others on a page.
                expected = self._there(expected, others, len(seen) - len(others))
                seen = others
        if len(expected) != len(seen) or self._in_another_order(expected, seen):
            yield Unlike(place or "body", _rows(expected), _rows(seen))
            return
        for number, (one, other) in enumerate(zip(expected, seen, strict=True)):
            yield from self._differences(one, other, f"{place}[{number}]")

    def _there(self, expected: list[Any], others: list[Any], most: int) -> list[Any]:
        """Return the rows of `expected` without at most `most` that `others` has not got."""
        there = {str(self._known(row)) for row in others}
        kept = [row for row in expected if str(self._known(row)) in there]
        return kept if len(expected) - len(kept) <= most else expected

    def _in_another_order(self, expected: list[Any], seen: list[Any]) -> bool:
        # Rows that stand where they stood are in no other order.
        others = [pair for pair in zip(expected, seen, strict=True) if not _same(*pair)]
        first, second = ([str(self._known(pair[which])) for pair in others] for which in (0, 1))
        return first != second and sorted(first) == sorted(second)

    def _known(self, row: object) -> list[tuple[str, object]]:
        fields = self.declared.fields
        return [(place, value) for place, value in leaves(row) if not is_left_out(place, fields)]

    def _follows_writes(self, expected: object, seen: object, place: str) -> bool:
        """Whether a number beside the rows grew by what the drill wrote."""
        if not self.written or "[" in place or type(expected) is not int or type(seen) is not int:
            return False
        return expected < seen <= expected + max(self.removed, self.declared.written)


def _same(one: object, other: object) -> bool:
    """Whether two values are equal at first sight; 1 is neither 1.0 nor true."""
    if isinstance(one, dict | list) and one != other:
        return False  # sooner than by all of their text
    return repr(one) == repr(other)


def _rows(rows: list[Any]) -> str:
    """Say which rows there are, by what tells them apart where they have it."""
    named = [row["id"] if isinstance(row, dict) and "id" in row else row for row in rows]
    told = ", ".join(map(str, named[:12])) + (f", …, {named[-1]}" if len(named) > 12 else "")
    return shortened(f"{len(rows)} rows" + (f": {told}" if rows else ""))


def _of_headers(
    question: GoldenQuestion,
    expected: Mapping[str, str],
    seen: Mapping[str, str],
    declared: MayDiffer,
) -> Unlike | None:
    for name in sorted(expected.keys() | seen.keys()):
        place = f"header {name}"
        if is_left_out(place, declared.fields) or expected.get(name) == seen.get(name):
            continue
        if question.written and (name in _FOLLOWS_WRITES or _grew(name, expected, seen, declared)):
            continue
        if declared.behind_others and name not in expected:
            continue
        return Unlike(place, expected.get(name, "none"), seen.get(name, "none"))
    return None


def _grew(
    name: str, expected: Mapping[str, str], seen: Mapping[str, str], declared: MayDiffer
) -> bool:
    one, other = expected.get(name, ""), seen.get(name, "")
    if not all(text.isdecimal() and len(text) <= _DIGITS for text in (one, other)):
        return False
    return 0 < int(other) - int(one) <= declared.written
