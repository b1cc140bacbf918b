"""Revalidating a runbook: coverage, what is not performed on this very machine, and findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drill.cli import main
from drill.conductor import Request
from drill.errors import Exit
from drill.revalidation import Finding, coverage, foreign, revalidate, write_findings
from drill.runbook.parse import parse
from drill.stage import StageOptions
from drill.stages import open_stage

RUNBOOK = Path(__file__).resolve().parent.parent / "runbook" / "rollback.md"


def edited(directory: Path, *replaced: tuple[str, str]) -> Path:
    text = RUNBOOK.read_text(encoding="utf-8")
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    path = directory / "edited.md"
    path.write_text(text, encoding="utf-8")
    return path


def reached(path: Path, procedure: int) -> list[str]:
    runbook = parse(path)
    stage = open_stage("processes", StageOptions(), lambda _: None)
    return [words for _, words in foreign(runbook, runbook.procedure(procedure), stage)]


def test_every_checkbox_of_the_projects_runbook_is_bound_once() -> None:
    covered = coverage(parse(RUNBOOK))
    assert not [one for one in covered if not one.check]
    assert len({one.line for one in covered}) == len(covered) > 40


def test_a_checkbox_that_nobody_can_verify_is_uncovered(tmp_path: Path) -> None:
    path = edited(tmp_path, ("- [ ] Pagination is off", "- [ ] The moon is full"))
    assert [one.item for one in coverage(parse(path)) if not one.check] == ["The moon is full"]


@pytest.mark.parametrize("procedure", [1, 2, 3])
def test_the_projects_runbook_stays_inside_its_stage(procedure: int) -> None:
    assert reached(RUNBOOK, procedure) == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sudo supervisorctl restart x", "sudo"),
        ("kill -HUP $(pgrep -f hostaway)", "pgrep"),
        ("pkill -HUP -f hostaway", "pkill"),
        ("echo x > /var/www/status", "/var/www/status"),
        ("cat 'file' /etc/passwd", "/etc/passwd"),
    ],
)
def test_commands_that_act_on_this_very_machine_are_seen(
    tmp_path: Path, command: str, words: str
) -> None:
    path = edited(tmp_path, ("git log --oneline -1\n", f"{command}\n"))
    assert reached(path, 1) == [words]
    assert reached(path, 3) == []


def test_a_comment_acts_on_nothing(tmp_path: Path) -> None:
    assert reached(edited(tmp_path, ("git log --oneline -1\n", "# sudo in /etc\n")), 1) == []


@pytest.mark.slow
def test_a_procedure_that_fails_is_a_finding_and_others_are_told_apart(tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        ("git log --oneline -1\n", "sudo git log --oneline -1\n"),  # Procedures 1 and 2
        ("'s/^( +pagination_enabled:).*/\\1 false/'", "'s/^( +pagination_enabled:).*/\\1 true/'"),
    )
    findings = revalidate(
        Request(path, tmp_path / "out"),
        lambda: open_stage("processes", StageOptions(listings=200), lambda _: None),
        lambda _: None,
    )
    skipped = [one for one in findings if "not performed here" in one.what]
    assert {one.where.rpartition(", ")[2] for one in skipped} == {"Procedure 1", "Procedure 2"}
    broken = [one for one in findings if one.severity == "high"]
    assert any("step 1" in one.where and one.where.startswith("Procedure 3") for one in broken)
    assert (tmp_path / "out" / "procedure-3" / "index.html").exists()
    assert not (tmp_path / "out" / "procedure-1").exists()


HIGH = Finding("a", "high", "line 1", "it fails", "status 1", "mend it")
MEDIUM = Finding("b", "medium", "line 2", "nobody knows", "", "look again")


@pytest.mark.parametrize(
    ("findings", "status"),
    [([], Exit.PASSED), ([MEDIUM], Exit.UNKNOWN), ([MEDIUM, HIGH], Exit.FAILED)],
)
def test_the_worst_finding_decides(tmp_path: Path, findings: list[Finding], status: Exit) -> None:
    assert write_findings(findings, parse(RUNBOOK), tmp_path / "new") == status
    content = json.loads((tmp_path / "new" / "findings.json").read_text())
    assert [one["what"] for one in content["findings"]] == [one.what for one in findings]
    text = (tmp_path / "new" / "findings.md").read_text()
    assert all(one.what in text and one.advice in text for one in findings)


def test_a_runbook_that_is_not_there_is_used_wrongly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none.md"
    assert main(["revalidate", "--runbook", str(missing), "--stage", "processes"]) == Exit.USAGE
    assert "runbook" in capsys.readouterr().err
