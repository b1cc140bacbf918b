"""What the page opens with: whoever has three seconds knows what happened, and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rollback_drill.conduct.told import EarlierDrills, Restored
from rollback_drill.ground.verdict import Verdict
from rollback_drill.ground.words import capitalized
from rollback_drill.judge.figures import figure_values, figures
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.told import Checked, CommandOutput, OperatorActed, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.report.html import whole_page
from rollback_drill.report.next_steps import next_steps
from tests.judge.kept_records import events_of
from tests.judge.record_support import also, changed, good, without
from tests.report.page_support import text_of

NAMES = (
    "Time to detect",
    "Time to restore",
    "Customers’ minutes",
    "Failed requests",
    "Writes lost",
    "Budget used",
)


def opening(book: Book) -> str:
    """Return the text of a page up to its first section of all rooms."""
    page = str(whole_page(book))
    return text_of(page[page.index("<body>") : page.index('<ul class="numbers">')])


def operators() -> Book:
    """A drill that a person performed, and in which he skipped what he was to do."""
    acted = OperatorActed("Procedure 1", 1, "Enter", "skipped", "nothing was seen of it")
    return Book(also(acted)(good()))


@pytest.mark.parametrize("name", ["passed", "failed", "unknown", "procedure-2", "no-rollback"])
def test_the_questions_of_everybody_are_answered_first(name: str, tmp_path: Path) -> None:
    book = Book(events_of(name, tmp_path))
    told, judgement = opening(book), book.ask(judge)
    for question in ("What broke", "For how long, and whom", "What to do next"):
        assert question in told, told
    assert capitalized(judgement.reason) in told
    assert judgement.verdict.value in told
    assert all(one in told for one in NAMES)
    assert "Customers were hit for" in told


def test_an_operators_drill_is_opened_in_the_same_way() -> None:
    told = opening(operators())
    assert all(one in told for one in (*NAMES, "What to do next", "Is service restored"))


def test_a_record_of_nothing_has_a_page_that_says_so() -> None:
    told = opening(Book([]))
    assert told.count("not known") == 5, told  # four figures, and what proves the checks
    assert "not detected" in told


def test_a_failed_drill_opens_with_what_failed(tmp_path: Path) -> None:
    book = Book(events_of("failed", tmp_path))
    page = str(whole_page(book))
    assert page.index("<h2>Findings</h2>") < page.index("<h2>What happened</h2>")
    (first, *_) = re.findall(
        r'<article class="finding failed" id="finding-1">.*?</article>', page, re.S
    )
    told = text_of(first)
    assert "Expected every command of the step ends with status 0" in told
    assert "Found the command at line 295 on host-1 ended with status 1" in told
    assert "runbook/rollback.md:" in told
    assert "Try Read its output" in told
    assert "pg_dump -Fc -Z1" in told  # the command …
    assert "No space left on device" in told.partition("pg_dump -Fc -Z1")[2]  # … and its output
    for link in re.findall(r'href="#([^"]+)"', first):
        assert f'id="{link}"' in page


def test_a_box_that_failed_is_shown_with_what_it_asked_and_what_was_seen() -> None:
    record = changed(Checked, verdict=Verdict.FAILED, evidence="it answers 500")(good())
    page = str(whole_page(Book(record)))
    told = text_of(page[page.index('id="finding-1"') :].partition("</article>")[0])
    assert "Expected The team knows Found it answers 500 Where r.md:9" in told


def test_where_nothing_failed_there_are_no_findings() -> None:
    page = str(whole_page(Book(good())))
    assert "<h2>Findings</h2>" not in page
    assert "Nothing has to be mended" in page


def test_what_is_only_attested_is_not_passed_over() -> None:
    book = Book(changed(Checked, verdict=Verdict.ATTESTED)(good()))
    assert any("attested, not seen" in one.text for one in book.ask(next_steps))
    assert 'id="not-seen"' in whole_page(book)


def figure(book: Book, key: str) -> tuple[str, bool | None]:
    """Return a figure's text and whether its goal holds."""
    return next((one.text, one.good) for one in book.ask(figures) if one.key == key)


def test_a_figure_says_whether_it_is_good() -> None:
    book = Book(good())
    assert figure(book, "restored_s") == ("9.0 s", True)
    assert figure(book, "lost") == ("0", True)
    assert figure(book, "budget_share") == ("6.7%", True)


def test_a_figure_that_misses_its_goal_says_so() -> None:
    late = Book(changed(Restored, after_s=601.0)(good()))
    assert figure(late, "restored_s") == ("10 min", False)
    slow = Book(changed(StepEnded, took_s=31.0)(good()))
    assert figure(slow, "budget_share")[1] is False


def test_what_nobody_saw_is_no_figure() -> None:
    unseen = Book(without(Restored)(good()))
    assert "restored_s" not in figure_values(unseen)
    assert figure(unseen, "restored_s")[1] is False  # it was left well, and no client was seen well
    assert "customers_s" not in figure_values(
        Book(good())
    )  # how many clients there were is not on record


def test_figures_are_set_against_the_last_drill_that_compares() -> None:
    last = {"restored_s": 4.0, "lost": 0.0}
    book = Book(also(EarlierDrills("k", (), 0, last, "2026-11-12T10:00:00.000Z"))(good()))
    change = {one.key: (one.change, one.better) for one in book.ask(figures)}
    assert change["restored_s"] == ("5.0 s more than on 12 Nov 2026", False)
    assert change["lost"] == ("as on 12 Nov 2026", None)
    assert change["budget_share"] == ("not known on 12 Nov 2026", None)
    page = whole_page(book)
    assert "▲ 5.0 s more than on 12 Nov 2026" in page
    assert "No earlier drill compares" not in page


def test_what_a_command_said_cannot_become_part_of_the_page() -> None:
    failed = changed(StepEnded, verdict=Verdict.FAILED, failed_commands=(2,), reason="<i>")(good())
    page = whole_page(Book(changed(CommandOutput, text="<script>alert(1)</script>")(failed)))
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
