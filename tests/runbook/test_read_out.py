"""What is not read of a runbook is said everywhere: `read`, `drill`, plan, findings, report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollback_drill.campaigns.plan import plan
from rollback_drill.campaigns.revalidation import by_reading
from rollback_drill.cli import main
from rollback_drill.ground.errors import Exit
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event, read
from rollback_drill.record.told import DrillEnded, PhaseStarted
from rollback_drill.report import html, postmortem
from rollback_drill.runbook.judges import of_reading
from rollback_drill.runbook.told import RunbookRead
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage
from tests.runbook.runbook_support import SMALL, changed, runbook_of, written
from tests.stage.staging_support import fake_kubectl

LEFT = changed("- [ ] Authentication works\n", "- [ ] Authentication works\n\n### Phase 2\n\n```sql\nDROP\n```\n")  # fmt: skip


def said(capsys: pytest.CaptureFixture[str], path: Path) -> tuple[int, str]:
    status = main(["read", "--runbook", str(path)])
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    return status, told.out + told.err


def test_a_document_that_is_read_in_full(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = said(capsys, written(tmp_path, SMALL))
    assert status == Exit.PASSED
    assert "100 % of the lines" in told
    assert "Step 2: Put the old code back (180 s): 1 block, 2 boxes" in told
    assert "watched for 300 s" in told
    for line in filter(str.strip, SMALL.splitlines()):
        assert line[:60] in told


def test_what_is_unread_is_printed_with_its_line_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = said(capsys, written(tmp_path, LEFT))
    assert status == Exit.FAILED
    assert "unread, line 62: ### Phase 2" in told
    assert "unread, line 64: ```sql DROP" in told
    assert "nobody performs a block of `sql`" in told
    assert "no drill of it can pass" in told
    assert "100 %" not in told


def test_a_document_that_cannot_be_drilled_is_printed_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = said(capsys, written(tmp_path, "# Notes\n\n## Step 1: Look\n\n- [ ] Seen\n"))
    assert status == Exit.FAILED
    assert "cannot be drilled: runbook.md: expected a heading that says how to roll back" in told
    assert "unread, line 3: ## Step 1: Look" in told
    assert "unread, line 5: - [ ] Seen" in told
    assert said(capsys, tmp_path / "none.md")[0] == Exit.USAGE


def test_what_a_document_says_is_text_for_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SMALL.replace("# Taking", "# [/opt/app] [bold]:smile: \x1b[31m Taking", 1)
    told = said(capsys, written(tmp_path, text))[1]
    assert "[/opt/app] [bold]:smile:" in told
    assert "\x1b" not in told


def test_findings_and_plan_name_each_unread_line(tmp_path: Path) -> None:
    runbook = runbook_of(tmp_path, LEFT)
    found = {one.id: one for one in by_reading(runbook)}
    assert {"unread-62", "unread-64"} <= set(found)
    assert found["unread-64"].severity == "high"
    assert "DROP" in found["unread-64"].what
    told = list(plan(runbook, open_stage("processes", StageOptions(), lambda _: None)))
    assert [one for one in told if one.startswith("Not read, line 64: ```sql DROP")]


READ = RunbookRead((7, 9), ("- [ ] a", "<b>x</b>"), ("a box", "a block"))


def test_each_unread_line_is_a_cause_and_none_passes() -> None:
    causes = of_reading(Book([Event(1.0, READ)]))
    assert [(one.verdict, one.where, one.evidence) for one in causes] == [
        (Verdict.UNCOVERED, "Runbook, line 7", "- [ ] a"),
        (Verdict.UNCOVERED, "Runbook, line 9", "<b>x</b>"),
    ]
    assert of_reading(Book([Event(1.0, RunbookRead())])) == []
    assert [one.verdict for one in of_reading(Book([]))] == [Verdict.UNKNOWN]
    assert judge(Book([Event(1.0, READ)])).verdict is Verdict.FAILED


def test_the_page_and_the_post_mortem_show_them() -> None:
    record = [Event(1.0, READ), Event(2.0, DrillEnded())]
    page = html.whole_page(Book(record))
    assert "What of the runbook was not read" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "Runbook, line 9: not read: a block" in postmortem.document(Book(record))
    clean = [Event(1.0, RunbookRead()), Event(2.0, DrillEnded())]
    assert "was not read" not in html.whole_page(Book(clean))


STAGING = """
[stage]
name = "shop"
kind = "staging"
failing = "v2"
stable = "v1"
base_url = "http://127.0.0.1:1"
alternatives = ["systemd"]
marker = "{folder}/no-such-marker"
[limits]
rate = 10
stop_file = "{folder}/STOP"
[[hosts]]
name = "app-1"
pod = "app-1"
directory = "{folder}"
url = "http://127.0.0.1:1"
[scripts]
defects = "touch {folder}/touched"
deploy = "touch {folder}/touched"
"""


def test_a_drill_names_them_before_anything_is_touched_and_cannot_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage is refused as soon as it is entered: what was said until then was said before."""
    fake_kubectl(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    stage = tmp_path / "staging.toml"
    stage.write_text(STAGING.replace("{folder}", str(tmp_path)))
    words = ["--stage", str(stage), "--runbook", str(written(tmp_path, LEFT)), "--rate", "5"]
    report = tmp_path / "report"
    status = main(["drill", *words, "--report", str(report)])
    told = capsys.readouterr().out
    assert not (tmp_path / "touched").exists()
    assert "line 64: ```sql DROP" in told
    kinds = [type(event.what) for event in read(report / "timeline.jsonl")]
    assert kinds.index(RunbookRead) < kinds.index(PhaseStarted)
    verdict = json.loads((report / "verdict.json").read_text())
    assert (status, verdict["verdict"]) == (Exit.FAILED, "failed")
    assert [one["where"] for one in verdict["findings"]][:2] == [
        "Runbook, line 62",
        "Runbook, line 64",
    ]
