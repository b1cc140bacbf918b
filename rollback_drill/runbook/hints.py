"""What a team says of its runbook without editing it: the table [runbook] of a staging file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
