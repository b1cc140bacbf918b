"""allure-results: a result for the verdict and one for each performed step, read as Gherkin."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import (
    Attachment,
    Label,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)
from allure_commons.types import LabelType

from rollback_drill.ground import files
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.impact import headlines
from rollback_drill.judge.judgement import Judgement
from rollback_drill.perform.told import (
    Checked,
    CommandEnded,
    CommandOutput,
    CommandStarted,
    StepEnded,
    StepStarted,
)
from rollback_drill.record.timeline import Event

__all__ = ["write"]

_STATUS = {
    Verdict.PASSED: Status.PASSED,
    Verdict.ATTESTED: Status.PASSED,
    Verdict.FAILED: Status.FAILED,
    Verdict.UNCOVERED: Status.FAILED,
    Verdict.UNKNOWN: Status.UNKNOWN,
}


def write(record: Sequence[Event], judgement: Judgement, directory: Path) -> None:
    """Write the results into `directory`; what was there before is removed.

    The same record gives the same identifiers, so that Allure recognises a drill held again.
    """
    files.remove(directory)
    logger: Any = AllureFileLogger(str(directory))  # type: ignore[no-untyped-call]
    given = _given(judgement)
    labels = _labels(judgement)
    attached: dict[str, str] = {}
    results = [_verdict(record, judgement)]
    parts = _parts(record)
    results += [_part(part, given, attached) for part in parts]
    for number, result in enumerate(results):
        seed = f"{judgement.started.seed if judgement.started else ''}/{result.fullName}"
        result.historyId = uuid.uuid5(uuid.NAMESPACE_OID, seed).hex
        result.testCaseId = result.historyId
        result.uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/{result.start}/{number}"))
        result.labels = [*labels, Label(name=LabelType.STORY, value=result.fullName)]
        logger.report_result(result)
    for name, text in attached.items():
        logger.report_attached_data(text, name)


def _labels(judgement: Judgement) -> list[Label]:
    start = judgement.started
    named = {
        LabelType.FRAMEWORK: "rollback-drill",
        LabelType.EPIC: start.runbook_title if start else "drill",
        LabelType.FEATURE: f"{start.fault} on {start.stage}" if start else "drill",
    }
    return [Label(name=name, value=value) for name, value in named.items()]


def _given(judgement: Judgement) -> str:
    start = judgement.started
    if start is None:
        return "Given a drill whose start was not recorded"
    return f"Given release {start.failing}, broken by {start.fault}, on stage {start.stage}"


def _milliseconds(at: float) -> int:
    return round(1000 * at)


def _verdict(record: Sequence[Event], judgement: Judgement) -> TestResult:
    result = TestResult(
        name=f"The drill: {judgement.reason}",
        fullName="verdict",
        status=_STATUS[judgement.verdict],
        start=_milliseconds(record[0].at) if record else 0,
        stop=_milliseconds(record[-1].at) if record else 0,
    )
    result.description = "\n\n".join(headlines(judgement.impact))
    if judgement.causes:
        result.statusDetails = StatusDetails(message=judgement.reason)
    result.steps = [
        _step(f"{cause.where}: {cause.what}", cause.verdict, result.start, result.stop)
        for cause in judgement.causes
    ]
    return result


def _parts(record: Iterable[Event]) -> list[list[Event]]:
    """Return the events of each performed step or checklist, from its start to its end."""
    parts: list[list[Event]] = []
    is_open = False
    for event in record:
        if isinstance(event.what, StepStarted):
            parts.append([])
            is_open = True
        if is_open:
            parts[-1].append(event)
        if isinstance(event.what, StepEnded):
            is_open = False
    return parts


def _part(part: Sequence[Event], given: str, attached: dict[str, str]) -> TestResult:
    started = part[0].what
    assert isinstance(started, StepStarted)
    ended = part[-1].what
    verdict = ended.verdict if isinstance(ended, StepEnded) else Verdict.UNKNOWN
    reason = ended.reason if isinstance(ended, StepEnded) else "its end was not recorded"
    name = f"{started.number} {started.title}" if started.number else started.title
    start, stop = _milliseconds(part[0].at), _milliseconds(part[-1].at)
    result = TestResult(
        name=name,
        fullName=f"{started.section} / {name}",
        status=_STATUS[verdict],
        start=start,
        stop=stop,
    )
    if result.status != Status.PASSED:
        result.statusDetails = StatusDetails(message=reason)
    when = _step(f"When {name!r} is performed", Verdict.PASSED, start, stop)
    when.steps = _commands(part, attached)
    for status in (Status.UNKNOWN, Status.FAILED):  # the worse one last
        if any(step.status == status for step in when.steps):
            when.status = status
    within = f"Then it keeps its budget of {started.budget_s:g} s and every checkbox holds"
    then = _step(within, verdict, start, stop)
    then.steps = [
        _step(f"{e.what.item}: {e.what.evidence}", e.what.verdict, start, _milliseconds(e.at))
        for e in part
        if isinstance(e.what, Checked)
    ]
    result.steps = [_step(given, Verdict.PASSED, start, start), when, then]
    return result


def _commands(part: Sequence[Event], attached: dict[str, str]) -> list[TestStepResult]:
    steps: dict[int, TestStepResult] = {}
    output: dict[int, list[str]] = {}
    for event in part:
        match event.what:
            case CommandStarted(command=command, host=host, script=script, line=line):
                name = f"line {line} on {host}"
                at = _milliseconds(event.at)
                steps[command] = _step(name, Verdict.UNKNOWN, at, at)
                output[command] = [f"$ {text}" for text in script.splitlines()]
            case CommandOutput(command=command, text=text) if command in steps:
                output[command].append(text)
            case CommandEnded(command=command) as ended if command in steps:
                steps[command].stop = _milliseconds(event.at)
                if ended.observed:
                    ok = ended.exit_status == 0
                    steps[command].status = Status.PASSED if ok else Status.FAILED
    for command, step in steps.items():
        text = "\n".join(output[command]) + "\n"
        source = f"{uuid.uuid5(uuid.NAMESPACE_OID, f'{step.start}/{command}')}-attachment.txt"
        attached[source] = text
        step.attachments = [Attachment(name="script and output", source=source, type="text/plain")]
    return list(steps.values())


def _step(name: str, verdict: Verdict, start: int, stop: int) -> TestStepResult:
    return TestStepResult(name=name, status=_STATUS[verdict], start=start, stop=stop)
