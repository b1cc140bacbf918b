"""What a revalidation finds, and how it is told apart from what the last one found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rollback_drill.decide.trigger import Unwatched, conditions
from rollback_drill.ground.errors import Exit
from rollback_drill.ground.options import SEVERITIES
from rollback_drill.ground.verdict import GOOD, Verdict
from rollback_drill.perform.check import bind
from rollback_drill.runbook.model import Checkbox, Runbook

_NUMBERED = re.compile(r"\b(line) \d+|\d+(?:\.\d+)? s\b|\d{6,}")
_LINE = re.compile(r"\bline (\d+)")
_STEP = re.compile(r"^Procedure (\d+)(?:, step (\d+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RunbookFinding:
    """A defect of a runbook. `severity`: "high", "medium" (also for what could not be found out)
    or "low".
    """

    id: str
    severity: str
    where: str
    what: str
    evidence: str
    advice: str

    @property
    def same(self) -> tuple[str, str]:
        """What it says about what, whatever its line and how long it took."""
        return _without_numbers(self.where), _without_numbers(self.what)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A checkbox, where it stands, and the check bound to it ("" for none)."""

    section: str
    item: str
    line: int
    check: str


@dataclass(frozen=True, slots=True)
class ProcedureRun:
    """A procedure that was performed, or why not: `verdict` and `reason` are its drill's. `report`:
    the folder of its report, "" for none; `restored_after_s`: in seconds, None where not observed.
    """

    name: str
    verdict: str
    reason: str
    report: str = ""
    restored_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Revalidated:
    """All that a revalidation found out. A finding of severity `fail_on` or worse fails; lesser
    ones leave something unknown.
    """

    runbook: Runbook
    findings: tuple[RunbookFinding, ...]
    performed: tuple[ProcedureRun, ...] = ()
    fail_on: str = "high"

    @property
    def exit(self) -> Exit:
        """The exit code that this calls for; where nothing was performed, it is never passed."""
        bad = SEVERITIES[: SEVERITIES.index(self.fail_on) + 1]
        if any(one.severity in bad for one in self.findings):
            return Exit.FAILED
        held = [Verdict(one.verdict) in GOOD for one in self.performed]
        return Exit.PASSED if not self.findings and held and all(held) else Exit.UNKNOWN

    @property
    def triggers(self) -> tuple[int, list[Unwatched]]:
        """How many triggers there are, and those that nobody watches."""
        watched, missed = conditions(self.runbook)
        return len(watched) + len(missed), missed


def coverage(runbook: Runbook) -> list[Coverage]:
    """Return every checkbox that a drill has to verify; a followed step's stands at its origin."""
    found = {}
    for section, checkbox in _checkboxes(runbook):
        binding = bind(checkbox.text)
        name = binding.name if binding else ""
        found[checkbox.line] = Coverage(section, checkbox.text, checkbox.line, name)
    return [found[line] for line in sorted(found)]


def _checkboxes(runbook: Runbook) -> Iterator[tuple[str, Checkbox]]:
    closing = [one for one in runbook.post_rollback if one.blocks]  # others are for people
    for checklist in (runbook.pre_rollback, runbook.verification, *closing):
        for checkbox in checklist.checkboxes:
            yield checklist.title, checkbox
    for procedure in reversed(runbook.procedures):  # so that an origin wins over who follows it
        for checkbox in procedure.prerequisites:
            yield f"Procedure {procedure.number}", checkbox
        for step in procedure.steps:
            for checkbox in step.checkboxes:
                yield f"Procedure {procedure.number}, Step {step.number}", checkbox


def lines_named(where: str, runbook: Runbook) -> tuple[int, int]:
    """Return the first and last line of the part of the runbook that `where` names, 0 for none."""
    if named := _LINE.search(where):
        return int(named[1]), int(named[1])
    starts = {
        one.title: one.line
        for one in (runbook.pre_rollback, runbook.verification, *runbook.post_rollback)
        if one.line
    }
    begins = next((line for title, line in starts.items() if where.startswith(title)), 0)
    every = [*starts.values()]
    named = _STEP.match(where)
    for procedure in runbook.procedures:
        every += [procedure.line, *(step.line for step in procedure.steps)]
        if named and procedure.number == int(named[1]):
            begins = procedure.line
            begins = next((s.line for s in procedure.steps if str(s.number) == named[2]), begins)
    if not begins:
        return 0, 0
    following = [line for line in every if line > begins]
    return begins, min(following, default=runbook.text.count("\n") + 2) - 1


def _without_numbers(text: str) -> str:
    return _NUMBERED.sub(r"\1 …", text)
