"""The gate's summary: what failed and why in the words of the drill's page, and never too long."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rollback_drill.conduct.told import EarlierDrills
from rollback_drill.ground.errors import UsageError
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.told import Checked
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import to_line
from rollback_drill.report.findings import shown_findings
from rollback_drill.report.gate_summary import (
    LONGEST,
    Artefacts,
    RunbookChange,
    gate_summary,
    letters,
)
from rollback_drill.report.scenario import ScenarioTold, drill_told
from rollback_drill.runbook.changed import passages
from rollback_drill.runbook.revision import text_at
from steps.fix_summary import artefacts, base_of
from tests.judge.record_support import also, changed, good

ROOT = Path(__file__).resolve().parents[2]
RED = changed(Checked, verdict=Verdict.FAILED, evidence="host-1 answers 500")(good())
BOOK = Book(RED)
DRILL = drill_told(BOOK, "processes-1", "drills/processes-1")
BROKEN = ScenarioTold(
    "Rolls back", "failed", "Procedures", "Then the drill passes", "assert 1 == 2", (DRILL,)
)
HELD = ScenarioTold("Decides", "passed")


def test_a_scenario_that_failed_says_why_in_the_words_of_its_drill() -> None:
    text = gate_summary([HELD, BROKEN], passed=False)
    first = shown_findings(BOOK)[0]
    assert text.startswith("## Rollback gate: FAILED\n\n1 passed, 1 failed\n")
    assert "### ❌ Rolls back (Procedures)" in text
    assert "Broke at: *Then the drill passes*" in text
    assert "assert 1 == 2" in text
    assert "**failed**" in text
    assert f"expected: {first.expected}; found: {first.found}." in text
    assert "[report](drills/processes-1/index.html)" in text


def test_a_gate_that_passed_names_what_was_held() -> None:
    text = gate_summary([HELD], passed=True)
    assert text.startswith("## Rollback gate: passed\n\n1 passed\n")
    assert "| ✅ | Decides |" in text


def test_before_and_after_stand_where_a_kept_drill_compares() -> None:
    assert "Before and after" not in gate_summary([BROKEN], passed=False)
    earlier = EarlierDrills("k", (4.0,), 1, {"restored_s": 30.0}, "2026-01-05T10:00:00Z")
    drill = drill_told(Book(also(earlier)(good())), "processes-2")
    text = gate_summary([replace(HELD, drills=(drill,))], passed=True)
    assert "### Before and after" in text
    assert "less than on 5 Jan 2026)" in text
    assert text.count("leak on processes, rolled back by Procedure 1") == 1


def test_what_changed_in_the_runbook_is_a_diff_that_nothing_ends() -> None:
    change = RunbookChange("r.md", "main", passages("a\n```\n", "b\n```\n"))
    text = gate_summary([HELD], passed=True, change=change)
    assert "````diff\n@@ -1,2 +1,2 @@\n-a\n+b\n ```\n````" in text
    text = gate_summary([HELD], passed=True, change=replace(change, passages=()))
    assert "The runbook r.md is as in main." in text
    text = gate_summary([HELD], passed=True, change=replace(change, unknown="no such revision"))
    assert "since main is not known: no such revision" in text


@pytest.mark.parametrize("many", [3, 400, 1_000])
def test_it_is_never_longer_than_a_comment_may_be(many: int) -> None:
    long = replace(BROKEN, why="😀 " * 3_000, name="😀" * 400)
    change = RunbookChange("r.md", "main", passages("", "".join(f"{n}\n" for n in range(9_000))))
    text = gate_summary(
        [replace(long, name=f"{n} {long.name}") for n in range(many)],
        passed=False,
        change=change,
        artefacts=Artefacts(page="https://ci.example/1#artifacts"),
    )
    assert letters(text) <= LONGEST < 65_536
    assert text.startswith("## Rollback gate: FAILED")
    assert "more lines of this diff" in text
    assert "(https://ci.example/1#artifacts)" in text
    assert ("no room here: junit.xml names them all" in text) is (many > 3)


def test_no_secret_comes_into_it_and_no_markup() -> None:
    evil = replace(
        BROKEN,
        why="```\nPGPASSWORD=hunter22 psql\nknown-one",
        name="<img src=x> [a](b) | c",
        drills=(replace(DRILL, reason="token=abcdef123456 <b>"),),
    )
    change = RunbookChange("r.md", "main", passages("", "password=hunter33\n"))
    text = gate_summary([evil], passed=False, change=change, secrets=["known-one"])
    for one in ("hunter22", "hunter33", "abcdef123456", "known-one"):
        assert one not in text
    assert "\\<img" in text
    assert "\\[a\\](b) / c" in text
    assert "````text\n```" in text


def test_links_lead_to_where_a_run_leaves_its_artefacts(tmp_path: Path) -> None:
    hub = {
        "GITHUB_SERVER_URL": "https://hub", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7",
        "GITHUB_BASE_REF": "main",
    }  # fmt: skip
    text = gate_summary([BROKEN], passed=False, artefacts=artefacts(hub, tmp_path))
    assert text.count("(https://hub/a/b/actions/runs/7#artifacts)") == 2
    lab = {"CI_JOB_URL": "https://lab/1", "CI_PROJECT_DIR": str(tmp_path)}
    text = gate_summary([BROKEN], passed=False, artefacts=artefacts(lab, tmp_path / "r"))
    assert "(https://lab/1/artifacts/browse/r/drills/processes-1/index.html)" in text
    assert artefacts({}, tmp_path) == Artefacts()
    assert base_of(hub) == "origin/main"
    assert base_of({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc"}) == "abc"
    assert base_of({}) == ""


def git(folder: Path, *words: str) -> None:
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    names = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *names, *words], cwd=folder, check=True, env=os.environ | own)


def test_the_runbook_is_compared_with_where_the_branch_began(tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    git(tmp_path, "init", "-q", "-b", "main")
    for words, text in ((("-q", "-b", "ours"), "one\n"), (("-q", "main"), "elsewhere\n")):
        path.write_text(text)
        git(tmp_path, "add", "r.md")
        git(tmp_path, "commit", "-qm", text)
        git(tmp_path, "checkout", *words)
    path.write_text("elsewhere\n")
    git(tmp_path, "commit", "-qam", "later, on main")
    git(tmp_path, "checkout", "-q", "ours")
    path.write_text("two\n")
    assert text_at(path, "main") == "one\n"
    for bad in ("no-such", "--output=x"):
        with pytest.raises(UsageError):
            text_at(path, bad)


BODY = """
from pathlib import Path
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import read
from steps.drills_held import HELD, HeldDrill
def test_a(request):
    report = Path({report!r})
    book = Book(read(report / "timeline.jsonl"))
    request.node.stash.setdefault(HELD, []).append(HeldDrill("d-1", report, book))
    assert not "what the scenario asks"
"""


@pytest.mark.parametrize("options", [(), pytest.param(("-n", "1"), marks=pytest.mark.wide)])
def test_a_run_keeps_the_report_of_the_drill_behind_what_failed(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    report = tmp_path / "held"
    report.mkdir()
    (report / "timeline.jsonl").write_text("".join(f"{to_line(event)}\n" for event in RED))
    (report / "index.html").write_text("the page")
    (tmp_path / "test_it.py").write_text(BODY.format(report=str(report)))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "steps.fix_summary", "-p", "no:locust",
         "-p", "no:cacheprovider", "--summary", str(tmp_path / "out" / "summary.md"),
         "--rootdir", str(tmp_path), "-c", os.devnull, *options, str(tmp_path / "test_it.py")],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    text = (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")
    assert "what the scenario asks" in text
    assert "[report](drills/d-1/index.html)" in text
    assert "host-1 answers 500" in text
    assert (tmp_path / "out" / "drills" / "d-1" / "index.html").read_text() == "the page"
