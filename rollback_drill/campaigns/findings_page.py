"""findings.html: what a revalidation found, in the look of a drill's page, beside what the one
before it found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from rollback_drill.campaigns.found import Coverage, ProcedureRun, Revalidated, coverage
from rollback_drill.campaigns.since import KeptFinding, Since
from rollback_drill.ground.clock import now
from rollback_drill.ground.errors import Exit
from rollback_drill.ground.markup import filled
from rollback_drill.ground.redact import masked
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.words import capitalized, duration
from rollback_drill.report.html import minute
from rollback_drill.report.style import style
from rollback_drill.runbook.changed import ChangedPassage
from rollback_drill.runbook.lines import LARGEST

_VERDICTS = {Exit.PASSED: Verdict.PASSED, Exit.UNKNOWN: Verdict.UNKNOWN}
_OF_DRILL = re.compile(r"^(procedure-\d+(?:-alternative)?)-(\d+)$")
_MOST_SAID = 30  # lines of evidence: the report of the procedure has them all
_MOST_STEPS = 3


@dataclass(frozen=True, slots=True)
class PageFinding:
    """A finding as the page shows it. `id`: on the page; `report`: where the page of its drill
    tells of it, "" for what was found by reading; `line`: where it stands, 0 for nowhere.
    """

    id: str
    kept: KeptFinding
    evidence: str
    report: str
    line: int


@dataclass(frozen=True, slots=True)
class Beside:
    """A passage that changed, and the findings that are about it."""

    passage: ChangedPassage
    findings: tuple[PageFinding, ...]


def findings_page(found: Revalidated, changes: Since) -> Markup:
    """Return the page."""
    shown = [_shown(number, one) for number, one in enumerate(changes.findings, 1)]
    present = [one for one in shown if one.kept.state != "gone"]
    pairs = [
        Beside(passage, tuple(one for one in shown if one.kept.is_about(passage)))
        for passage in changes.passages
    ]
    taken = {one.id for pair in pairs for one in pair.findings}
    boxes = coverage(found.runbook)
    text = masked(found.runbook.text)
    return filled(
        __file__,
        "findings_page",
        style=style(),
        verdict=_VERDICTS.get(found.exit, Verdict.FAILED),
        found=found,
        changes=changes,
        last=_day(changes.at),
        lead=_lead(found, changes),
        present=present,
        pairs=pairs,
        elsewhere=[one for one in shown if one.kept.state and one.id not in taken],
        steps=_next_steps(present),
        procedures=_worst_first(found.performed),
        boxes=_by_section(boxes),
        unbound=[one for one in boxes if not one.check],
        bound=sum(bool(one.check) for one in boxes),
        missed=found.triggers[1],
        triggers=found.triggers[0],
        document=text.rstrip("\n").split("\n") if 0 < len(text) <= LARGEST else [],
        at=minute(now()),
        duration=duration,
        verdict_of=Verdict,
    )


def _shown(number: int, one: KeptFinding) -> PageFinding:
    drill = _OF_DRILL.match(one.finding.id)
    report = f"{drill[1]}/index.html#finding-{drill[2]}" if drill and one.state != "gone" else ""
    said = one.finding.evidence.split("\n")
    if len(said) > _MOST_SAID:
        said = [*said[:_MOST_SAID], f"… {len(said) - _MOST_SAID} more lines"]
    first = 0 if one.state == "gone" else one.lines[0]
    return PageFinding(f"finding-{number}", one, masked("\n".join(said)), report, first)


def _lead(found: Revalidated, changes: Since) -> str:
    """Return what was found in a sentence."""
    many = Counter(one.severity for one in found.findings)
    told = ", ".join(f"{number} {name}" for name, number in many.items())
    if told:
        told = f"{_counted(len(found.findings))}: {told}."
    elif found.exit is Exit.PASSED:
        told = "No finding: this runbook holds."
    else:
        told = "No finding, and not every procedure was seen to hold."
    if changes.changed is None:
        return told
    states = Counter(one.state for one in changes.findings)
    since = ", ".join(f"{states[one]} {one}" for one in ("new", "gone", "stayed") if states[one])
    return f"{told} Since the last time: {since or 'nothing else was found'}."


def _counted(number: int) -> str:
    return f"{number} finding{'' if number == 1 else 's'}"


def _next_steps(present: Sequence[PageFinding]) -> list[tuple[str, str]]:
    """Return what to do, the worst few first, each with what it is about ("" for nothing)."""
    told: dict[str, str] = {}
    for one in present:
        told.setdefault(one.kept.finding.advice or one.kept.finding.what, one.id)
    found = [(capitalized(text), name) for text, name in told.items()]
    if len(found) > _MOST_STEPS:
        more = f"And {len(found) - _MOST_STEPS} more"
        return [*found[:_MOST_STEPS], (more, found[_MOST_STEPS][1])]
    return found or [("Nothing has to be mended; revalidate it after each change.", "")]


def _worst_first(runs: Sequence[ProcedureRun]) -> list[ProcedureRun]:
    order = list(Verdict)
    return sorted(runs, key=lambda one: -order.index(Verdict(one.verdict)))


def _by_section(boxes: Sequence[Coverage]) -> list[tuple[str, list[Coverage]]]:
    found: dict[str, list[Coverage]] = {}
    for one in boxes:
        found.setdefault(one.section, []).append(one)
    return list(found.items())


def _day(at: str) -> str:
    try:
        return minute(datetime.fromisoformat(at).timestamp()) if at else ""
    except (ValueError, OverflowError):
        return ""
