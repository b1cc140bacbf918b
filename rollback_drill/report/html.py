"""index.html: one page without scripts or outside resources, from the timeline alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import jinja2

from rollback_drill.breaks.told import FaultAttested, FaultInjected, HazardArmed, HazardOver
from rollback_drill.data.comparison import ROWS, compare
from rollback_drill.data.told import FATES, DataSeen, recovery
from rollback_drill.decide.told import TriggerFired, TriggersRead, sentences
from rollback_drill.ground.clock import iso
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.impact import headlines, left_in
from rollback_drill.judge.judgement import Judgement, judge
from rollback_drill.perform.told import (
    Authorized,
    Checked,
    CommandEnded,
    CommandOutput,
    CommandStarted,
    MessageHandled,
    OperatorActed,
    ProcedureChosen,
)
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.report.charts import charts
from rollback_drill.report.summary import key_numbers
from rollback_drill.runbook.told import RunbookRead
from rollback_drill.subject.hostaway.told import CursorAnswer, CursorShown, Walked
from rollback_drill.watch.busyness import busy
from rollback_drill.watch.told import LogLine

_MARKS = {
    Verdict.PASSED: "✔",
    Verdict.ATTESTED: "✔",
    Verdict.UNKNOWN: "?",
    Verdict.UNCOVERED: "∅",
    Verdict.FAILED: "✘",
}
_MOST_LINES = 200
_MOST_OUTPUT = 60
_MOST_WALKS = 20
_MOST_HOLDERS = 20
_LOCKED = re.compile(r"locked by ", re.IGNORECASE)


def whole_page(book: Book) -> str:
    """Return the page. Everything that came from outside is escaped."""
    judgement, record = book.ask(judge), book.events
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rollback_drill.report"), autoescape=True, trim_blocks=True
    )
    return environment.get_template("index.html.j2").render(
        judgement=judgement,
        headlines=headlines(judgement.impact),
        left=left_in(judgement.left),
        numbers=key_numbers(judgement),
        marks=_MARKS,
        charts=charts(book),
        commands=_commands(record),
        attested=_last(record, FaultAttested),
        injected=_last(record, FaultInjected),
        hazard=_last(record, HazardArmed),
        hazard_over=_last(record, HazardOver),
        data=_data(record),
        fates=FATES,
        holders=_holders(record),
        recovery=recovery,
        walks=_walks(record),
        cursors=_cursors(record),
        answers=list(CursorAnswer),
        sections=_sections(judgement),
        operator=[event.what for event in _of(record, OperatorActed)],
        messages=[event.what for event in _of(record, MessageHandled)],
        chosen=_last(record, ProcedureChosen),
        authorized=_last(record, Authorized),
        unread=_unread(record),
        watching=_watching(record),
        machine=book.ask(busy),
        fired=[event.what for event in _of(record, TriggerFired)],
        logs=_of(record, LogLine)[:_MOST_LINES],
        began=iso(record[0].at) if record else "",
        ended=iso(record[-1].at) if record else "",
    )


def _of(record: Sequence[Event], kind: type) -> list[Event]:
    return [event for event in record if isinstance(event.what, kind)]


def _unread(record: Sequence[Event]) -> list[tuple[int, str, str]]:
    """Return line, text and reason of what of the runbook was not read."""
    found: dict[int, tuple[int, str, str]] = {}
    for event in _of(record, RunbookRead):
        if isinstance(event.what, RunbookRead):
            told = zip(event.what.lines, event.what.texts, event.what.reasons, strict=False)
            found |= {line: (line, text, why) for line, text, why in told}
    return list(found.values())


def _watching(record: Sequence[Event]) -> list[str]:
    """Return what to know of how the runbook's triggers were held."""
    read = _last(record, TriggersRead)
    return list(sentences(read)) if isinstance(read, TriggersRead) else []


def _sections(judgement: Judgement) -> list[tuple[str, list[Checked]]]:
    """Return the checkboxes by their section, in the order in which they were verified."""
    found: dict[str, list[Checked]] = {}
    for one in judgement.checklist:
        found.setdefault(one.section, []).append(one)
    return list(found.items())


def _last(record: Sequence[Event], kind: type) -> object:
    found = _of(record, kind)
    return found[-1].what if found else None


def _data(record: Sequence[Event]) -> list[dict[str, object]]:
    """Return what each procedure did to the data, where it was seen before and after."""
    found: list[dict[str, object]] = []
    before: DataSeen | None = None
    for event in record:
        match event.what:
            case DataSeen(moment="before") as seen:
                before = seen
            case DataSeen() as seen if before and before.procedure == seen.procedure:
                rows = ", ".join(f"{name} {t[ROWS]}" for name, t in sorted(before.tables.items()))
                compared = compare(before.tables, seen.tables, before.expected)
                found.append({"procedure": seen.procedure, "rows": rows, "found": compared})
                before = None
    return found


def _holders(record: Sequence[Event]) -> dict[str, int]:
    """Return who held a lock that a command waited for, as it printed them, and how often."""
    found: Counter[str] = Counter()
    for event in record:
        if isinstance(event.what, CommandOutput) and _LOCKED.match(event.what.text):
            found[event.what.text] += 1
    return dict(found.most_common(_MOST_HOLDERS))


def _cursors(record: Sequence[Event]) -> dict[str, Counter[str]]:
    """Return how kept cursors were answered, by moment."""
    found: dict[str, Counter[str]] = {}
    for event in record:
        if isinstance(event.what, CursorShown):
            found.setdefault(event.what.moment, Counter())[event.what.answer] += 1
    return found


def _walks(record: Sequence[Event]) -> list[Walked]:
    """Return the walks during which the format changed, and those with other than whole lists."""
    walks = [event.what for event in record if isinstance(event.what, Walked)]
    return [
        one for one in walks
        if len(one.formats) > 1 or one.repeated or one.skipped or one.refused
    ][:_MOST_WALKS]  # fmt: skip


def _commands(record: Sequence[Event]) -> list[dict[str, object]]:
    found: dict[int, dict[str, object]] = {}
    output: dict[int, list[str]] = {}
    for event in record:
        match event.what:
            case CommandStarted() as started:
                found[started.command] = {"started": started, "ended": None, "output": ""}
            case CommandOutput(command=command, text=text):
                output.setdefault(command, []).append(text)
            case CommandEnded() as ended if ended.command in found:
                found[ended.command]["ended"] = ended
    for command, lines in output.items():
        if len(lines) > _MOST_OUTPUT:
            half = _MOST_OUTPUT // 2
            left_out = f"… {len(lines) - _MOST_OUTPUT} lines left out …"
            lines = [*lines[:half], left_out, *lines[-half:]]
        if command in found:
            found[command]["output"] = "\n".join(lines)
    return list(found.values())
