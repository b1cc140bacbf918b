"""The service gets no connection to its database any more."""

from __future__ import annotations

import re

from rollback_drill.decide.diagnosis import Recognition, Strength, symptom
from rollback_drill.decide.evidence import Evidence
from rollback_drill.watch.told import LogLine

# Postgres keeps three sessions for its administrators (superuser_reserved_connections).
_RESERVED = 3
_NO_CONNECTION = re.compile(
    r"too many (?:clients|connections)|remaining connection slots|"
    r"connection (?:limit|pool)\b.*(?:exceed|exhaust|timed? ?out)",
    re.IGNORECASE,
)
# A pool's clients also wait in vain when the whole process is slow, as short of memory.
_WAITED = re.compile(r"couldn't get a connection", re.IGNORECASE)


@symptom(r"too many (?:connections|clients)|connection(?: pool)?s? .*(?:exhaust|limit)", depth=2)
def connections(evidence: Evidence, match: re.Match[str]) -> Recognition:  # noqa: ARG001
    """A log line that says so proves it; a server at its limit is consistent with it.

    Clients of a pool that waited in vain prove nothing while the server has room.
    """
    room = False
    if evidence.connections:
        most, limit = evidence.connections
        room = most < limit - _RESERVED
    lines = [
        line
        for _, line in evidence.lines
        if _NO_CONNECTION.search(line.text) or (not room and _WAITED.search(line.text))
    ]
    told: list[str] = []
    if lines:
        told.append(
            f"{len(lines):,} log lines say so, such as {_quoted(lines[0])} "
            f"({lines[0].source} log of {lines[0].host or 'the stage'})"
        )
    full = False
    if evidence.connections:
        most, limit = evidence.connections
        full = most >= limit - _RESERVED
        if full:
            told.append(f"Postgres had {most} sessions, its limit is {limit}")
    strength = Strength.CONSISTENT if full else Strength.ABSENT
    if lines:
        strength = Strength.PROVEN
    return Recognition(strength, tuple(told))


def _quoted(line: LogLine) -> str:
    text = line.text if len(line.text) <= 120 else line.text[:119] + "…"
    return f"“{text}”"
