"""Proof of the checks: when each was last seen red for a planted defect, and by which one.

A check that never was may be one that cannot fail. `proof.json` beside this module is made of a
matrix of sabotages by `campaigns.proof_file`; of another version nothing is known.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import rollback_drill
from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.errors import UsageError
from rollback_drill.judge.red import STEPS
from rollback_drill.perform.anchors import box_ids
from rollback_drill.perform.told import Checked, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.decoding import decode, load
from rollback_drill.record.judge import JUDGES, all_judges

PROOF_FILE = Path(__file__).with_name("proof.json")
"""What is known, as the package carries it."""
COMMANDS, BUDGETS = "command", "budget"
"""The rules on a step, as `judge.red` calls them."""
_RULES = {
    COMMANDS: "every command of a step ends with status 0",
    BUDGETS: "a step is over within its budget",
}


@dataclass(frozen=True, slots=True)
class RedFor:
    """What one check was seen red for: a sabotage and what it breaks ("" for none), how many
    `others` beside it; and how many that were planted for this check it did not see (`missed`).
    """

    sabotage: str
    breaks: str
    others: int
    missed: int


@dataclass(frozen=True, slots=True)
class KnownProof:
    """A matrix of sabotages, by the keys of checks as `judge.red` has them, without places.

    `version`: of the package; `suite`: the first of a digest of all that was held; `day`:
    ISO 8601; `source`: the file that it was made of.
    """

    version: str
    suite: str
    day: str
    source: str
    sabotages: int
    checks: dict[str, RedFor]

    def told(self) -> str:
        """Return of what it is known, in words."""
        when = f"{date.fromisoformat(self.day):%-d %b %Y}"
        return f"version {self.version}, suite {self.suite}, {when}"


@dataclass(frozen=True, slots=True)
class CheckProof:
    """A check of a report. `asks`: what it looks at; `boxes`: ids and texts of those that it
    verified; `red`: None where it was never seen red for a planted defect.
    """

    key: str
    asks: str
    boxes: tuple[tuple[str, str], ...]
    red: RedFor | None
    missed: int


@dataclass(frozen=True, slots=True)
class ReportProof:
    """The proof of a report's checks. `unknown`: why there is none, "" where there is."""

    matrix: str
    day: str
    unknown: str
    checks: tuple[CheckProof, ...]

    @property
    def never(self) -> list[CheckProof]:
        """The checks that were never seen red for a planted defect."""
        return [one for one in self.checks if one.red is None]

    @property
    def count(self) -> str:
        """How many were seen red, as a few words."""
        if self.unknown:
            return "not known"
        return f"{len(self.checks) - len(self.never)} of {len(self.checks)}"

    def told(self) -> str:
        """Return how many of the checks were seen red, as a sentence."""
        if self.unknown:
            return f"Which checks were seen red for a planted defect is not known: {self.unknown}."
        return (
            f"{self.count} checks of this report were seen red for a planted "
            f"defect ({self.matrix})."
        )


@functools.cache
def known_proof(path: Path = PROOF_FILE) -> KnownProof | None:
    """Return what the package carries; None where it carries nothing. Raises UsageError for a file
    that cannot be read.
    """
    if not path.exists():
        return None
    try:
        return decode(KnownProof, load(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise UsageError(
            f"proof of the checks in {path}",
            str(error),
            "make it again: python -m rollback_drill.campaigns.proof_file docs/sabotage.md",
        ) from error


def proof(book: Book) -> ReportProof:
    """Return the proof of the checks that had a say in the verdict on a drill."""
    return proven(book, known_proof())


def proven(book: Book, known: KnownProof | None) -> ReportProof:
    """Return the proof of a drill's checks by what is `known`."""
    start = book.last(DrillStarted)
    unknown = _unknown(start.version if start else "", known)
    checks: Mapping[str, RedFor] = known.checks if known and not unknown else {}
    found = []
    for key, asks, boxes in _asked(book):
        red = checks.get(key)
        missed = red.missed if red else 0
        found.append(CheckProof(key, asks, boxes, red if red and red.sabotage else None, missed))
    matrix, day = "", ""
    if known and not unknown:
        matrix, day = known.told(), f"{date.fromisoformat(known.day):%-d %b %Y}"
    return ReportProof(matrix, day, unknown, tuple(found))


def _unknown(held_by: str, known: KnownProof | None) -> str:
    """Say why nothing is known of the checks of a record, "" where something is."""
    if known is None:
        return "this package carries no matrix of planted defects"
    if not held_by:
        return "the record does not say by which version the drill was held"
    for version, did in ((held_by, "held"), (rollback_drill.__version__, "judged")):
        if version != known.version:
            return (
                f"the drill was {did} by version {version}, and the matrix of planted defects is "
                f"of version {known.version}"
            )
    return ""


def _asked(book: Book) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Yield the key of each check, what it asks, and the checkboxes that it verified."""
    boxes: dict[str, list[tuple[str, str]]] = {}
    for place, one in zip(book.ask(box_ids), book.every(Checked), strict=True):
        if one.check:
            boxes.setdefault(one.check, []).append((place, one.item))
    for key, verified in boxes.items():
        yield key, "", tuple(verified)
    if book.every(StepEnded):
        yield from ((key, asks, ()) for key, asks in _RULES.items())
    all_judges()
    for name, judge in JUDGES.members().items():
        if name != STEPS:  # its causes are told apart above
            said = inspect.getdoc(judge.causes) or ""
            yield name, " ".join(said.partition("\n\n")[0].split()).rstrip("."), ()
