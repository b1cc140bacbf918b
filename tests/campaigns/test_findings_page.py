"""The page of a revalidation: what was found, beside what the one before it found."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from rollback_drill.campaigns.found import ProcedureRun, Revalidated, RunbookFinding, lines_named
from rollback_drill.campaigns.revalidation import by_reading
from rollback_drill.campaigns.since import NOT_KEPT, UNSEEN, Since, since
from rollback_drill.campaigns.write_findings import write_findings
from rollback_drill.ground.errors import Exit
from rollback_drill.ground.markdown import fenced
from rollback_drill.runbook.parse import parse
from tests.campaigns.findings_support import BROKEN, FAILED, PERFORMED, RUNBOOK, revalidated_twice
from tests.report.page_support import flaws_of, text_of

REPORT = "out"


def page_of(found: Revalidated, changes: Since, folder: Path) -> str:
    write_findings(found, changes, folder)
    return (folder / "findings.html").read_text(encoding="utf-8")


def links_of(page: str) -> tuple[set[str], set[str]]:
    """Return what links within the page point to, and all ids."""
    return set(re.findall(r'href="#([^"]+)"', page)), set(re.findall(r' id="([^"]+)"', page))


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a runbook that was revalidated before and after it was edited."""
    folder = tmp_path_factory.mktemp("twice")
    revalidated_twice(folder, folder / REPORT)
    return folder / REPORT


def test_what_changed_stands_beside_what_came_of_it(twice: Path) -> None:
    page = (twice / "findings.html").read_text(encoding="utf-8")
    told = text_of(page[page.index('id="change-1"') : page.index('id="change-2"')])
    assert "removed: - [ ] The moon is full" in told
    assert "added: - [ ] Pagination is off" in told
    assert re.search(r"gone line \d+, Procedure 3, Step 2: nobody can verify .*moon", told)
    second = text_of(page[page.index('id="change-2"') : page.index("about other lines")])
    assert "new line" in second
    assert "moon" not in second
    other = text_of(page[page.index("about other lines") : page.index('id="procedures"')])
    assert "stayed line" in other
    assert "gone Procedure 2, step 3" in other


def test_the_page_begins_with_the_verdict_and_leads_everywhere(twice: Path) -> None:
    page = (twice / "findings.html").read_text(encoding="utf-8")
    told = text_of(page[page.index("<body") :])
    assert told.startswith("To the content Revalidation · ")
    assert "✘ failed 2 findings: 2 high. Since the last time: 1 new, 2 gone, 1 stayed." in told
    assert "68 of 69 verified" in told
    assert "3 the last time" in told
    targets, ids = links_of(page)
    assert targets <= ids
    assert {"findings", "since", "procedures", "checkboxes", "triggers", "document"} <= targets
    assert flaws_of(page) == []
    assert len(page.encode()) < 300_000


def test_what_did_not_pass_comes_first(tmp_path: Path) -> None:
    runbook = parse(RUNBOOK)
    passed = replace(BROKEN, name="Procedure 1: Deploy", verdict="passed")
    found = Revalidated(runbook, (FAILED,), (passed, BROKEN))
    page = page_of(found, Since(), tmp_path)
    performed = text_of(page[page.index('id="procedures"') : page.index('id="checkboxes"')])
    assert performed.index("Procedure 2") < performed.index("Procedure 1")
    assert 'href="procedure-2/index.html"' in page


def test_a_finding_of_a_drill_leads_to_its_report(tmp_path: Path) -> None:
    found = Revalidated(parse(RUNBOOK), (FAILED,), (BROKEN,))
    page = page_of(found, since(tmp_path / "none", found), tmp_path)
    assert 'href="procedure-2/index.html#finding-1"' in page
    assert "hunter22" not in page
    assert "hunter22" not in (tmp_path / "findings.md").read_text(encoding="utf-8")
    assert "not revalidated before" in page


def test_a_runbook_without_a_finding_has_a_page_that_says_so(tmp_path: Path) -> None:
    found = Revalidated(parse(RUNBOOK), (), (PERFORMED,))
    write_findings(found, since(tmp_path / "findings.json", found), tmp_path)
    page = page_of(found, since(tmp_path / "findings.json", found), tmp_path)
    told = text_of(page)
    assert "✔ passed No finding: this runbook holds." in told
    assert "The document is the same since" in told
    assert links_of(page)[0] <= links_of(page)[1]
    assert flaws_of(page) == []


@pytest.mark.parametrize("runs", [(), (PERFORMED, replace(PERFORMED, verdict="unknown"))])
def test_what_was_not_seen_to_hold_is_never_passed(
    runs: tuple[ProcedureRun, ...], tmp_path: Path
) -> None:
    found = Revalidated(parse(RUNBOOK), (), runs)
    assert found.exit == Exit.UNKNOWN
    told = text_of(page_of(found, Since(), tmp_path))
    assert "? unknown No finding, and not every procedure was seen to hold." in told


def test_what_the_last_time_did_not_keep_is_not_guessed(tmp_path: Path) -> None:
    found = Revalidated(parse(RUNBOOK), (FAILED,))
    write_findings(found, Since(), tmp_path)
    path = tmp_path / "findings.json"
    content = json.loads(path.read_text())
    content["runbook"]["sha256"] = "other"
    path.write_text(json.dumps(content))
    assert since(path, found).said == UNSEEN
    for key in ("at", "procedures", "triggers"):
        del content[key]
    del content["runbook"]["text"]
    path.write_text(json.dumps(content))
    changes = since(path, found)
    assert changes.said == NOT_KEPT
    told = text_of(page_of(found, changes, tmp_path))
    assert "The text of the last time was not kept" in told
    then = {one.name: one.then for one in changes.counts}
    assert then["triggers watched"] is None
    assert then["high findings"] == "1"


def test_a_stranger_s_words_are_no_markup(tmp_path: Path) -> None:
    evil = RunbookFinding("x-1", "low", "line 3", "<script>1</script>", "```\nb", "<b>mend</b>")
    found = Revalidated(parse(RUNBOOK), (evil,))
    page = page_of(found, since(tmp_path / "none", found), tmp_path)
    assert "<script>" not in page
    assert "<b>mend" not in page
    assert "````text\n```\nb\n````" in (tmp_path / "findings.md").read_text(encoding="utf-8")
    assert fenced("a") == "```text\na\n```"


@pytest.mark.parametrize(
    ("where", "first"),
    [
        ("line 12, Procedure 1, Step 2", "line 12"),
        ("Procedure 2, step 1 “Reload”", "step"),
        ("the document", "none"),
    ],
)
def test_a_finding_knows_its_lines(where: str, first: str) -> None:
    runbook = parse(RUNBOOK)
    begins, ends = lines_named(where, runbook)
    step = runbook.procedure(2).steps[0]
    assert begins == {"line 12": 12, "step": step.line, "none": 0}[first]
    assert (begins > 0) is (ends >= begins > 0)
    if first == "step":
        assert ends < runbook.procedure(2).steps[1].line


def test_the_project_s_runbook_holds_by_reading() -> None:
    assert by_reading(parse(RUNBOOK)) == []
