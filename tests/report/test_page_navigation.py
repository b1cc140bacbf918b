"""Whoever looks for something on a page finds it: contents, addresses, what did not pass first."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rollback_drill.conduct.told import DrillStarted
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.performed import commands_run
from rollback_drill.perform.told import Checked, OperatorActed, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.report.html import whole_page
from rollback_drill.report.write import write_reports
from rollback_drill.runbook.lines import with_links
from rollback_drill.runbook.told import DocumentKept
from tests.judge.kept_records import events_of, kept
from tests.judge.record_support import also, changed, counted, good
from tests.report.page_support import text_of

NAMES = ("passed", "failed", "unknown", "procedure-2", "no-rollback")


def ids_of(page: str) -> list[str]:
    """Return all addresses of a page."""
    return re.findall(r' id="([^"]+)"', page)


def links_of(page: str) -> set[str]:
    """Return all addresses on the page to which it links."""
    return set(re.findall(r'href="#([^"]+)"', page))


@pytest.mark.parametrize("name", NAMES)
def test_all_that_has_a_name_has_an_address(name: str, tmp_path: Path) -> None:
    book = Book(events_of(name, tmp_path))
    page = str(whole_page(book))
    ids = ids_of(page)
    assert len(ids) == len(set(ids))
    assert links_of(page) <= set(ids)
    assert sum(one.startswith("box-") for one in ids) == len(book.every(Checked))
    assert sum(one.startswith("command-") for one in ids) == len(book.ask(commands_run))
    assert sum(one.startswith("finding-") for one in ids) == len(book.ask(judge).causes)
    rows = re.findall(r"<tr id=", page)
    assert len(rows) == len(book.every(Checked)) + len(book.every(StepEnded))


def test_an_operators_page_lists_what_he_did() -> None:
    acted = OperatorActed("Procedure 1", 1, "Enter", "skipped", "nothing was seen of it")
    page = str(whole_page(Book(also(acted)(good()))))
    contents = page[page.index('<nav class="contents"') :].partition("</nav>")[0]
    assert "What the operator did" in text_of(contents)
    assert links_of(contents) <= set(ids_of(page))


def test_the_contents_say_how_many_passed(tmp_path: Path) -> None:
    page = str(whole_page(Book(events_of("failed", tmp_path))))
    contents = page[page.index('<nav class="contents"') :].partition("</nav>")[0]
    assert len(links_of(contents)) == page.count("<section id=")
    assert re.search(r"Checklist \d+ of 15 passed", text_of(contents))
    assert re.search(r"Steps against their budgets \d of 6 passed, .*1 failed", text_of(contents))


def test_files_beside_the_page_are_there(tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.jsonl"
    timeline.write_bytes(kept("passed"))
    write_reports(timeline, tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    files = set(re.findall(r'href="([^"#]+)"', page))
    names = {"postmortem.html", "postmortem.md", "verdict.json", "timeline.jsonl", "junit.xml"}
    assert names == files
    assert all((tmp_path / "report" / name).is_file() for name in files)


def failing(item: str) -> list[Event]:
    """A good drill in which one checkbox failed."""
    found = []
    for event in good():
        what = event.what
        if isinstance(what, Checked) and what.item == item:
            what = replace(what, verdict=Verdict.FAILED)
        found.append(Event(event.at, what))
    return found


def test_what_did_not_pass_comes_first_and_the_rest_is_folded() -> None:
    page = str(whole_page(Book(failing("Maintenance is on"))))
    checklist = page[page.index('<section id="checklist"') :].partition("</section>")[0]
    assert "2 of 3 passed, 1 failed" in text_of(checklist)
    first = text_of(checklist[checklist.index('id="not-seen"') :].partition("</table>")[0])
    assert "Maintenance is on" in first
    assert "The team knows" not in first
    folded = re.findall(r"<details>\s*<summary><h3>(.*?)</h3>", checklist)
    assert folded == ["Preparation", "Final verification"]
    assert re.findall(r"<details open>\s*<summary><h3>(.*?)</h3>", checklist) == ["Procedure 1"]


def test_where_all_passed_nothing_stands_before_the_rest() -> None:
    page = str(whole_page(Book(good())))
    assert "What did not simply pass" not in page
    assert "3 of 3 passed" in page


def test_lines_of_the_runbook_are_links_where_it_was_kept() -> None:
    record = failing("Maintenance is on")
    text = "\n".join(f"line <{n}>" for n in range(1, 12))
    kept_one = counted([record[0], Event(record[0].at, DocumentKept(text)), *record[1:]])
    page = str(whole_page(Book(kept_one)))
    assert '<a href="#line-9">r.md:9</a>' in page
    assert '<span id="line-9"><i>9</i> line &lt;9&gt;</span>' in page
    assert links_of(page) <= set(ids_of(page))
    without = str(whole_page(Book(record)))
    assert "<code>r.md:9</code>" in without
    assert "#line-" not in without


def test_lines_that_a_sentence_names_are_links_and_those_of_a_program_are_not() -> None:
    book = Book([Event(1.0, DocumentKept("\n".join("abcdefghij")))])
    text = 'a <b> (line 9): “c”, line 3; matrix, line 4; File "x.py", line 5, in f (line 11)'
    assert with_links(book, text) == (
        'a &lt;b&gt; (<a href="#line-9">line 9</a>): “c”, <a href="#line-3">line 3</a>; matrix, '
        '<a href="#line-4">line 4</a>; File &#34;x.py&#34;, line 5, in f (line 11)'
    )


def test_a_runbook_that_is_too_long_for_a_page_is_left_out() -> None:
    record = changed(DrillStarted, runbook_title="Long")(good())
    long = counted([record[0], Event(record[0].at, DocumentKept("x" * 100_000)), *record[1:]])
    page = str(whole_page(Book(long)))
    assert len(page) < 60_000
    assert "#line-" not in page
