"""junit.xml: a suite for each section, a case for each step and checkbox.

What was to be done and was not reached is skipped: a suite that ends early has as many cases as one
that goes on to its end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from rollback_drill.ground.clock import iso
from rollback_drill.ground.terminal import shown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.impact import headlines
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.performed import performed
from rollback_drill.perform.told import Checked
from rollback_drill.record.book import Book
from rollback_drill.report.facts_of import expected_and_found, facts_of

_WHOLE = "Drill"
_INVALID = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def suites(book: Book) -> str:
    """Return the judgement as JUnit XML."""
    judgement = book.ask(judge)
    root = ET.Element("testsuites", name="rollback-drill")
    cases: dict[str, list[ET.Element]] = {}

    def case(section: str, name: str, verdict: Verdict, text: str, took_s: float = 0.0) -> None:
        element = ET.Element(
            "testcase", classname=_clean(section), name=_clean(name), time=f"{took_s:.3f}"
        )
        if verdict in (Verdict.FAILED, Verdict.UNCOVERED):
            ET.SubElement(element, "failure", message=_clean(text))
        elif verdict is Verdict.UNKNOWN:
            ET.SubElement(element, "error", message=_clean(text))
        cases.setdefault(section, []).append(element)

    whole_s = book.events[-1].at - book.events[0].at if book.events else 0.0
    case(_WHOLE, "verdict", judgement.verdict, judgement.reason, whole_s)
    for step in judgement.steps:
        name = f"{step.number} {step.title}"
        case(step.section, name, step.verdict, expected_and_found(step), step.took_s)
    for one in judgement.checklist:
        told = expected_and_found(one)
        case(one.section, f"{one.number} {one.item}", one.verdict, told, one.took_s)
    for section, name, why in _not_reached(book):
        element = ET.Element("testcase", classname=_clean(section), name=_clean(name), time="0.000")
        ET.SubElement(element, "skipped", message=_clean(why))
        cases.setdefault(section, []).append(element)
    for section, elements in cases.items():
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_clean(section),
            tests=str(len(elements)),
            failures=str(sum(e.find("failure") is not None for e in elements)),
            errors=str(sum(e.find("error") is not None for e in elements)),
            skipped=str(sum(e.find("skipped") is not None for e in elements)),
            time=f"{sum(float(e.get('time', 0)) for e in elements):.3f}",
        )
        if section == _WHOLE:
            if book.events:
                suite.set("timestamp", iso(book.events[0].at))
            properties = ET.SubElement(suite, "properties")
            for name, value in facts_of(book).items():
                ET.SubElement(properties, "property", name=name, value=_clean(value))
        suite.extend(elements)
        if section == _WHOLE:
            out = ET.SubElement(suite, "system-out")
            out.text = _clean("\n".join(headlines(judgement.impact)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _not_reached(book: Book) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and reason for each step that a chosen procedure has and that was never
    begun, and for each checkbox of a step that was not verified.
    """
    found = book.ask(performed)
    for one in found.procedures:
        section = f"Procedure {one.chosen.procedure}"
        begun = {part.key[1] for part in one.parts}
        numbers = one.chosen.step_numbers or range(1, len(one.chosen.step_titles) + 1)
        for number, title in zip(numbers, one.chosen.step_titles, strict=False):
            if number not in begun:
                yield section, f"{number} {title}", "not reached: the procedure ended before"
    for part in found.parts:
        if part.started is None:
            continue
        verified = Counter((one.line, one.item) for one in part.every(Checked))
        for line, text in Counter(part.started.boxes or ()) - verified:
            name = f"{part.started.number} {text}"
            why = f"not verified: the step ended before (line {line} of the runbook)"
            yield part.started.section, name, why


def _clean(text: str) -> str:
    return _INVALID.sub("", shown(text))
