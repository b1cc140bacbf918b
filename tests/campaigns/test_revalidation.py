"""Revalidating a runbook: coverage, what is not performed on this very machine, and findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollback_drill.campaigns.found import ProcedureRun, Revalidated, RunbookFinding, coverage
from rollback_drill.campaigns.revalidation import (
    DAMAGE,
    perform_literally,
    revalidate,
    supervisor_of,
)
from rollback_drill.campaigns.since import since
from rollback_drill.campaigns.write_findings import write_findings
from rollback_drill.cli import main
from rollback_drill.conduct.request import Request
from rollback_drill.ground.errors import Exit
from rollback_drill.ground.verdict import Verdict
from rollback_drill.judge.judgement import judge
from rollback_drill.perform.foreign import foreign
from rollback_drill.perform.told import CommandEnded, CommandOutput, CommandStarted, StepEnded
from rollback_drill.record.book import Book
from rollback_drill.record.timeline import Event
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.opening import open_stage

RUNBOOK = Path(__file__).resolve().parents[2] / "runbook" / "rollback.md"


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
    return [words for _, words in foreign(runbook, [runbook.procedure(procedure)], stage)]


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
        ("timeout 30 bash", "timeout 5 bash"),  # what it waits for never comes
    )
    found = revalidate(
        Request(path, tmp_path / "out", fault="", pace=600),
        lambda: open_stage("processes", StageOptions(listings=200), lambda _: None),
        lambda _: None,
    )
    findings = found.findings
    skipped = [one for one in findings if "not performed here" in one.what]
    assert {one.where.rpartition(", ")[2] for one in skipped} == {"Procedure 1", "Procedure 2"}
    broken = [one for one in findings if one.severity == "high"]
    assert any("step 1" in one.where and one.where.startswith("Procedure 3") for one in broken)
    assert (tmp_path / "out" / "procedure-3" / "index.html").exists()
    assert not (tmp_path / "out" / "procedure-1").exists()
    verdicts = [one.verdict for one in found.performed]
    assert verdicts == ["unknown", "unknown", "failed"]
    assert found.performed[2].report == "procedure-3"


def performed(tmp_path: Path, hazard: str, *replaced: tuple[str, str]) -> list[str]:
    """Return what is wrong after Procedure 2 of an edited runbook was performed literally."""
    kept = "Dropped on purpose: `cursor_audit`, `listings.search_rank`, `reservations.channel`."
    # Where it fails, it does so again and again.
    soon = ('[ "$attempt" -lt 6 ]', '[ "$attempt" -lt 2 ]')
    path = edited(tmp_path, (kept, "It will be dropped."), soon, *replaced)
    request = Request(path, tmp_path / "out", fault="", pace=600)
    stage = open_stage("processes", StageOptions(listings=200), lambda _: None)
    procedure = parse(path).procedure(2)
    judgement = perform_literally(request, procedure, stage, "procedure-2", hazard)
    return [
        f"{cause.where}: {cause.what}\n{cause.evidence}"
        for cause in judgement.causes
        if cause.verdict is Verdict.FAILED
    ]


@pytest.mark.slow
@pytest.mark.wide
def test_new_code_on_an_old_schema_is_found_by_performing_it(tmp_path: Path) -> None:
    follow = "#### Step 5: As in Procedure 1\n\nFollow Step 3 of Procedure 1.\n"
    broken = ("grep -n -m1 '0\\.0\\.9' CHANGELOG.md", "git no-such-command")
    found = performed(tmp_path, "none", (follow, ""), broken)
    assert any("$ git no-such-command" in one and "not a git command" in one for one in found)
    assert any("“The deployed code can run on this schema” failed" in one for one in found), found
    # It pressed on behind that, down to the last checklist.
    assert any(one.startswith("Final verification") for one in found)


@pytest.mark.slow
@pytest.mark.wide  # another defect than the first one's, performed and found in the same way
def test_a_restore_that_restores_nothing_is_found_by_performing_it(tmp_path: Path) -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    heading = "**Alternative: restore from the safety backup (if the downgrade fails)**"
    alternative = text[text.index(heading) : text.index("- [ ] The migrations are reverted")]
    blind = (
        f'{heading}\n\n```bash\nset +e\npsql -X -h "$DB_HOST" -p "$DB_PORT" -U "$DB_USER" '
        '-d "$DB_NAME" < backup_stable.sql\nexit 0\n```\n\n'
    )
    found = performed(tmp_path, DAMAGE, (alternative, blind))
    assert any("listings.name has other values after it" in one for one in found), found
    supplied = (tmp_path / "out" / "procedure-2" / "timeline.jsonl").read_text()
    assert "a dump from before the fault was supplied" in supplied


@pytest.mark.slow
@pytest.mark.wide  # that it can be told apart; what it is there for is found by the one above
def test_a_restore_that_works_mends_the_damage(tmp_path: Path) -> None:
    found = performed(tmp_path, DAMAGE)
    assert all("dropped, and the runbook does not say" in one for one in found), found


def test_a_failed_command_is_told_with_its_words() -> None:
    step = StepEnded("Procedure 1", 3, "Revert", 60, 1, Verdict.FAILED, "status 1", "mend", (7,))
    command = CommandStarted(7, "Procedure 1", 3, "host-1", "", "git chekout x\nuv sync", 9, 60)
    said = [CommandOutput(7, "stderr", f"line {n}") for n in range(20)]
    ended = CommandEnded(7, 1, 0.1)
    record = [Event(0.0, command), *(Event(0.0, one) for one in said)]
    record += [Event(0.0, ended), Event(0.0, step)]
    (cause,) = [one for one in judge(Book(record)).causes if one.what == "status 1"]
    assert cause.evidence.splitlines()[:2] == ["$ git chekout x", "$ uv sync"]
    assert cause.evidence.splitlines()[2:] == [f"line {n}" for n in range(14, 20)]


def test_hosts_run_what_the_runbook_operates_them_with(tmp_path: Path) -> None:
    plain = edited(tmp_path, ("systemctl", "service"))
    assert supervisor_of(parse(RUNBOOK), "containers") == "systemd"
    assert supervisor_of(parse(plain), "containers") == "supervisord"
    told = edited(
        tmp_path, ("systemctl", "service"), ("git log --oneline -1", "git log -1 # no systemctl")
    )
    assert supervisor_of(parse(told), "containers") == "supervisord"
    assert supervisor_of(parse(RUNBOOK), "processes") == "supervisord"


HIGH = RunbookFinding("a", "high", "line 1", "it fails", "status 1", "mend it")
MEDIUM = RunbookFinding("b", "medium", "line 2", "nobody knows", "", "look again")


@pytest.mark.parametrize(
    ("findings", "status"),
    [([], Exit.PASSED), ([MEDIUM], Exit.UNKNOWN), ([MEDIUM, HIGH], Exit.FAILED)],
)
def test_the_worst_finding_decides(
    tmp_path: Path, findings: list[RunbookFinding], status: Exit
) -> None:
    runs = (ProcedureRun("Procedure 1", "passed", "everything held"),)
    found = Revalidated(parse(RUNBOOK), tuple(findings), runs)
    assert found.exit == status
    write_findings(found, since(tmp_path / "none", found), tmp_path / "new")
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
