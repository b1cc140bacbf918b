"""Answers whether a runbook still holds: which checkboxes are bound, what each procedure does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rollback_drill.breaks.hazard import NONE
from rollback_drill.campaigns.found import (
    Coverage,
    ProcedureRun,
    Revalidated,
    RunbookFinding,
    coverage,
)
from rollback_drill.conduct.admission import look_over
from rollback_drill.conduct.hold import hold
from rollback_drill.conduct.plans import literal_plan
from rollback_drill.conduct.request import Request
from rollback_drill.decide.trigger import Unwatched, conditions
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import Judgement
from rollback_drill.perform.asked import SUSPECT
from rollback_drill.perform.check import unbound
from rollback_drill.perform.foreign import foreign
from rollback_drill.runbook.coverage import Reading
from rollback_drill.runbook.lint import Lint, lint, lint_document
from rollback_drill.runbook.model import Procedure, Runbook, Unread
from rollback_drill.runbook.shell import read_script
from rollback_drill.stage.hinted import runbook_on
from rollback_drill.stage.model import Stage, lacks_of
from rollback_drill.stage.stages.containers import containers_problem
from rollback_drill.stage.supervision import SUPERVISORD, SYSTEMD
from rollback_drill.subject.subject import own

# What an alternative for a failed downgrade has to mend.
DAMAGE = "downgrade-damages-data"


def supervisor_of(runbook: Runbook, stage: str) -> str:
    """Return the supervisor that the hosts need for the runbook's own commands."""
    wants_systemd = any(
        command.name == "systemctl"
        for procedure in runbook.procedures
        for step in procedure.steps
        for block in step.blocks
        for alternative in block.alternatives
        for command in read_script(alternative.script).commands
    )
    containers = stage == "containers" or (stage == "auto" and not containers_problem())
    return SYSTEMD.name if wants_systemd and containers else SUPERVISORD.name


_BY_RULES = {f"Runbook, {name}" for name in SUSPECT}  # said by reading, with the line


@dataclass(frozen=True, slots=True)
class _Performance:
    """One procedure to be performed on a stage that is not up. `name`: of the report's folder."""

    name: str
    procedure: Procedure
    stage: Stage
    hazard: str = NONE

    @property
    def told(self) -> str:
        told = f"Procedure {self.procedure.number}: {self.procedure.title}"
        return told + (" (its alternative)" if self.hazard != NONE else "")


def revalidate(
    request: Request,
    open_it: Callable[[], Stage],
    progress: Callable[[str], None],
    keep: Callable[[Revalidated], None] = lambda _: None,
) -> Revalidated:
    """Bind the checkboxes of `request.runbook`, perform each of its procedures, return findings.

    Each procedure is performed on a fresh stage of `open_it`, and its drill's report is written
    to `request.report`/procedure-N. `keep` is given what is known so far, for the first time by
    reading alone, before any stage is opened. Raises UsageError for what cannot be performed as it
    was asked for, before anything is brought up or deployed; KeyboardInterrupt when the operator
    ends it; the stage is removed then.
    """
    runbook = runbook_on(request.runbook, request.stage)
    findings, runs = by_reading(runbook), list[ProcedureRun]()

    def so_far(*left: str) -> Revalidated:
        found = [*findings, _not_yet(left)] if left else _merged(findings)
        return Revalidated(runbook, tuple(found), tuple(runs))

    keep(so_far("any procedure"))
    ahead, refused, runs[:] = _admitted(request, runbook, open_it, progress)
    findings += refused
    while ahead:
        keep(so_far(*(other.told for other in ahead)))
        one, *ahead = ahead
        progress(f"performing {one.told}")
        held = perform_literally(request, one.procedure, one.stage, one.name, one.hazard)
        findings += _of_drill(one.name, held)
        seen = (held.verdict.value, held.reason, one.name, held.restored_after_s)
        runs.append(ProcedureRun(one.told, *seen))
    return so_far()


def _admitted(
    request: Request,
    runbook: Runbook,
    open_it: Callable[[], Stage],
    progress: Callable[[str], None],
) -> tuple[list[_Performance], list[RunbookFinding], list[ProcedureRun]]:
    """Return what can be performed, and what cannot as findings. Nothing is brought up.

    Raises UsageError for what was not asked for rightly.
    """
    ahead: list[_Performance] = []
    refused: list[RunbookFinding] = []
    left_out: list[ProcedureRun] = []

    def admit_one(one: _Performance) -> None:
        asked = _literal_request(request, one.procedure, one.stage, one.name, one.hazard)
        look_over(literal_plan(asked, one.stage), None, progress)
        ahead.append(one)

    def leave_out(one: _Performance, why: list[RunbookFinding]) -> None:
        refused.extend(why)
        left_out.append(ProcedureRun(one.told, Verdict.UNKNOWN.value, why[0].what))

    for procedure in runbook.procedures:
        if procedure is runbook.redeployment:
            continue  # performed behind the one that takes the database back
        one = _Performance(f"procedure-{procedure.number}", procedure, open_it())
        hits = foreign(runbook, [procedure], one.stage)
        if hits:
            leave_out(one, [_not_performed(procedure, *hit, one.stage.name) for hit in hits])
            continue
        admit_one(one)
        if any(block.fallback for step in procedure.steps for block in step.blocks):
            other = replace(one, name=f"{one.name}-alternative", stage=open_it(), hazard=DAMAGE)
            try:
                admit_one(other)
            except UsageError as error:  # of the hazard alone: all else was looked over before
                leave_out(other, [_no_alternative(other, error)])
    return ahead, refused, left_out


