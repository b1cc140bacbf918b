"""The page over all drills: what passed last and when, what never did, and where each report is."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

from rollback_drill.report.overview import overview
from tests.judge.history_support import drill
from tests.report.page_support import text_of

TODAY = date(2026, 3, 1)


def test_who_has_held_no_drill_is_told_how_to_begin() -> None:
    page = overview([], TODAY, ["postgres-down"])
    assert "Begin with make drill" in text_of(page)
    assert "make drill FAULT=postgres-down" in text_of(page)
    assert "Trends" not in page


def test_each_fault_says_when_it_passed_last_and_what_was_never_drilled() -> None:
    drills = [
        drill("2026-01-01T00:00:00Z", fault="leak", procedures=(1, 2)),
        drill("2026-02-01T00:00:00Z", fault="leak", verdict="failed", procedures=(1, 2)),
        drill("2026-02-02T00:00:00Z", fault="flood", verdict="unknown", procedures=(1, 2)),
    ]
    told = text_of(overview(drills, TODAY, ["leak", "flood", "drought"]))
    assert "leak Procedure 1 1 Jan 2026 ✘ failed , 1 Feb 2026 4.0 s 2" in told
    assert "flood Procedure 1 never ? unknown , 2 Feb 2026" in told
    assert "Never drilled 1 fault make drill FAULT=drought" in told
    assert "Procedure 2 was never performed" in told
    assert "Procedure 1 was never performed" not in told


def test_a_report_is_linked_until_a_later_drill_replaces_it(tmp_path: Path) -> None:
    for name in ("first #1", "latest"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text("")
    drills = [
        drill("2026-01-01T00:00:00Z", report=str(tmp_path / "first #1")),
        drill("2026-01-02T00:00:00Z", report=str(tmp_path / "latest")),
        drill("2026-01-03T00:00:00Z", report=str(tmp_path / "latest")),
        drill("2026-01-04T00:00:00Z", report=str(tmp_path / "gone")),
        drill("2026-01-05T00:00:00Z"),
    ]
    page = overview(drills, TODAY, folder=tmp_path)
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page)
    assert links == [
        ("latest/index.html", "2026-01-03 00:00"),
        ("first%20%231/index.html", "2026-01-01 00:00"),
    ]


def test_revalidations_beside_the_page_are_linked_and_what_is_none_is_left_out(
    tmp_path: Path,
) -> None:
    findings = [{"severity": "low"}, {"severity": "high"}, {"severity": "high"}]
    performed = [{"verdict": "passed"}, {"verdict": "failed"}]
    good = {"runbook": {"path": "/ops/ours <b>.md"}, "findings": findings, "procedures": performed}
    for name, told in (
        ("one #1", good | {"at": "2026-02-01T09:00:00Z"}),
        ("two", good | {"at": "2026-02-03T09:00:00Z", "findings": [], "procedures": []}),
        ("no time", good | {"at": "2026-02-03"}),
        ("no verdict", good | {"at": "2026-02-03T09:00:00Z", "procedures": [{"verdict": "well"}]}),
        ("no page", good | {"at": "2026-02-04T09:00:00Z"}),
        ("no table", [1]),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "findings.json").write_text(json.dumps(told))
        if name != "no page":
            (tmp_path / name / "findings.html").write_text("")
    page = overview([], TODAY, folder=tmp_path)
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page)
    assert links == [
        ("two/findings.html", "2026-02-03 09:00"),
        ("one%20%231/findings.html", "2026-02-01 09:00"),
    ]
    assert "ours <b>.md none none was performed" in text_of(page)
    assert "ours <b>.md 2 high, 1 low 1 of 2" in text_of(page)
    assert "Revalidations" not in overview([], TODAY)


def test_trends_have_a_point_for_each_drill_and_the_limit_of_a_regression() -> None:
    times = (4.0, 4.2, 3.9, 4.1, 4.3, 9.0)
    drills = [
        drill(
            f"2026-01-0{n}T00:00:00Z",
            restored_after_s=time,
            verdict="failed" if n == len(times) else "passed",
        )
        for n, time in enumerate(times, 1)
    ]
    page = overview(drills, TODAY)
    restored = page[page.index("<b>Time to restore</b>") :].partition("</figure>")[0]
    assert restored.count('class="point passed"') == 5
    assert restored.count('class="point failed"') == 1
    assert "6 Jan 2026: 9.0 s, failed; a regression above 6." in restored
    assert "5 Jan 2026: 4.3 s, passed</title>" in restored  # four before it are too few to say
    steady = overview(drills[:5], TODAY)
    assert "a regression above" not in steady


def test_the_limit_is_drawn_from_where_on_it_is_known() -> None:
    drills = [drill(f"2026-01-{n:02}T00:00:00Z") for n in range(1, 9)]
    page = overview(drills, TODAY)
    (line,) = re.findall(r'<polyline class="line limit" points="([^"]+)"', page)
    assert len(line.split()) == 3  # of the sixth drill, and those after it
