"""Answers whether a runbook still holds: which checkboxes are bound, what each procedure does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rollback_drill.conduct.hold import hold
from rollback_drill.conduct.plans import literal_plan
from rollback_drill.conduct.request import Request
from rollback_drill.decide.trigger import Unwatched, conditions
from rollback_drill.ground import files
from rollback_drill.ground.errors import Exit, UsageError
from rollback_drill.ground.options import SEVERITIES
from rollback_drill.ground.terminal import shown
from rollback_drill.judge.judgement import Judgement
from rollback_drill.perform.asked import SUSPECT
from rollback_drill.perform.check import bind, unbound
from rollback_drill.perform.foreign import foreign
from rollback_drill.runbook.coverage import Reading
from rollback_drill.runbook.lint import Lint, lint, lint_document
from rollback_drill.runbook.model import Checkbox, Procedure, Runbook, Unread
from rollback_drill.runbook.shell import read_script
from rollback_drill.stage.hinted import runbook_on
from rollback_drill.stage.model import Stage
from rollback_drill.stage.stages.containers import containers_problem
from rollback_drill.stage.supervision import SUPERVISORD, SYSTEMD
from rollback_drill.subject.subject import own

__all__ = [
    "Coverage",
    "RunbookFinding",
    "compare_with",
    "coverage",
    "of_no_runbook",
    "perform_literally",
    "revalidate",
    "supervisor_of",
    "write_findings",
]

# What an alternative for a failed downgrade has to mend.
DAMAGE = "downgrade-damages-data"


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


@dataclass(frozen=True, slots=True)
class Coverage:
    """A checkbox, where it stands, and the check bound to it ("" for none)."""

    section: str
    item: str
    line: int
    check: str


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


def revalidate(
    request: Request, open_it: Callable[[], Stage], progress: Callable[[str], None]
) -> list[RunbookFinding]:
    """Bind the checkboxes of `request.runbook`, perform each of its procedures, return findings.

    Each procedure is performed on a fresh stage of `open_it`, and its drill's report is written
    to `request.report`/procedure-N. Raises UsageError for a malformed runbook, KeyboardInterrupt
    when the operator ends it; the stage is removed then.
    """
    runbook = runbook_on(request.runbook, request.stage)
    findings = by_reading(runbook)
    for procedure in runbook.procedures:
        if procedure is runbook.redeployment:
            continue  # performed behind the one that takes the database back
        stage = open_it()
        hits = foreign(runbook, [procedure], stage)
        if hits:
            findings += [_not_performed(procedure, line, words, stage.name) for line, words in hits]
            continue
        progress(f"performing Procedure {procedure.number}: {procedure.title}")
        name = f"procedure-{procedure.number}"
        findings += _of_drill(name, perform_literally(request, procedure, stage, name))
        if any(block.fallback for step in procedure.steps for block in step.blocks):
            progress(f"performing the alternative of Procedure {procedure.number}")
            name += "-alternative"
            held = perform_literally(request, procedure, open_it(), name, DAMAGE)
            findings += _of_drill(name, held)
    return _merged(findings)


def by_reading(runbook: Runbook) -> list[RunbookFinding]:
    """Return what is found without a stage: suspicions, and what a drill could not see."""
    return [
        *(_suspected(one) for one in lint(runbook)),
        *(_unread(one) for one in runbook.unread),
        *(_uncovered(one) for one in coverage(runbook) if not one.check),
        *(_unwatched(one) for one in conditions(runbook)[1]),
    ]


def perform_literally(
    request: Request, procedure: Procedure, stage: Stage, name: str, hazard: str = "none"
) -> Judgement:
    """Perform `procedure` as it stands, pressing on after failures, and look at what it leaves.

    `stage` is brought up and removed; the drill's report is written to `request.report`/`name`.
    """
    report = request.report / name
    one = Request(
        request.runbook,
        report,
        fault=own()[1].curable,
        procedure=str(procedure.number),
        pace=request.pace,
        rate=request.rate,
        seed=request.seed,
        round_trip=bool(procedure.dropped) and hazard == "none",
        hazard=hazard,
    )
    judgement = hold(literal_plan(one, stage)).judgement
    if any(cause.what.startswith("interrupted") for cause in judgement.causes):
        raise KeyboardInterrupt
    return judgement


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


def compare_with(previous: Path, findings: list[RunbookFinding], runbook: Runbook) -> list[str]:
    """Return, in sentences, what changed since the findings in `previous`; none without that file.

    A finding is the same when it says the same about the same thing, whatever its line.
    """
    try:
        before = json.loads(previous.read_text(encoding="utf-8"))
        old = {(_without_lines(f["where"]), _without_lines(f["what"])) for f in before["findings"]}
        text_changed = before["runbook"]["sha256"] != runbook.sha256
    except (OSError, ValueError, KeyError, TypeError):
        return []
    new = {(_without_lines(one.where), _without_lines(one.what)) for one in findings}
    told = ["the document changed" if text_changed else "the document is the same"]
    told += [f"new: {where}: {what}" for where, what in sorted(new - old)]
    told += [f"gone: {where}: {what}" for where, what in sorted(old - new)]
    if new == old:
        told.append("the findings are the same")
    return told


def _without_lines(text: str) -> str:
    return re.sub(r"\b(line) \d+|\d+(?:\.\d+)? s\b|\d{6,}", r"\1 …", text)


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


def write_findings(
    findings: list[RunbookFinding],
    runbook: Runbook,
    directory: Path,
    changes: Sequence[str] = (),
    *,
    fail_on: str = "high",
) -> Exit:
    """Write findings.md and findings.json into `directory`; return the exit code.

    A finding of severity `fail_on` or worse fails; lesser ones leave something unknown.
    `changes`: what changed since the last time (see `compare_with`).

    Raises UsageError when they cannot be written.
    """
    covered = coverage(runbook)
    bound = sum(bool(one.check) for one in covered)
    watched, missed = conditions(runbook)
    lines = [
        f"# What revalidating {runbook.path.name} found",
        "",
        f"{bound} of {len(covered)} checkboxes are verified by a check, {len(watched)} of "
        f"{len(watched) + len(missed)} triggers are watched. {len(findings) or 'No'} finding(s).",
        "",
    ]
    if changes:
        lines += ["## Since the last time", "", *(f"- {change}" for change in changes), ""]
    for one in findings:
        lines += [f"## {one.severity}: {one.where}", "", one.what, ""]
        if "\n" in one.evidence:
            lines += ["```text", one.evidence, "```", ""]
        elif one.evidence:
            lines += [f"Evidence: {one.evidence}", ""]
        lines += [f"Try: {one.advice}", ""]
    content = {
        "runbook": {"path": str(runbook.path), "sha256": runbook.sha256},
        "checkboxes": [asdict(one) for one in covered],
        "unwatched": [asdict(one) for one in missed],
        "findings": [asdict(one) for one in findings],
        "changes": list(changes),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        files.write(directory / "findings.md", shown("\n".join(lines)))
        text = json.dumps(content, indent=2, ensure_ascii=False)
        files.write(directory / "findings.json", text + "\n")
    except OSError as error:
        raise UsageError(
            f"a folder for the findings at {directory}", str(error.strerror), "set REPORT=DIR"
        ) from error
    if any(SEVERITIES.index(one.severity) <= SEVERITIES.index(fail_on) for one in findings):
        return Exit.FAILED
    return Exit.UNKNOWN if findings else Exit.PASSED
