"""The sabotage matrix: what became of each sabotage, by check, in numbers and as pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from rollback_drill.breaks.sabotage import Sabotage
from rollback_drill.ground import files
from rollback_drill.ground.lines import read_lines
from rollback_drill.ground.markup import filled
from rollback_drill.record.decoding import decode, load

ATTRIBUTED = 0.95
"""The least share of sabotages that the expected check must catch."""


class Found(StrEnum):
    """What became of a sabotage."""

    CAUGHT = "caught"
    ELSEWHERE = "caught by another"
    UNKNOWN = "unknown"
    SURVIVED = "survived"
    UNPLANTED = "not planted"
    NOT_HERE = "not to be had here"


@dataclass(frozen=True, slots=True)
class HeldSabotage:
    """What became of one sabotage, or of a clean drill (which should have `survived`). `key`: of
    the suite and the entry, as they were; `by`: the keys that were red; `how`: alone or in a bunch.
    """

    key: str
    name: str
    fate: str
    by: tuple[str, ...]
    words: str
    how: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """What is known of `sabotages` and clean drills, by `version` on day `day`."""

    version: str
    day: str
    sabotages: Sequence[Sabotage]
    outcomes: dict[str, HeldSabotage]
    clean: Sequence[HeldSabotage]

    def of(self, fate: Found) -> list[str]:
        """Return the names of the sabotages with this fate."""
        return [one.name for one in self.sabotages if self._fate(one) == fate]

    @property
    def open(self) -> list[str]:
        """Return the names of the sabotages that were not held."""
        return [one.name for one in self.sabotages if one.name not in self.outcomes]

    @property
    def red_clean(self) -> list[HeldSabotage]:
        """Return the clean drills that did not pass."""
        return [one for one in self.clean if one.fate != Found.SURVIVED]

    @property
    def good(self) -> bool:
        """Whether every sabotage was caught, nearly all by the check they name, and no clean drill
        was red.
        """
        caught, elsewhere = len(self.of(Found.CAUGHT)), len(self.of(Found.ELSEWHERE))
        here = len(self.sabotages) - len(self.of(Found.NOT_HERE))
        return caught + elsewhere == here and caught >= ATTRIBUTED * here and not self.red_clean

    def sentences(self) -> Iterator[str]:
        """Yield the totals, and every one that was not caught by the check that it names."""
        held = len(self.sabotages) - len(self.open)
        yield f"{held} of {len(self.sabotages)} sabotages held, {self.version}, {self.day}"
        for fate in Found:
            if names := self.of(fate):
                yield f"{fate}: {len(names)}"
        yield f"clean drills: {len(self.clean)}, {len(self.red_clean)} of them red"
        for one in (*self.outcomes.values(), *self.red_clean):
            if one.fate not in (Found.CAUGHT, Found.NOT_HERE):
                yield f"{one.name}: {one.fate}, {one.how}: {', '.join(one.by)} {one.words}".strip()

    def by_check(self) -> list[tuple[str, list[tuple[Sabotage, HeldSabotage | None]]]]:
        """Return each check with the sabotages that it is to catch."""
        found: dict[str, list[tuple[Sabotage, HeldSabotage | None]]] = {}
        for one in sorted(self.sabotages, key=lambda one: one.caught_by):
            found.setdefault(one.caught_by, []).append((one, self.outcomes.get(one.name)))
        return list(found.items())

    def _fate(self, one: Sabotage) -> str:
        outcome = self.outcomes.get(one.name)
        return outcome.fate if outcome else ""


def write_matrix(matrix: Matrix, folder: Path) -> None:
    """Write the matrix as sabotage.html, sabotage.json and sabotage.md to `folder`."""
    page = filled(__file__, "sabotage", matrix=matrix, totals=list(_totals(matrix)))
    files.write(folder / "sabotage.html", page)
    files.write(folder / "sabotage.md", "\n".join(_markdown(matrix)) + "\n")
    told = {
        "version": matrix.version,
        "day": matrix.day,
        "good": matrix.good,
        "totals": dict(_totals(matrix)),
        "sabotages": [
            {
                "name": one.name,
                "breaks": one.breaks,
                "where": one.where,
                "caught_by": one.caught_by,
                "procedure": one.procedure,
                "fate": outcome.fate if outcome else None,
                "by": list(outcome.by) if outcome else [],
                "words": outcome.words if outcome else "",
                "how": outcome.how if outcome else "",
            }
            for _, entries in matrix.by_check()
            for one, outcome in entries
        ],
        "clean": [asdict(one) for one in matrix.clean],
    }
    text = json.dumps(told, indent=2, ensure_ascii=False)
    files.write(folder / "sabotage.json", text + "\n")


def kept_outcomes(path: Path) -> dict[str, HeldSabotage]:
    """Return what was kept by its key; nothing where there is no file. Raises UsageError for one
    that cannot be read; a line that another version wrote is left out.
    """
    found: dict[str, HeldSabotage] = {}
    if path.exists():
        for _, line in read_lines(path, f"outcomes in {path}", "remove it", whole_only=True):
            try:
                one = decode(HeldSabotage, load(line))
            except ValueError:
                continue
            found[one.key] = one
    return found


def keep_held(path: Path, outcomes: Iterable[HeldSabotage]) -> None:
    """Add `outcomes` to those that are kept. Raises OSError."""
    files.append(path, *(json.dumps(asdict(one), ensure_ascii=False) for one in outcomes))


def _totals(matrix: Matrix) -> Iterator[tuple[str, int]]:
    yield "sabotages", len(matrix.sabotages)
    for fate in Found:
        yield fate.value, len(matrix.of(fate))
    yield "not held", len(matrix.open)
    yield "clean drills", len(matrix.clean)
    yield "clean drills that were red", len(matrix.red_clean)


def _markdown(matrix: Matrix) -> Iterator[str]:
    yield "# What turns each check red"
    yield ""
    yield (
        f"Version {matrix.version}, {matrix.day}, by `make sabotage`. Each sabotage is a small "
        "defect, planted where it stands; it names the one check that must turn red by it."
    )
    yield ""
    yield "| | |"
    yield "|---|---:|"
    for name, number in _totals(matrix):
        yield f"| {name} | {number} |"
    for check, entries in matrix.by_check():
        yield ""
        yield f"## {check}"
        yield ""
        yield "| Sabotage | breaks | where | outcome |"
        yield "|---|---|---|---|"
        for one, outcome in entries:
            fate = f"{outcome.fate}, {outcome.how}" if outcome else "not held"
            if outcome and outcome.fate == Found.ELSEWHERE:
                fate += f": {', '.join(outcome.by)}"
            breaks = one.breaks.replace("|", "\\|")
            yield f"| `{one.name}` | {breaks} | {one.where} | {fate} |"
    if matrix.red_clean:
        yield ""
        yield "## Clean drills that were red"
        yield ""
        for clean in matrix.red_clean:
            yield f"- {clean.name}: {clean.fate}: {clean.words}"
