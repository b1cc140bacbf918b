"""junit.xml: a suite for each section, a case for each step and checkbox."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from rollback_drill.ground.terminal import shown
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.impact import headlines
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book

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

    case(_WHOLE, "verdict", judgement.verdict, judgement.reason)
    for step in judgement.steps:
        name = f"{step.number} {step.title}"
        case(step.section, name, step.verdict, step.reason, step.took_s)
    for one in judgement.checklist:
        case(one.section, f"{one.number} {one.item}", one.verdict, one.evidence)
    for section, elements in cases.items():
        suite = ET.SubElement(
            root,
            "testsuite",
            name=section,
            tests=str(len(elements)),
            failures=str(sum(e.find("failure") is not None for e in elements)),
            errors=str(sum(e.find("error") is not None for e in elements)),
        )
        suite.extend(elements)
        if section == _WHOLE:
            told = ET.SubElement(suite, "system-out")
            told.text = _clean("\n".join(headlines(judgement.impact)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    return _INVALID.sub("", shown(text))