def by_reading(runbook: Runbook) -> list[RunbookFinding]:
    """Return what is found without a stage: suspicions, and what a drill could not see."""
    return [
        *(_suspected(one) for one in lint(runbook)),
        *(_unread(one) for one in runbook.unread),
        *(_uncovered(one) for one in coverage(runbook) if not one.check),
        *(_unwatched(one) for one in conditions(runbook)[1]),
    ]


def perform_literally(
    request: Request, procedure: Procedure, stage: Stage, name: str, hazard: str = NONE
) -> Judgement:
    """Perform `procedure` as it stands, pressing on after failures, and look at what it leaves.

    `stage` is brought up and removed; the drill's report is written to `request.report`/`name`.
    """
    one = _literal_request(request, procedure, stage, name, hazard)
    judgement = hold(literal_plan(one, stage)).judgement
    if any(cause.what.startswith("interrupted") for cause in judgement.causes):
        raise KeyboardInterrupt
    return judgement


def _literal_request(
    request: Request, procedure: Procedure, stage: Stage, name: str, hazard: str
) -> Request:
    return replace(
        request,
        report=request.report / name,
        fault=request.fault or _fault_of(stage),
        procedure=str(procedure.number),
        round_trip=bool(procedure.dropped) and hazard == NONE,
        hazard=hazard,
    )


def _fault_of(stage: Stage) -> str:
    """Return the fault that a rollback cures there: the first of its file, or the demo's own."""
    for name, entry in stage.faults.items():
        if entry.ours:
            return name
    if not lacks_of(stage, ("known", "defects")):
        return own()[1].curable
    raise UsageError(
        f"a fault of the release among [[faults]] in {stage.where}",
        "none that a rollback cures",
        "describe one (docs/staging-file.md), or set FAULT",
    )


def of_no_runbook(reading: Reading) -> list[RunbookFinding]:
    """Return what is wrong with a document that cannot be drilled: what keeps it from being a
    runbook, and what the rules say about the commands in it.
    """
    runbook = reading.runbook
    found = [_missing(number, *one) for number, one in enumerate(sorted(reading.problems.found), 1)]
    found += [_suspected(one) for one in lint_document(runbook.path)]
    return found + [_unread(one) for one in runbook.unread]


def _missing(number: int, line: int, problem: str) -> RunbookFinding:
    return RunbookFinding(
        f"no-runbook-{number}",
        "high",
        f"line {line}" if line else "the document",
        problem,
        "it cannot be drilled as it stands: none of its procedures was performed",
        "mend this line" if line else "see docs/runbook.md for the form of a runbook",
    )


def _suspected(one: Lint) -> RunbookFinding:
    return RunbookFinding(
        f"{one.rule}-{one.line}",
        one.severity,
        f"line {one.line}",
        one.what,
        f"rule {one.rule}, by reading",
        one.advice,
    )


def _unread(one: Unread) -> RunbookFinding:
    return RunbookFinding(
        f"unread-{one.line}",
        "high",
        f"line {one.line}",
        f"nobody performs or verifies {one.text!r}",
        f"not read: {one.why}",
        "word it as docs/runbook.md says; `make read RUNBOOK=FILE` shows how it is understood",
    )


def _uncovered(one: Coverage) -> RunbookFinding:
    return RunbookFinding(
        f"uncovered-{one.line}",
        "high",
        f"line {one.line}, {one.section}",
        f"nobody can verify the checkbox {one.item!r}",
        unbound(one.item),
        "word it like a checkbox that is bound, or add a check in rollback_drill/perform/checks",
    )


def _unwatched(one: Unwatched) -> RunbookFinding:
    return RunbookFinding(
        f"unwatched-{one.line}",
        "high",
        f"line {one.line}, trigger {one.name!r}",
        one.why,
        "a drill cannot tell when it fires",
        "word it like a trigger that is watched, or add a watch in rollback_drill/decide/triggers",
    )


def _not_performed(procedure: Procedure, line: int, words: str, stage: str) -> RunbookFinding:
    return RunbookFinding(
        f"not-performed-{procedure.number}-{line}",
        "medium",
        f"line {line}, Procedure {procedure.number}",
        f"not performed here: {words!r} reaches beyond the stage",
        f"on the stage {stage} it would act on this very machine",
        "use STAGE=containers, or name hosts and paths by environment variables",
    )


def _no_alternative(one: _Performance, error: UsageError) -> RunbookFinding:
    return RunbookFinding(
        f"not-performed-{one.name}",
        "medium",
        f"Procedure {one.procedure.number}",
        "not performed here: its alternative, for a downgrade that fails",
        f"expected {error.expected}; found {error.found}",
        error.advice,
    )


def _not_yet(names: Sequence[str]) -> RunbookFinding:
    """What stands among the findings until it was performed, should it never come to that."""
    return RunbookFinding(
        "not-performed",
        "medium",
        "the procedures",
        f"not performed: {', '.join(names)}",
        "what else stands here was found without that",
        "see what the command said, and run it again",
    )


def _merged(findings: list[RunbookFinding]) -> list[RunbookFinding]:
    """Return `findings` with those that several drills made as one: they share the preparation."""
    found: dict[tuple[str, str], RunbookFinding] = {}
    for one in findings:
        found.setdefault((one.where, one.what), one)
    return list(found.values())


def _of_drill(name: str, judgement: Judgement) -> list[RunbookFinding]:
    return [
        RunbookFinding(
            f"{name}-{number}",
            "medium" if cause.verdict == "unknown" else "high",
            cause.where,
            cause.what,
            cause.evidence,
            cause.advice or f"see {name}/index.html",
        )
        for number, cause in enumerate(judgement.causes, 1)
        if cause.where not in _BY_RULES
    ]
