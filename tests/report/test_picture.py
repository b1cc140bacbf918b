"""The picture of a drill: all that was seen of it on one axis, and nothing that was not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rollback_drill.decide.told import TriggersRead
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.report.axes import amounts, clock_ticks, latencies
from rollback_drill.report.course import course
from rollback_drill.report.html import whole_page
from rollback_drill.report.marks import marks, phases, steps
from rollback_drill.report.picture import picture
from rollback_drill.traffic.told import TrafficSecond
from rollback_drill.watch.told import ProbeSample
from tests.judge.kept_records import events_of
from tests.judge.record_support import changed, good, without
from tests.report.page_support import text_of


def of(name: str, folder: Path) -> Book:
    """Return a kept drill."""
    return Book(events_of(name, folder))


def test_a_passed_drill_shows_all_that_matters(tmp_path: Path) -> None:
    book = of("procedure-2", tmp_path)
    drawn = str(picture(book))
    names = [one.name for one in book.ask(marks)]
    assert names[0] == "fault"
    assert {"symptom", "alarm", "decision"} == set(names[1:4])
    assert {"maintenance on", "maintenance off", "restored", "fault healed"} <= set(names)
    for name in names:
        assert f">{name}</text>" in drawn
    for lane in ("Requests per second", "Latency", "What was performed", "Memory", "connections"):
        assert lane in drawn
    for style in ("served", "lost", "planned", "line p50", "line p95", "line limit"):
        assert f'class="{style}"' in drawn
    for one in steps(book)[1:]:  # the first went before the first observation
        assert one.name.replace("&", "&amp;") in drawn
    for phase in phases(book)[1:]:
        assert f"<title>{phase.name}: " in drawn
    assert 'class="gap"' not in drawn
    assert "<script" not in drawn


@pytest.mark.parametrize(
    ("name", "mark"),
    [("failed", "hazard"), ("unknown", "interrupted"), ("no-rollback", "restored")],
)
def test_other_drills_show_what_was_theirs(name: str, mark: str, tmp_path: Path) -> None:
    book = of(name, tmp_path)
    drawn = str(picture(book))
    assert f">{mark}</text>" in drawn
    assert ("maintenance on" in drawn) == (name == "failed")
    assert "maintenance off" not in drawn  # it was never left, or never entered
    if name == "failed":
        assert 'class="step failed"' in drawn


def test_each_mark_says_what_it_is_without_scripts(tmp_path: Path) -> None:
    drawn = str(picture(of("passed", tmp_path)))
    for kind in ("flag", "column", "step", "phase"):
        shapes = re.findall(rf'<(?:g|rect) class="{kind}[^>]*>(.{{7}})', drawn)
        assert shapes
        assert set(shapes) == {"<title>"}, kind


def missing(record: list[Event], begin: int, end: int) -> list[Event]:
    """Return a record in which nobody observed the traffic from one second to another."""
    seconds = sorted({e.what.second for e in record if isinstance(e.what, TrafficSecond)})
    lost = seconds[begin:end]
    return [e for e in record if not (isinstance(e.what, TrafficSecond) and e.what.second in lost)]


def test_what_nobody_observed_is_a_gap_and_not_a_line(tmp_path: Path) -> None:
    record = events_of("passed", tmp_path)
    whole, torn = Book(record), Book(missing(record, 8, 12))
    before, after = str(picture(whole)), str(picture(torn))
    assert 'class="gap"' not in before
    assert after.count('class="gap"') == 1
    assert "nobody observed traffic" in after
    assert before.count('class="line p95"') == 1
    assert after.count('class="line p95"') == 2
    assert after.count('class="served"') < before.count('class="served"')
    said = text_of(str(whole_page(torn)))
    assert "Not observed: traffic for 4.0 s from" in said
    assert "Not observed: " not in text_of(str(whole_page(whole)))
    seen = torn.ask(course)
    assert seen
    assert sum(one.good is None for one in seen.stretches[:-6]) == 4


def test_probes_that_saw_nothing_leave_a_gap(tmp_path: Path) -> None:
    record = events_of("passed", tmp_path)
    times = [e.at for e in record if isinstance(e.what, ProbeSample)]
    begin, end = times[len(times) // 3], times[len(times) // 3] + 5
    torn = [e for e in record if not (isinstance(e.what, ProbeSample) and begin < e.at < end)]
    assert "nobody observed the service" in picture(Book(torn))


def test_limits_of_the_runbook_are_drawn_where_they_are_on_record() -> None:
    limits = changed(TriggersRead, p95_from_s={"Warning": 0.5, "Critical": 2.0})
    drawn = picture(Book(limits(good())))
    assert "Warning: p95 from 500 ms on" in drawn
    assert drawn.count('<line class="limit"') == 2
    assert '<line class="limit"' not in picture(Book(good()))


def test_a_record_in_which_nothing_was_observed_has_no_picture() -> None:
    record = without(ProbeSample)(without(TrafficSecond)(good()))
    assert picture(Book(record)) == ""
    assert "Nothing was observed" in whole_page(Book(record))
    assert picture(Book([])) == ""


def test_the_picture_is_a_table_as_well(tmp_path: Path) -> None:
    page = str(whole_page(of("passed", tmp_path)))
    table = page[page.index('<details id="picture-table">') :].partition("</details>")[0]
    assert 'aria-describedby="picture-table"' in page
    assert 10 < table.count("<tr>") <= 61
    assert "Connections" in table


@pytest.mark.parametrize(
    ("begin", "end", "labels"),
    [
        (43_201.0, 43_211.0, ["12:00:02", "12:00:04", "12:00:06", "12:00:08", "12:00:10"]),
        (43_201.0, 43_501.0, ["12:01", "12:02", "12:03", "12:04", "12:05"]),
        (0.0, 86_400.0, ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00", "00:00"]),
    ],
)
def test_ticks_of_the_clock_are_round(begin: float, end: float, labels: list[str]) -> None:
    assert [one.label for one in clock_ticks(begin, end, 7)] == labels


def test_ticks_of_amounts_and_latencies_are_round() -> None:
    assert [one.label for one in amounts(200.0)] == ["0", "100", "200"]
    assert [one.label for one in amounts(37.0)] == ["0", "20", "40"]
    assert [one.label for one in amounts(0.0)] == ["0", "1"]
    assert [one.label for one in amounts(1234.0, 3)] == ["0", "1,000", "2,000"]
    assert [one.label for one in latencies(0.004, 2.0)] == [
        "1 ms",
        "10 ms",
        "100 ms",
        "1 s",
        "10 s",
    ]


def words_of(drawn: str) -> list[tuple[float, float, float, str]]:
    """Return of each name of a phase and each flag its left, right and height, and its words."""
    found = []
    # As wide as most letters of the page's fonts are at 12 px.
    for style, x, y, anchor, words in re.findall(
        r'<text(?: class="(\w+)")? x="([\d.-]+)" y="([\d.]+)" text-anchor="(\w+)">([^<]+)</text>',
        drawn[: drawn.index("time of day")] + drawn[drawn.index('<g class="flag') :],
    ):
        if style in ("name", "") and not words[0].isdigit():
            width = 6.0 * len(words)
            left = float(x) - (width if anchor == "end" else 0)
            found.append((left, left + width, float(y), words))
    return found


def covered(words: list[tuple[float, float, float, str]]) -> list[tuple[str, str]]:
    """Return the pairs of which one covers the other."""
    return [
        (one[3], two[3])
        for number, one in enumerate(words)
        for two in words[number + 1 :]
        if abs(one[2] - two[2]) < 10 and one[0] < two[1] and two[0] < one[1]
    ]


@pytest.mark.parametrize("name", ["passed", "failed", "unknown", "procedure-2", "no-rollback"])
def test_no_name_covers_another(name: str, tmp_path: Path) -> None:
    words = words_of(str(picture(of(name, tmp_path))))
    assert len(words) > 6
    assert covered(words) == []


def test_a_name_that_covers_another_is_found() -> None:
    assert covered([(0, 60, 12, "teardown"), (50, 90, 12, "after")]) == [("teardown", "after")]
