"""Who may start a rollback: the runbook's table, read for one severity and some roles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rollback_drill.ground.errors import UsageError
from rollback_drill.runbook.model import Authority

_LEVELS = {"critical": "P0", "high": "P1", "medium": "P2"}
# From the bottom of the ladder to its top; a role stands where its last matching word does.
_LADDER = (
    r"engineer|developer|on-?call|operator",
    r"lead|senior|principal",
    r"manager|owner",
    r"director|head|vp|vice president",
    r"cto|ceo|chief",
)
_TOGETHER = re.compile(r"\s*(?:\+|&|,|\btogether\b|\band\b)\s*", re.IGNORECASE)
_OR = re.compile(r"\s+or\s+|\s*/\s*", re.IGNORECASE)
_NOISE = re.compile(r"\b(?:approval|required|together|or above|any|the|an?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether the roles suffice, by which line of the table."""

    allowed: bool
    rule: str
    line: int


def level_of(severity: str) -> str:
    """Return the table's level for a trigger's severity: P0 for critical … P3 for none."""
    return _LEVELS.get(severity, "P3")


def roles_of(text: str) -> tuple[str, ...]:
    """Return the roles in "Product Owner, Engineering Manager"."""
    return tuple(role for role in (_plain(part) for part in _TOGETHER.split(text)) if role)


def rule_on(table: Sequence[Authority], level: str, roles: Sequence[str]) -> Ruling:
    """Return whether `roles` may start a rollback at `level` ("P1").

    "Any X" admits X and everybody above, so does "X or above"; another rule admits the roles that
    it names, all of which must agree, or those on one side of an "or". A level that the table
    lacks admits nobody, and nobody is above a role that has no place on the ladder.
    """
    row = next((row for row in table if row.severity.upper().startswith(level)), None)
    if row is None:
        return Ruling(False, f"the table has no line for {level}", 0)
    rule = row.authorized_by
    if re.search(r"\bany\b|or above", rule, re.IGNORECASE):
        wanted = _rung(rule)
        named = {role.lower() for role in roles_of(rule)}
        allowed = any(_rung(role) >= wanted >= 0 or {role.lower()} == named for role in roles)
    else:
        agreeing = {role.lower() for role in roles}
        sides = [{r.lower() for r in roles_of(side)} for side in _OR.split(rule)]
        allowed = any(side and side <= agreeing for side in sides)
    return Ruling(allowed, rule, row.line)


def check_roles(table: Sequence[Authority], roles: Sequence[str]) -> None:
    """Raise UsageError for a role that has no place on the ladder and no line in the table."""
    named = {role.lower() for row in table for role in roles_of(row.authorized_by)}
    for role in roles:
        if role.lower() not in named and _rung(role) < 0:
            raise UsageError(
                "AUTHORIZED_BY: roles of the runbook's table",
                repr(role),
                "use one or more of " + "; ".join(row.authorized_by for row in table),
            )


def _plain(text: str) -> str:
    return " ".join(_NOISE.sub(" ", text).split())


def _rung(role: str) -> int:
    """Return how high on the ladder `role` stands, -1 for nowhere."""
    text = role.lower()
    return max(
        (rung for rung, words in enumerate(_LADDER) if re.search(rf"\b(?:{words})\b", text)),
        default=-1,
    )
