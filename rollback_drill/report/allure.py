"""allure-results: a result for the verdict and one for each performed step, read as Gherkin."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
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
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.perform.performed import Passage, performed, ran_in
from rollback_drill.perform.told import Checked, StepEnded, StepStarted
from rollback_drill.record.book import Book
from rollback_drill.report.facts_of import expected_and_found, facts_of

_STATUS = {
    Verdict.PASSED: Status.PASSED,
    Verdict.ATTESTED: Status.PASSED,
    Verdict.FAILED: Status.FAILED,
    Verdict.UNCOVERED: Status.FAILED,
    Verdict.UNKNOWN: Status.UNKNOWN,
}

_FILES = (
    ("index.html", "The report", "text/html"),
    ("postmortem.html", "The post-mortem", "text/html"),
    ("timeline.jsonl", "The timeline", "text/plain"),
)
_CATEGORIES = [
    {"name": "Failed: the rollback does not hold", "matchedStatuses": ["failed"]},
    {"name": "Unknown: not enough was seen", "matchedStatuses": ["unknown"]},
]


def write_results(book: Book, directory: Path) -> None:
    """Write the results into `directory`; what was there before is removed.

    The same record gives the same identifiers, so that Allure recognises a drill held again.
    """
    files.remove(directory)
    logger: Any = AllureFileLogger(str(directory))  # type: ignore[no-untyped-call]
    judgement = book.ask(judge)
    given = _given(judgement)
    labels = _labels(judgement)
    attached: dict[str, str] = {}
    results = [_verdict(book, judgement)]
    results[0].attachments = list(_beside(logger, directory.parent))
    results += [
        _part(part, part.started, given, attached)
        for part in book.ask(performed).parts
        if part.started
    ]
    for number, result in enumerate(results):
        seed = f"{judgement.started.seed if judgement.started else ''}/{result.fullName}"
        result.historyId = uuid.uuid5(uuid.NAMESPACE_OID, seed).hex
        result.testCaseId = result.historyId
        result.uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}/{result.start}/{number}"))
        result.labels = [*labels, *_place(result), Label(LabelType.STORY, result.fullName)]
        logger.report_result(result)
    for name, text in attached.items():
        logger.report_attached_data(text, name)
    told = (f"{_property(name)} = {_property(value)}" for name, value in facts_of(book).items())
    files.write(directory / "environment.properties", "".join(f"{line}\n" for line in told))
    files.write(directory / "categories.json", json.dumps(_CATEGORIES, indent=2) + "\n")


def _place(result: TestResult) -> list[Label]:
    """Return the suite of a result, and how severe it is when it fails: the verdict blocks a
    release; a step of a procedure is critical, what comes before and after it is not.
    """
    section, _, name = result.fullName.partition(" / ")
    severity = "normal"
    if not name:
        section, severity = "Drill", "blocker"
    elif section.startswith("Procedure"):
        severity = "critical"
    return [Label(LabelType.SUITE, section), Label(LabelType.SEVERITY, severity)]


def _beside(logger: Any, report: Path) -> Iterator[Attachment]:
    """Attach what stands in the report's folder."""
    for name, what, kind in _FILES:
        if (report / name).is_file():
            source = f"{uuid.uuid5(uuid.NAMESPACE_OID, name)}-attachment{Path(name).suffix}"
            logger.report_attached_file(str(report / name), source)
            yield Attachment(name=what, source=source, type=kind)


def _property(text: str) -> str:
    """Return `text` as a part of a line of Java's properties."""
    return " ".join(text.split()).replace("\\", "\\\\")


def _labels(judgement: Judgement) -> list[Label]:
    start = judgement.started
    named = {
        LabelType.FRAMEWORK: "rollback-drill",
        LabelType.PARENT_SUITE: start.runbook_title if start else "drill",
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


def _verdict(book: Book, judgement: Judgement) -> TestResult:
    result = TestResult(
        name=f"The drill: {judgement.reason}",
        fullName="verdict",
        status=_STATUS[judgement.verdict],
        start=_milliseconds(book.events[0].at) if book.events else 0,
        stop=_milliseconds(book.events[-1].at) if book.events else 0,
    )
    result.description = "\n\n".join(headlines(judgement.impact))
    if judgement.causes:
        result.statusDetails = StatusDetails(message=judgement.reason)
    result.steps = [
        _step(f"{cause.where}: {cause.what}", cause.verdict, result.start, result.stop)
        for cause in judgement.causes
    ]
    return result


def _part(part: Passage, started: StepStarted, given: str, attached: dict[str, str]) -> TestResult:
    ended = part.ended
    verdict = ended.verdict if ended else Verdict.UNKNOWN
    reason = ended.reason if ended else "its end was not recorded"
    name = f"{started.number} {started.title}" if started.number else started.title
    start, stop = _milliseconds(part.began), _milliseconds(part.until)
    result = TestResult(
        name=name,
        fullName=f"{started.section} / {name}",
        status=_STATUS[verdict],
        start=start,
        stop=stop,
    )
    if result.status != Status.PASSED:
        result.statusDetails = StatusDetails(message=_message(ended, reason))
    when = _step(f"When {name!r} is performed", Verdict.PASSED, start, stop)
    when.steps = _commands(part, attached)
    for status in (Status.UNKNOWN, Status.FAILED):  # the worse one last
        if any(step.status == status for step in when.steps):
            when.status = status
    within = f"Then it keeps its budget of {started.budget_s:g} s and every checkbox holds"
    then = _step(within, verdict, start, stop)
    then.steps = [
        _step(f"{e.what.item}: {e.what.evidence}", e.what.verdict, start, _milliseconds(e.at))
        for e in part.inside
        if isinstance(e.what, Checked)
    ]
    result.steps = [_step(given, Verdict.PASSED, start, start), when, then]
    return result


def _message(ended: StepEnded | None, reason: str) -> str:
    return expected_and_found(ended) if ended else reason


def _commands(part: Passage, attached: dict[str, str]) -> list[TestStepResult]:
    at = {id(event.what): _milliseconds(event.at) for event in part.inside}
    steps = []
    for command, run in ran_in(part.inside).items():
        if run.started is None:
            continue
        start = at[id(run.started)]
        name = f"line {run.started.line} on {run.started.host}"
        step = _step(name, Verdict.UNKNOWN, start, at[id(run.ended)] if run.ended else start)
        if run.ended and run.ended.observed:
            step.status = Status.PASSED if run.ended.exit_status == 0 else Status.FAILED
        source = f"{uuid.uuid5(uuid.NAMESPACE_OID, f'{start}/{command}')}-attachment.txt"
        attached[source] = "\n".join([*run.script, *run.said]) + "\n"
        step.attachments = [Attachment(name="script and output", source=source, type="text/plain")]
        steps.append(step)
    return steps


def _step(name: str, verdict: Verdict, start: int, stop: int) -> TestStepResult:
    return TestStepResult(name=name, status=_STATUS[verdict], start=start, stop=stop)
