"""What is taken for what a document of another form does not say: `standard.toml`, as objects."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from rollback_drill.runbook.amounts import band, duration_s, percent, speed_of
from rollback_drill.runbook.budgets import budget
from rollback_drill.runbook.model import (
    Assumed,
    Budget,
    Checkbox,
    Checklist,
    MatrixRow,
    Runbook,
)
from rollback_drill.runbook.statement import plain


@dataclass(frozen=True, slots=True)
class StandardBox:
    """A box of the standard set. `needs`: an ability without which no stage can tell."""

    text: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class StandardSet:
    """The file. Each part with its source."""

    matrix: tuple[dict[str, str], ...]
    matrix_source: str
    tier: str
    tier_within: str
    tier_source: str
    step_budget: Budget
    step_source: str
    looks: tuple[str, ...]
    look_source: str
    final_title: str
    final_boxes: tuple[StandardBox, ...]
    final_source: str


@functools.cache
def standard_set() -> StandardSet:
    """Return the standard set of this package."""
    text = files(__package__).joinpath("standard.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    matrix, tier, step = table["matrix"], table["tier"], table["step"]
    look, final = table["look"], table["verification"]
    return StandardSet(
        matrix=tuple(matrix["rows"]),
        matrix_source=matrix["source"],
        tier=tier["severity"],
        tier_within=tier["within"],
        tier_source=tier["source"],
        step_budget=budget(step["budget"]),
        step_source=step["source"],
        looks=tuple(look["boxes"]),
        look_source=look["source"],
        final_title=final["title"],
        final_boxes=tuple(StandardBox(**one) for one in final["boxes"]),
        final_source=final["source"],
    )


class Below:
    """What stands, as it were, below the last line of a document: each value with its line."""

    def __init__(self, last: int) -> None:
        self._line = last
        self.found: list[Assumed] = []

    def add(self, what: str, value: str, source: str, needs: str = "") -> int:
        """Note a value that stands nowhere in the document; return its line."""
        self._line += 1
        self.found.append(Assumed(self._line, what, value, source, needs))
        return self._line

    def at(self, line: int, what: str, value: str, source: str) -> None:
        """Note a value that completes what stands in `line`."""
        self.found.append(Assumed(line, what, value, source))


def row_of(cells: dict[str, str], line: int) -> MatrixRow:
    """Return a row of the matrix from its cells by name. Raises ValueError."""
    quantile, speed = speed_of({"performance": cells["performance"]})
    return MatrixRow(
        condition=cells["condition"],
        error_rate=band(cells["error_rate"], percent),
        p95=band(speed, duration_s),
        decision=cells["decision"],
        line=line,
        quantile=quantile,
    )


def matrix_below(rows: Iterable[dict[str, str]], source: str, below: Below) -> list[MatrixRow]:
    """Return `rows` as a matrix that stands below the document. Raises ValueError."""
    found = []
    for cells in rows:
        value = f"{cells['error_rate']}, {cells['performance']}: {cells['decision']}"
        line = below.add(f"row of the matrix: {cells['condition']}", value, source)
        found.append(row_of(cells, line))
    return found


def final_boxes(known: Iterable[Checkbox], below: Below) -> tuple[Checkbox, ...]:
    """Return the boxes of the standard final checklist that are not among those `known`."""
    said = {plain(box.text).casefold() for box in known}
    standard = standard_set()
    return tuple(
        Checkbox(one.text, below.add("final box", one.text, standard.final_source, one.needs))
        for one in standard.final_boxes
        if plain(one.text).casefold() not in said
    )


def without_unable(runbook: Runbook, lacks: Collection[str]) -> Runbook:
    """Return `runbook` without the assumed boxes that a stage which lacks these cannot tell."""
    left_out = {one.line for one in runbook.assumed if one.needs in lacks and one.needs}
    if not left_out:
        return runbook
    final = runbook.verification
    boxes = tuple(box for box in final.checkboxes if box.line not in left_out)
    return replace(
        runbook,
        verification=Checklist(final.title, boxes, final.blocks, final.line, final.budget),
        assumed=tuple(one for one in runbook.assumed if one.line not in left_out),
    )
