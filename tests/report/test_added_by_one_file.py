"""What can be seen and judged in a drill, and shown of it, is added by one file, wherever on the
path a folder is called as the engine. Each is read, judged and shown by `make report`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rollback_drill.record.timeline import to_line
from tests.house.page_support import FILES
from tests.judge.record_support import good

ROOT = Path(__file__).resolve().parents[2]
CONCERN = FILES["rollback_drill/weather/told.py"]
SECTION = FILES["rollback_drill/colours/sections.py"]


def record(path: Path, *rain: dict[str, object]) -> Path:
    """Write a drill in which all held, and on whose hosts it rained; return its timeline."""
    lines = [to_line(event) for event in good()]
    end = json.loads(lines[-1])
    del end["sum"]
    if rain:
        end["recorded"] |= {"Rained": len(rain)}
    more = [{"at": end["at"], "kind": "Rained", **one} for one in rain]
    path.write_text("\n".join([*lines[:-1], *map(json.dumps, [*more, end]), ""]))
    return path


def report(timeline: Path) -> tuple[int, str, str]:
    """Return the exit code of `make report`, its page and what it said of a mistake."""
    folder = timeline.parent / "report"
    done = subprocess.run(
        ["make", "--silent", "report", f"FROM={timeline}", f"REPORT={folder}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(timeline.parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    page = folder / "index.html"
    return done.returncode, page.read_text() if page.exists() else "", done.stdout + done.stderr


def member(root: Path, name: str, text: str) -> None:
    """Put one file into a folder that is called as the engine."""
    path = root / "rollback_drill" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize("seconds", [0.0, 7.5])
def test_a_concern_is_told_judged_and_shown(tmp_path: Path, seconds: float) -> None:
    member(tmp_path, "weather/told.py", CONCERN)
    timeline = record(tmp_path / "timeline.jsonl", {"host": "<h>", "for_s": seconds})
    status, page, said = report(timeline)
    assert ("Rain: <h> got wet for 7.5 s" in said) == bool(seconds), said
    assert bool(status) == bool(seconds)
    shown = page.partition("<h2>Weather</h2>")[2]
    assert f"<li>&lt;h&gt;: {seconds} s</li>" in shown


def test_who_has_nothing_to_show_has_no_heading(tmp_path: Path) -> None:
    member(tmp_path, "weather/told.py", CONCERN)
    status, page, said = report(record(tmp_path / "timeline.jsonl"))
    assert (status, "Weather" in page) == (0, False), said


def test_without_its_file_nobody_knows_the_event(tmp_path: Path) -> None:
    timeline = record(tmp_path / "timeline.jsonl", {"host": "h", "for_s": 1.0})
    status, _, said = report(timeline)
    assert status == 2
    assert "Expected an event in line" in said


def test_a_section_stands_where_it_says(tmp_path: Path) -> None:
    member(tmp_path, "colours/sections.py", SECTION)
    status, page, said = report(record(tmp_path / "timeline.jsonl"))
    assert status == 0, said
    places = [
        page.find(f"<h2>{title}") for title in ("What happened", "Away from v2", "What broke")
    ]
    assert places == sorted(places)
    assert -1 not in places


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    member(tmp_path, "colours/sections.py", SECTION.replace("the_releases", "log_lines"))
    status, _, said = report(record(tmp_path / "timeline.jsonl"))
    assert status == 2
    assert "rollback_drill.watch.sections" in said
    assert "rollback_drill.colours.sections" in said


def python(script: str, path: Path) -> list[str]:
    """Return the words that a script of its own prints, with one more folder on the path."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_concern_is_judged_in_a_book_that_no_file_was_read_for(tmp_path: Path) -> None:
    member(tmp_path, "weather/told.py", CONCERN)
    script = (
        "from rollback_drill.record.judge import all_judges\n"
        "from rollback_drill.record.section import all_sections\n"
        "print(*(one.causes.__name__ for one in all_judges()))\n"
        "print(*(one.markup.__name__ for one in all_sections()))"
    )
    assert {"of_rain", "the_rain"} <= set(python(script, tmp_path))


def test_two_events_of_one_name_are_refused(tmp_path: Path) -> None:
    member(tmp_path, "weather/told.py", CONCERN.replace("Rained", "Noted"))
    status, _, said = report(record(tmp_path / "timeline.jsonl"))
    assert status == 2, said
    assert "rollback_drill.weather.told" in said


def test_reading_a_record_needs_no_machine(tmp_path: Path) -> None:
    """Whoever reads a record elsewhere has no database, no engine of containers and no service."""
    timeline = record(tmp_path / "timeline.jsonl")
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from rollback_drill.report.write import write_reports\n"
        f"book = write_reports(Path({str(timeline)!r}), Path({str(tmp_path / 'report')!r}))\n"
        "from rollback_drill.judge.judgement import judge\n"
        "print(book.ask(judge).verdict, *(set(sys.modules) & "
        "{'psycopg', 'docker', 'httpx', 'requests', 'testcontainers', 'rollback_drill.stage'}))"
    )
    assert python(script, tmp_path) == ["passed"]
