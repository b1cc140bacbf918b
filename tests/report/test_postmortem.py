"""The post-mortem: filled with what is known, blank where nobody knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rollback_drill.breaks.told import FaultInjected
from rollback_drill.conduct.told import Restored, StageUp
from rollback_drill.data.told import LedgerRead
from rollback_drill.decide.told import Decided, TriggerFired
from rollback_drill.perform.told import ProcedureChosen
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.record.told import DrillBroke
from rollback_drill.report.postmortem import document
from rollback_drill.report.postmortem_page import readable
from rollback_drill.runbook.parse import parse
from rollback_drill.runbook.told import TemplatesRead
from rollback_drill.traffic.told import TrafficSecond
from tests.judge.kept_records import events_of
from tests.report.page_support import text_of

BEGAN = 1_800_000_000.0
RUNBOOK = parse(Path(__file__).resolve().parents[2] / "runbook" / "rollback.md")
TEMPLATES = TemplatesRead({one.name: one.text for one in RUNBOOK.templates})


def record(*, restored: bool = True) -> list[Event]:
    decided = Decided(
        "rollback", True, "Error Rate >10%", 18, "critical", 1, "", 0, ("n",), 1.5, 150
    )
    found = [
        Event(BEGAN, TEMPLATES),
        Event(BEGAN + 10, FaultInjected("error-rate-critical", "pages fail")),
        Event(
            BEGAN + 11,
            TriggerFired("Error Rate >10%", 18, "critical", "rollback", 1, ("n",)),
        ),
        Event(BEGAN + 12, decided),
        Event(BEGAN + 13, ProcedureChosen(1, "", 300, 600, "diagnosis")),
        *(
            Event(
                BEGAN + second + 1,
                TrafficSecond(int(BEGAN) + second, {"ok": 75, "server_error": 25}, {}, {}, ""),
            )
            for second in range(10, 20)
        ),
        Event(BEGAN + 40, LedgerRead(50, 50, 0, 0)),
    ]
    if restored:
        found.append(Event(BEGAN + 30, Restored(60.0)))
    return sorted(found, key=lambda event: event.at)


def also(events: list[Event], *more: Event) -> Book:
    return Book(sorted([*events, *more], key=lambda event: event.at))


def shown(book: Book) -> tuple[str, str]:
    """Return the page, and what is read of it."""
    page = str(readable(book))
    return page, text_of(page)


def test_what_is_known_is_filled_in() -> None:
    text = document(Book(record()))
    assert "08:00:11: errors seen" in text
    assert "08:00:12: alert" in text
    assert "08:00:13: rollback began" in text
    assert "08:01:12: service restored" in text
    assert "Duration: 1.0 minutes (62 s)" in text
    assert "Error rate: 25.0% (250 of 1000 requests)" in text
    assert "None of 50 acknowledged writes was lost" in text


def test_what_nobody_knows_stays_blank() -> None:
    text = document(Book(record(restored=False)))
    assert "- [time]: deployed" in text
    assert "- [time]: service restored" in text
    assert "- Customers: [number]" in text
    assert "- Revenue: [amount]" in text
    assert "- [ ] [test for the cause]" in text


def test_an_empty_record_makes_an_empty_post_mortem() -> None:
    text = document(Book([]))
    assert "- [time]: errors seen" in text
    assert "lost" not in text


def test_the_release_was_deployed_by_the_time_that_the_stage_stood() -> None:
    text = document(also(record(), Event(BEGAN + 5, StageUp(""))))
    assert "- by 08:00:05: deployed" in text


@pytest.mark.parametrize(
    ("blank", "told"),
    [
        ("[time]", "08:00:12"),
        ("[HH:MM]", "08:00"),
        ("[HH:MM:SS UTC]", "08:00:12 UTC"),
        ("[date]", "2027-01-15"),
        ("[YYYY-MM-DD HH:MM]", "2027-01-15 08:00"),
    ],
)
def test_a_moment_stands_in_the_form_that_the_template_has(blank: str, told: str) -> None:
    template = f"# Post-mortem\n## Timeline\n- {blank} - alert fired\n"
    events = [one for one in record() if one.what is not TEMPLATES]
    text = document(also(events, Event(BEGAN, TemplatesRead({"Post-mortem": template}))))
    assert f"- {told} - alert fired" in text


def test_the_timeline_is_told_in_full() -> None:
    full = document(Book(record())).partition("### In full, 2027-01-15")[2]
    assert "- 08:00:10: fault: error-rate-critical: pages fail" in full
    assert "- 08:01:12: restored: clients got good answers" in full


def test_findings_are_actions_that_nobody_owns_yet() -> None:
    broke = Event(BEGAN + 41, DrillBroke("a host", "none", "start it"))
    text = document(also(record(), broke))
    actions = text.partition("## Actions")[2].partition("## ")[0]
    assert "- [ ] Start it (Drill). Owner: [name]. Due: [date]" in actions
    assert "- [ ] [test for the cause]" in actions  # what the template asks for stays


def test_a_template_without_actions_gets_them() -> None:
    events = [one for one in record() if one.what is not TEMPLATES]
    text = document(also(events, Event(BEGAN + 41, DrillBroke("a host", "none", "start it"))))
    assert "## Actions\n\n- [ ] " in text
    assert text.count("## Actions") == 1


def test_what_a_service_says_is_neither_markup_nor_a_blank() -> None:
    nasty = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) ![y](http://a.example/y) `a` *b*"
    book = also(record(), Event(BEGAN + 41, DrillBroke("a host", nasty, "start it")))
    page, told = shown(book)
    went_badly = told.partition("What went badly")[2].partition("Actions")[0]
    assert nasty in went_badly
    for bad in ("<img", '<a href="javascript', "<em>b", "<code>a", '<span class="blank">[x]'):
        assert bad not in page


def test_a_template_brings_neither_markup_nor_pictures() -> None:
    template = (
        "# Post-mortem <script>alert(1)</script>\n#### Notes\n![y](http://a.example/y) <b>x</b>"
    )
    events = [one for one in record() if one.what is not TEMPLATES]
    page, _ = shown(also(events, Event(BEGAN, TemplatesRead({"Post-mortem": template}))))
    for bad in ("<script", "<img", "<b>"):
        assert bad not in page
    assert "<h2>Notes</h2>" in page  # no level of headings is left out


def test_the_page_says_what_the_document_says_and_marks_what_is_blank() -> None:
    page, told = shown(Book(record()))
    assert '<span class="blank">[number]</span>' in page
    assert "☐" in told
    for line in ("Duration: 1.0 minutes (62 s)", "08:00:12: alert", "Error Rate >10%"):
        assert line in told
        assert line in document(Book(record()))


@pytest.mark.parametrize("name", ["passed", "failed", "unknown", "procedure-2", "no-rollback"])
def test_sentences_begin_with_a_large_letter(name: str, tmp_path: Path) -> None:
    text = document(Book(events_of(name, tmp_path)))
    assert re.findall(r"(?:^|^- |\. |\*\*\. )((?!by \d)[a-z][^\n]{0,30})", text, re.MULTILINE) == []
